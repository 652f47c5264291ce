"""All checks by name: `from fslbook.exercises import check`, then `check.prototypes(my_function)`."""

from fslbook.exercises.episodes.drawing import count_leaks, draw_episode
from fslbook.exercises.episodes.labels import relabelled, split_by_class
from fslbook.exercises.episodes.measuring import episodes_needed, interval
from fslbook.exercises.few_shots.first_steps import centred, lucky_guesses, nearest_image
from fslbook.exercises.few_shots.plain_classifier import gradient_step, images_for_bound, recalibrated
from fslbook.exercises.first_order.gradients import (
    epsilon_at,
    fomaml_gradient,
    reptile_gradient,
)
from fslbook.exercises.first_order.relatives import anil_step, linear_cka, rate_gradient
from fslbook.exercises.maml_code.inner_loop import (
    inner_lr_for_the_mean,
    inner_step,
    inner_step_for_all,
    maml_loss,
)
from fslbook.exercises.maml_code.questions import listens, one_at_a_time
from fslbook.exercises.maml_mathematics.meta_gradients import back_through_steps, best_start, hessian_share
from fslbook.exercises.maml_mathematics.steps import (
    adapted,
    hessian_vector_product,
    valley_steps,
)
from fslbook.exercises.matching.attention import confidence_caps, images_attended, scale_for_confidence
from fslbook.exercises.matching.cosines import class_probabilities, cosine_similarities, matching_loss
from fslbook.exercises.prototypes.classifiers import as_linear_layer, leave_one_out_accuracy
from fslbook.exercises.prototypes.means import (
    prototypes,
    squared_distances,
    updated_prototype,
)
from fslbook.exercises.relation.pairs import class_sums, relation_loss, stacked_pairs
from fslbook.exercises.relation.scores import answer_or_none, relation_cost, squared_error_slope
from fslbook.exercises.siamese.pairs import contrastive, pairs, siamese_logits
from fslbook.exercises.siamese.verification import contrastive_gradient, equal_error, semi_hard_negatives

__all__ = [
    "adapted",
    "anil_step",
    "answer_or_none",
    "as_linear_layer",
    "back_through_steps",
    "best_start",
    "centred",
    "class_probabilities",
    "class_sums",
    "confidence_caps",
    "contrastive",
    "contrastive_gradient",
    "cosine_similarities",
    "count_leaks",
    "draw_episode",
    "episodes_needed",
    "epsilon_at",
    "equal_error",
    "fomaml_gradient",
    "gradient_step",
    "hessian_share",
    "hessian_vector_product",
    "images_attended",
    "images_for_bound",
    "inner_lr_for_the_mean",
    "inner_step",
    "inner_step_for_all",
    "interval",
    "leave_one_out_accuracy",
    "linear_cka",
    "listens",
    "lucky_guesses",
    "maml_loss",
    "matching_loss",
    "nearest_image",
    "one_at_a_time",
    "pairs",
    "prototypes",
    "rate_gradient",
    "recalibrated",
    "relabelled",
    "relation_cost",
    "relation_loss",
    "reptile_gradient",
    "scale_for_confidence",
    "semi_hard_negatives",
    "siamese_logits",
    "split_by_class",
    "squared_distances",
    "squared_error_slope",
    "stacked_pairs",
    "updated_prototype",
    "valley_steps",
]
