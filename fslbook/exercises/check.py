"""All checks by name: `from fslbook.exercises import check`, then `check.prototypes(my_function)`."""

from fslbook.exercises.attention import confidence_caps, images_attended, scale_for_confidence
from fslbook.exercises.matching import class_probabilities, cosine_similarities, matching_loss
from fslbook.exercises.prototypes import (
    as_linear_layer,
    leave_one_out_accuracy,
    prototypes,
    squared_distances,
    updated_prototype,
)
from fslbook.exercises.relation import class_sums, relation_loss, stacked_pairs
from fslbook.exercises.scores import answer_or_none, relation_cost, squared_error_slope

__all__ = [
    "answer_or_none",
    "as_linear_layer",
    "class_probabilities",
    "class_sums",
    "confidence_caps",
    "cosine_similarities",
    "images_attended",
    "leave_one_out_accuracy",
    "matching_loss",
    "prototypes",
    "relation_cost",
    "relation_loss",
    "scale_for_confidence",
    "squared_distances",
    "squared_error_slope",
    "stacked_pairs",
    "updated_prototype",
]
