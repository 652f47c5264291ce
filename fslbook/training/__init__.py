"""Meta-training: one loop for every method, and what serves it."""

from fslbook.training.history import History
from fslbook.training.loop import fit

__all__ = ["History", "fit"]
