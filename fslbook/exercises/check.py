"""All checks by name: `from fslbook.exercises import check`, then `check.prototypes(my_function)`."""

from fslbook.exercises.prototypes import (
    as_linear_layer,
    leave_one_out_accuracy,
    prototypes,
    squared_distances,
    updated_prototype,
)

__all__ = [
    "as_linear_layer",
    "leave_one_out_accuracy",
    "prototypes",
    "squared_distances",
    "updated_prototype",
]
