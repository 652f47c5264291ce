"""fslbook: the small package behind the course on few-shot learning."""

from fslbook.claims import claim
from fslbook.classifier import FewShotClassifier
from fslbook.common.devices import bf16_is_fast, pick_device
from fslbook.common.memory_use import peak_memory
from fslbook.data import ImageClasses, Splits, course_dataset, glyphs, image_folder, omniglot
from fslbook.evaluation import Evaluation, RegressionEvaluation, evaluate, evaluate_regression
from fslbook.methods import (
    MAML,
    TIM,
    BaseClassifier,
    ClusterSoftKMeans,
    FineTuning,
    HyperNetwork,
    InContextLearner,
    LabelPropagation,
    LearnedOptimiser,
    LogisticRegression,
    MaskedSoftKMeans,
    MatchingNetwork,
    MetaBaseline,
    MetaNetwork,
    MetaSGD,
    NearestNeighbour,
    OneQueryAtATime,
    PrototypicalNetwork,
    QueryWithSupport,
    RelationNetwork,
    Reptile,
    RidgeRegression,
    SelfTraining,
    SequenceLearner,
    SiameseNetwork,
    SimCLR,
    SimpleShot,
    SoftKMeans,
    TrainedHead,
    Transductive,
)
from fslbook.networks.classifiers import conv_classifier
from fslbook.networks.encoders import Conv4, RelationEncoder
from fslbook.paper.weights import load
from fslbook.tasks.augmentation import random_affine
from fslbook.tasks.episode import Episode
from fslbook.tasks.images import ImageSampler, ViewSampler
from fslbook.tasks.made_up import MadeUpTasks
from fslbook.tasks.sampler import EpisodeSampler
from fslbook.tasks.sequences import SequenceSampler
from fslbook.tasks.sinusoids import SinusoidTasks
from fslbook.tasks.unlabelled import UnlabelledSampler
from fslbook.training.history import History
from fslbook.training.loop import fit

__all__ = [
    "MAML",
    "TIM",
    "BaseClassifier",
    "ClusterSoftKMeans",
    "Conv4",
    "Episode",
    "EpisodeSampler",
    "Evaluation",
    "FewShotClassifier",
    "FineTuning",
    "History",
    "HyperNetwork",
    "ImageClasses",
    "ImageSampler",
    "InContextLearner",
    "LabelPropagation",
    "LearnedOptimiser",
    "LogisticRegression",
    "MadeUpTasks",
    "MaskedSoftKMeans",
    "MatchingNetwork",
    "MetaBaseline",
    "MetaNetwork",
    "MetaSGD",
    "NearestNeighbour",
    "OneQueryAtATime",
    "PrototypicalNetwork",
    "QueryWithSupport",
    "RegressionEvaluation",
    "RelationEncoder",
    "RelationNetwork",
    "Reptile",
    "RidgeRegression",
    "SelfTraining",
    "SequenceLearner",
    "SequenceSampler",
    "SiameseNetwork",
    "SimCLR",
    "SimpleShot",
    "SinusoidTasks",
    "SoftKMeans",
    "Splits",
    "TrainedHead",
    "Transductive",
    "UnlabelledSampler",
    "ViewSampler",
    "bf16_is_fast",
    "claim",
    "conv_classifier",
    "course_dataset",
    "evaluate",
    "evaluate_regression",
    "fit",
    "glyphs",
    "image_folder",
    "load",
    "omniglot",
    "peak_memory",
    "pick_device",
    "random_affine",
]
