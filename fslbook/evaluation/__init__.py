"""How good a method is: scores over many tasks, with their intervals."""

from fslbook.evaluation.average_precision import average_precision, hits
from fslbook.evaluation.embedding import embed_classes
from fslbook.evaluation.instances import accuracy_by_instance
from fslbook.evaluation.labelling import LabellingCurve, label_in_rounds
from fslbook.evaluation.loop import evaluate
from fslbook.evaluation.modes import evaluation_mode
from fslbook.evaluation.overlap import Overlap, intersection_over_union, overlap_by_class
from fslbook.evaluation.regression import evaluate_regression
from fslbook.evaluation.results import Evaluation, RegressionEvaluation
from fslbook.evaluation.scores import accuracy, squared_error

__all__ = [
    "Evaluation",
    "LabellingCurve",
    "Overlap",
    "RegressionEvaluation",
    "accuracy",
    "accuracy_by_instance",
    "average_precision",
    "embed_classes",
    "evaluate",
    "evaluate_regression",
    "evaluation_mode",
    "hits",
    "intersection_over_union",
    "label_in_rounds",
    "overlap_by_class",
    "squared_error",
]
