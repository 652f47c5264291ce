"""How good a method is: scores over many tasks, with their intervals."""

from fslbook.evaluation.embedding import embed_classes
from fslbook.evaluation.instances import accuracy_by_instance
from fslbook.evaluation.labelling import LabellingCurve, label_in_rounds
from fslbook.evaluation.loop import evaluate
from fslbook.evaluation.modes import evaluation_mode
from fslbook.evaluation.regression import evaluate_regression
from fslbook.evaluation.results import Evaluation, RegressionEvaluation
from fslbook.evaluation.scores import accuracy, squared_error

__all__ = [
    "Evaluation",
    "LabellingCurve",
    "RegressionEvaluation",
    "accuracy",
    "accuracy_by_instance",
    "embed_classes",
    "evaluate",
    "evaluate_regression",
    "evaluation_mode",
    "label_in_rounds",
    "squared_error",
]
