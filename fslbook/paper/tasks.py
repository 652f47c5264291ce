"""The tasks of a recipe: on which it is trained, validated and tested."""

from __future__ import annotations

from fslbook.data import ImageClasses, Splits
from fslbook.data.joining import concatenate
from fslbook.paper.recipe import Recipe
from fslbook.paper.recipes import METHODS
from fslbook.tasks.images import ImageSampler
from fslbook.tasks.sampler import EpisodeSampler, TaskSampler


def test_tasks(recipe: Recipe, data: Splits) -> EpisodeSampler:
    """The tasks, always the same, on which the recipe is tested.

    Args:
        recipe: any recipe.
        data: base, validation and novel classes.

    Example:
        >>> import torch
        >>> from fslbook.paper.recipes import recipe_named
        >>> images, counts = torch.zeros(100, 1, 8, 8, dtype=torch.uint8), torch.full((5,), 20)
        >>> names = ([f"{part}{i}" for i in range(5)] for part in ("base", "validation", "novel"))
        >>> parts = [ImageClasses(images, counts, tuple(five)) for five in names]
        >>> data = Splits("blank", *parts)
        >>> tasks = test_tasks(recipe_named("prototypical-omniglot-5w1s"), data)
        >>> tasks.n_way, tasks.k_shot, tasks.n_query, tasks.classes.names[0]
        (5, 1, 15, 'novel0')
    """
    return EpisodeSampler(_as_tested(recipe, data.novel), recipe.n_way, recipe.k_shot, recipe.test_query, seed=1)


def training_tasks(recipe: Recipe, data: Splits, seed: int) -> TaskSampler:
    """The tasks that a run learns from, or the images where its method learns from images.

    Args:
        recipe: any recipe.
        data: base, validation and novel classes.
        seed: of the run; processes that train together need one each.

    Example:
        >>> import torch
        >>> from fslbook.paper.recipes import recipe_named
        >>> images, counts = torch.zeros(100, 1, 8, 8, dtype=torch.uint8), torch.full((5,), 20)
        >>> names = ([f"{part}{i}" for i in range(5)] for part in ("base", "validation", "novel"))
        >>> parts = [ImageClasses(images, counts, tuple(five)) for five in names]
        >>> data = Splits("blank", *parts)
        >>> recipe = recipe_named("maml-omniglot-5w1s")
        >>> tasks = training_tasks(recipe, data, seed=0)
        >>> tasks.n_way == recipe.train_way, len(tasks.classes), tasks.classes.names[0]  # 5 classes in 4 rotations
        (True, 20, 'base0')
        >>> training_tasks(recipe_named("baseline-omniglot-5w1s"), data, seed=0).sample(3).labels.shape
        torch.Size([3])
    """
    sizes = (recipe.train_way, recipe.train_shot, recipe.train_query)
    classes = concatenate(data.base, data.validation) if recipe.validation_too else data.base
    if METHODS[recipe.method].learns_from == "images":
        return ImageSampler(classes.with_rotations(), seed=seed)
    return EpisodeSampler(classes.with_rotations(), *sizes, seed=seed)


def validation_tasks(recipe: Recipe, data: Splits) -> EpisodeSampler | None:
    """Like the tasks of training, in at most 20 ways; those of the test would differ within a training.

    Args:
        recipe: any recipe.
        data: base, validation and novel classes.

    Returns:
        None where the recipe learns from the validation classes as well.

    Example:
        >>> import torch
        >>> from fslbook.paper.recipes import recipe_named
        >>> images, counts = torch.zeros(100, 1, 8, 8, dtype=torch.uint8), torch.full((5,), 20)
        >>> names = ([f"{part}{i}" for i in range(5)] for part in ("base", "validation", "novel"))
        >>> parts = [ImageClasses(images, counts, tuple(five)) for five in names]
        >>> data = Splits("blank", *parts)
        >>> validation_tasks(recipe_named("prototypical-omniglot-5w1s"), data).n_way  # training has 60 ways
        20
        >>> validation_tasks(recipe_named("prototypical-omniglot-5w1s-trainval"), data) is None
        True
    """
    if recipe.validation_too:
        return None
    sizes = (min(recipe.train_way, 20), recipe.train_shot, recipe.train_query)
    return EpisodeSampler(_as_tested(recipe, data.validation), *sizes, seed=1)


def _as_tested(recipe: Recipe, classes: ImageClasses) -> ImageClasses:
    return classes.with_rotations() if recipe.rotate_novel else classes
