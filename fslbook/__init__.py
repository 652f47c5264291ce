"""fslbook: the small package behind the course on few-shot learning."""

from fslbook.claims import claim
from fslbook.classifier import FewShotClassifier
from fslbook.common.devices import bf16_is_fast, pick_device
from fslbook.common.memory_use import peak_memory
from fslbook.data import ImageClasses, Splits, course_dataset, glyphs, image_folder, omniglot
from fslbook.evaluation import Evaluation, RegressionEvaluation, evaluate, evaluate_regression
from fslbook.methods import (
    MAML,
    BaseClassifier,
    FineTuning,
    LogisticRegression,
    MatchingNetwork,
    MetaBaseline,
    MetaSGD,
    NearestNeighbour,
    OneQueryAtATime,
    PrototypicalNetwork,
    QueryWithSupport,
    RelationNetwork,
    Reptile,
    RidgeRegression,
    SiameseNetwork,
    SimCLR,
    SimpleShot,
    TrainedHead,
)
from fslbook.networks.classifiers import conv_classifier
from fslbook.networks.encoders import Conv4, RelationEncoder
from fslbook.paper.weights import load
from fslbook.tasks.augmentation import random_affine
from fslbook.tasks.episode import Episode
from fslbook.tasks.images import ImageSampler, ViewSampler
from fslbook.tasks.made_up import MadeUpTasks
from fslbook.tasks.sampler import EpisodeSampler
from fslbook.tasks.sinusoids import SinusoidTasks
from fslbook.training.history import History
from fslbook.training.loop import fit

__all__ = [
    "MAML",
    "BaseClassifier",
    "Conv4",
    "Episode",
    "EpisodeSampler",
    "Evaluation",
    "FewShotClassifier",
    "FineTuning",
    "History",
    "ImageClasses",
    "ImageSampler",
    "LogisticRegression",
    "MadeUpTasks",
    "MatchingNetwork",
    "MetaBaseline",
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
    "SiameseNetwork",
    "SimCLR",
    "SimpleShot",
    "SinusoidTasks",
    "Splits",
    "TrainedHead",
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
