"""All checks by name: `from fslbook.exercises import check`, then `check.prototypes(my_function)`."""

from fslbook.exercises.drawing import count_leaks, draw_episode
from fslbook.exercises.episodes import relabelled, split_by_class
from fslbook.exercises.first_steps import centred, lucky_guesses, nearest_image
from fslbook.exercises.measuring import episodes_needed, interval
from fslbook.exercises.plain_classifier import gradient_step, images_for_bound, recalibrated
from fslbook.exercises.prototypes import (
    as_linear_layer,
    leave_one_out_accuracy,
    prototypes,
    squared_distances,
    updated_prototype,
)
from fslbook.exercises.siamese import contrastive, pairs, siamese_logits
from fslbook.exercises.verification import contrastive_gradient, equal_error, semi_hard_negatives

__all__ = [
    "as_linear_layer",
    "centred",
    "contrastive",
    "contrastive_gradient",
    "count_leaks",
    "draw_episode",
    "episodes_needed",
    "equal_error",
    "gradient_step",
    "images_for_bound",
    "interval",
    "leave_one_out_accuracy",
    "lucky_guesses",
    "nearest_image",
    "pairs",
    "prototypes",
    "recalibrated",
    "relabelled",
    "semi_hard_negatives",
    "siamese_logits",
    "split_by_class",
    "squared_distances",
    "updated_prototype",
]
