"""The methods of the book: one file a method."""

from fslbook.methods.base import EmbeddingMethod, FewShotMethod
from fslbook.methods.memory.hypernetwork import HyperNetwork
from fslbook.methods.memory.in_context import InContextLearner
from fslbook.methods.memory.learned_optimiser import LearnedOptimiser
from fslbook.methods.memory.meta_networks import MetaNetwork
from fslbook.methods.memory.sequence_learner import SequenceLearner
from fslbook.methods.metric.matching import MatchingNetwork
from fslbook.methods.metric.nearest_neighbour import NearestNeighbour
from fslbook.methods.metric.prototypical import PrototypicalNetwork, negative_squared_distances, prototypes
from fslbook.methods.metric.relation import RelationNetwork
from fslbook.methods.metric.siamese import SiameseNetwork
from fslbook.methods.one_query import PROTOCOLS, OneQueryAtATime, QueryWithSupport, company_matters
from fslbook.methods.optimisation.adaptation import AdaptingMethod
from fslbook.methods.optimisation.maml import MAML
from fslbook.methods.optimisation.meta_sgd import MetaSGD
from fslbook.methods.optimisation.reptile import Reptile
from fslbook.methods.transfer.fine_tuning import FineTuning
from fslbook.methods.transfer.linear_heads import LogisticRegression, RidgeRegression, TrainedHead
from fslbook.methods.transfer.nearest_mean import MetaBaseline, SimpleShot
from fslbook.methods.transfer.pretraining import BaseClassifier
from fslbook.methods.unlabelled.distractors import ClusterSoftKMeans, MaskedSoftKMeans
from fslbook.methods.unlabelled.label_propagation import LabelPropagation
from fslbook.methods.unlabelled.parts import Transductive
from fslbook.methods.unlabelled.self_training import SelfTraining
from fslbook.methods.unlabelled.simclr import SimCLR
from fslbook.methods.unlabelled.soft_k_means import SoftKMeans
from fslbook.methods.unlabelled.tim import TIM

__all__ = [
    "MAML",
    "PROTOCOLS",
    "TIM",
    "AdaptingMethod",
    "BaseClassifier",
    "ClusterSoftKMeans",
    "EmbeddingMethod",
    "FewShotMethod",
    "FineTuning",
    "HyperNetwork",
    "InContextLearner",
    "LabelPropagation",
    "LearnedOptimiser",
    "LogisticRegression",
    "MaskedSoftKMeans",
    "MatchingNetwork",
    "MetaBaseline",
    "MetaNetwork",
    "MetaSGD",
    "NearestNeighbour",
    "OneQueryAtATime",
    "PrototypicalNetwork",
    "QueryWithSupport",
    "RelationNetwork",
    "Reptile",
    "RidgeRegression",
    "SelfTraining",
    "SequenceLearner",
    "SiameseNetwork",
    "SimCLR",
    "SimpleShot",
    "SoftKMeans",
    "TrainedHead",
    "Transductive",
    "company_matters",
    "negative_squared_distances",
    "prototypes",
]
