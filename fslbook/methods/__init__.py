"""The methods of the book: one file a method."""

from fslbook.methods.base import EmbeddingMethod, FewShotMethod
from fslbook.methods.metric.matching import MatchingNetwork
from fslbook.methods.metric.nearest_neighbour import NearestNeighbour
from fslbook.methods.metric.prototypical import PrototypicalNetwork, negative_squared_distances, prototypes
from fslbook.methods.metric.relation import RelationNetwork
from fslbook.methods.metric.siamese import SiameseNetwork
from fslbook.methods.one_query import OneQueryAtATime
from fslbook.methods.optimisation.adaptation import AdaptingMethod
from fslbook.methods.optimisation.maml import MAML, MetaSGD
from fslbook.methods.optimisation.reptile import Reptile

__all__ = [
    "MAML",
    "AdaptingMethod",
    "EmbeddingMethod",
    "FewShotMethod",
    "MatchingNetwork",
    "MetaSGD",
    "NearestNeighbour",
    "OneQueryAtATime",
    "PrototypicalNetwork",
    "RelationNetwork",
    "Reptile",
    "SiameseNetwork",
    "negative_squared_distances",
    "prototypes",
]
