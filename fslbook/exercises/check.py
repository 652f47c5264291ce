"""All checks by name: `from fslbook.exercises import check`, then `check.prototypes(my_function)`."""

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
from fslbook.exercises.prototypes import (
    as_linear_layer,
    leave_one_out_accuracy,
    prototypes,
    squared_distances,
    updated_prototype,
)

__all__ = [
    "adapted",
    "anil_step",
    "as_linear_layer",
    "back_through_steps",
    "best_start",
    "epsilon_at",
    "fomaml_gradient",
    "hessian_share",
    "hessian_vector_product",
    "inner_lr_for_the_mean",
    "inner_step",
    "inner_step_for_all",
    "leave_one_out_accuracy",
    "linear_cka",
    "listens",
    "maml_loss",
    "one_at_a_time",
    "prototypes",
    "rate_gradient",
    "reptile_gradient",
    "squared_distances",
    "updated_prototype",
    "valley_steps",
]
