"""How good a method is: scores over many tasks, with their intervals."""

from fslbook.evaluation.loop import Evaluation, embed_classes, evaluate, evaluation_mode
from fslbook.evaluation.regression import RegressionEvaluation, evaluate_regression

__all__ = [
    "Evaluation",
    "RegressionEvaluation",
    "embed_classes",
    "evaluate",
    "evaluate_regression",
    "evaluation_mode",
]
