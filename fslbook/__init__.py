"""fslbook: the small package behind the course on few-shot learning."""

from fslbook.claims import claim
from fslbook.classifier import FewShotClassifier
from fslbook.data import ImageClasses, Splits, course_dataset, glyphs, image_folder, omniglot
from fslbook.data.sinusoids import SinusoidTasks
from fslbook.devices import bf16_is_fast, pick_device
from fslbook.encoders import Conv4, RelationEncoder, conv_classifier
from fslbook.episodes import Episode
from fslbook.evaluation import Evaluation, evaluate
from fslbook.history import History
from fslbook.memory import peak_memory
from fslbook.methods import (
    MAML,
    MatchingNetwork,
    MetaSGD,
    NearestNeighbour,
    OneQueryAtATime,
    PrototypicalNetwork,
    RelationNetwork,
    Reptile,
    SiameseNetwork,
)
from fslbook.regression import RegressionEvaluation, evaluate_regression
from fslbook.sampling import EpisodeSampler
from fslbook.training import fit
from fslbook.weights import load

__all__ = [
    "MAML",
    "Conv4",
    "Episode",
    "EpisodeSampler",
    "Evaluation",
    "FewShotClassifier",
    "History",
    "ImageClasses",
    "MatchingNetwork",
    "MetaSGD",
    "NearestNeighbour",
    "OneQueryAtATime",
    "PrototypicalNetwork",
    "RegressionEvaluation",
    "RelationEncoder",
    "RelationNetwork",
    "Reptile",
    "SiameseNetwork",
    "SinusoidTasks",
    "Splits",
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
]
