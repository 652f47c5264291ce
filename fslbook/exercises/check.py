"""All checks by name: `from fslbook.exercises import check`, then `check.prototypes(my_function)`."""

from fslbook.exercises.attention import confidence_caps, images_attended, scale_for_confidence
from fslbook.exercises.first_order import (
    anil_step,
    epsilon_at,
    fomaml_gradient,
    linear_cka,
    rate_gradient,
    reptile_gradient,
)
from fslbook.exercises.maml_code import (
    inner_lr_for_the_mean,
    inner_step,
    inner_step_for_all,
    listens,
    maml_loss,
    one_at_a_time,
)
from fslbook.exercises.maml_mathematics import (
    adapted,
    back_through_steps,
    best_start,
    hessian_share,
    hessian_vector_product,
    valley_steps,
)
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
    "adapted",
    "anil_step",
    "answer_or_none",
    "as_linear_layer",
    "back_through_steps",
    "best_start",
    "class_probabilities",
    "class_sums",
    "confidence_caps",
    "cosine_similarities",
    "epsilon_at",
    "fomaml_gradient",
    "hessian_share",
    "hessian_vector_product",
    "images_attended",
    "inner_lr_for_the_mean",
    "inner_step",
    "inner_step_for_all",
    "leave_one_out_accuracy",
    "linear_cka",
    "listens",
    "maml_loss",
    "matching_loss",
    "one_at_a_time",
    "prototypes",
    "rate_gradient",
    "relation_cost",
    "relation_loss",
    "reptile_gradient",
    "scale_for_confidence",
    "squared_distances",
    "squared_error_slope",
    "stacked_pairs",
    "updated_prototype",
    "valley_steps",
]
