"""The methods of the book: one file a method."""

from fslbook.methods.adaptation import AdaptingMethod
from fslbook.methods.base import EmbeddingMethod, FewShotMethod
from fslbook.methods.context import FullContextEmbedding
from fslbook.methods.maml import MAML, MetaSGD
from fslbook.methods.matching import MatchingNetwork
from fslbook.methods.nearest_neighbour import NearestNeighbour
from fslbook.methods.one_query import OneQueryAtATime
from fslbook.methods.prototypical import PrototypicalNetwork, negative_squared_distances, prototypes
from fslbook.methods.relation import RelationModule, RelationNetwork
from fslbook.methods.reptile import Reptile
from fslbook.methods.siamese import SiameseNetwork

__all__ = [
    "MAML",
    "AdaptingMethod",
    "EmbeddingMethod",
    "FewShotMethod",
    "FullContextEmbedding",
    "MatchingNetwork",
    "MetaSGD",
    "NearestNeighbour",
    "OneQueryAtATime",
    "PrototypicalNetwork",
    "RelationModule",
    "RelationNetwork",
    "Reptile",
    "SiameseNetwork",
    "negative_squared_distances",
    "prototypes",
]
