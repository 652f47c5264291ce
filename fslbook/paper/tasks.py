"""The tasks of a recipe: on which it is trained, validated and tested."""

from __future__ import annotations

from fslbook.data import ImageClasses, Splits
from fslbook.data.joining import concatenate
from fslbook.paper.recipe import Recipe
from fslbook.tasks.sampler import EpisodeSampler


def test_tasks(recipe: Recipe, data: Splits) -> EpisodeSampler:
    """The tasks, always the same, on which the recipe is tested.

    Args:
        recipe: any recipe.
        data: base, validation and novel classes.
    """
    return EpisodeSampler(_as_tested(recipe, data.novel), recipe.n_way, recipe.k_shot, recipe.test_query, seed=1)


def training_tasks(recipe: Recipe, data: Splits, seed: int) -> EpisodeSampler:
    """The tasks that a run learns from.

    Args:
        recipe: any recipe.
        data: base, validation and novel classes.
        seed: of the run; processes that train together need one each.
    """
    sizes = (recipe.train_way, recipe.train_shot, recipe.train_query)
    classes = concatenate(data.base, data.validation) if recipe.validation_too else data.base
    return EpisodeSampler(classes.with_rotations(), *sizes, seed=seed)


def validation_tasks(recipe: Recipe, data: Splits) -> EpisodeSampler | None:
    """Like the tasks of training, in at most 20 ways; those of the test would differ within a training.

    Args:
        recipe: any recipe.
        data: base, validation and novel classes.

    Returns:
        None where the recipe learns from the validation classes as well.
    """
    if recipe.validation_too:
        return None
    sizes = (min(recipe.train_way, 20), recipe.train_shot, recipe.train_query)
    return EpisodeSampler(_as_tested(recipe, data.validation), *sizes, seed=1)


def _as_tested(recipe: Recipe, classes: ImageClasses) -> ImageClasses:
    return classes.with_rotations() if recipe.rotate_novel else classes
