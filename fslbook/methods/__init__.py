"""The methods of the book: one file a method."""

from fslbook.methods.base import EmbeddingMethod, FewShotMethod
from fslbook.methods.nearest_neighbour import NearestNeighbour
from fslbook.methods.prototypical import PrototypicalNetwork, negative_squared_distances, prototypes

__all__ = [
    "EmbeddingMethod",
    "FewShotMethod",
    "NearestNeighbour",
    "PrototypicalNetwork",
    "negative_squared_distances",
    "prototypes",
]
