"""The tasks of a recipe: on which it is trained, validated and tested."""

from __future__ import annotations

from fslbook.data import ImageClasses, Splits
from fslbook.data.joining import concatenate
from fslbook.paper.recipe import Recipe
from fslbook.paper.recipes import METHODS
from fslbook.tasks.augmentation import random_affine
from fslbook.tasks.images import ImageSampler, ViewSampler
from fslbook.tasks.made_up import MadeUpTasks
from fslbook.tasks.sampler import EpisodeSampler, TaskSampler
from fslbook.tasks.sequences import SequenceSampler
from fslbook.tasks.unlabelled import UnlabelledSampler


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
    sizes = (recipe.n_way, recipe.k_shot, recipe.test_query)
    return _episodes(recipe, _as_tested(recipe, data.novel), sizes, seed=1)


def training_tasks(recipe: Recipe, data: Splits, seed: int) -> TaskSampler:
    """The tasks that a run learns from, or the sequences, images or views where its method learns from those.

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
    classes, kind = classes.with_rotations(), METHODS[recipe.method].learns_from
    if kind == "images":
        return ImageSampler(classes, seed=seed)
    if kind == "sequences":
        return SequenceSampler(classes, recipe.train_way, recipe.train_shot + recipe.train_query, seed=seed)
    if kind == "views":
        return ViewSampler(classes, random_affine, seed=seed)
    if kind == "made-up tasks":
        return MadeUpTasks(classes, random_affine, recipe.train_way, recipe.train_query, seed=seed)
    return _episodes(recipe, classes, sizes, seed, recipe.options.get("n_labelled"))


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
    return _episodes(recipe, _as_tested(recipe, data.validation), sizes, seed=1)


def _episodes(
    recipe: Recipe, classes: ImageClasses, sizes: tuple[int, int, int], seed: int, n_labelled: int | None = None
) -> EpisodeSampler:
    n = recipe.options.get("n_unlabelled")
    if n is None:
        return EpisodeSampler(classes, *sizes, seed=seed)
    return UnlabelledSampler(classes, *sizes, n_unlabelled=n, n_labelled=n_labelled, seed=seed)


def _as_tested(recipe: Recipe, classes: ImageClasses) -> ImageClasses:
    return classes.with_rotations() if recipe.rotate_novel else classes
