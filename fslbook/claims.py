"""Claims: sentences of the book that a machine checks each time a chapter runs."""

from __future__ import annotations

from torch import Tensor


def claim(sentence: str, condition: bool | Tensor) -> None:
    """Print `sentence` if `condition` holds, else raise.

    Trained numbers differ from machine to machine, so a chapter never compares them as text. It states what
    holds on every machine and prints the same line everywhere.

    Raises:
        AssertionError: the condition does not hold.
        ValueError: the condition is not a single truth value.
    """
    if isinstance(condition, Tensor) and condition.numel() != 1:
        raise ValueError(f"a claim needs one truth value, got a tensor {[*condition.shape]}; use .all() or .any()")
    if not bool(condition):
        raise AssertionError(f"claim does not hold: {sentence}")
    print(f"✓ {sentence}")
