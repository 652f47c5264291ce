"""Settings that the recipes of a family have in common, so that a recipe says only what is its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fslbook.paper.recipe import Recipe

OURS = (
    "trained on the 1,028 base classes of Vinyals' split and their rotations; the 172 validation classes are not added",
    "tested on the 423 novel classes and their rotations, 15 queries a class",
)
"""How every recipe but the trainval ones differs from most papers."""


def metric(method: str, n_way: int, k_shot: int, *deviations: str, **settings: Any) -> Recipe:
    """A recipe of a method that compares features: 6,000 steps of four 60-way tasks.

    Args:
        method: name of the method.
        n_way: classes in a test task.
        k_shot: support images per class.
        deviations: what differs from the paper, beside `OURS`.
        settings: fields of the recipe that differ from the family's.

    Example:
        >>> metric("prototypical", 5, 1, steps=10).steps
        10
    """
    defaults = {"train_way": 60, "train_shot": k_shot, "train_query": 5, "batch_size": 4, "steps": 6000}
    return Recipe(method, n_way, k_shot, **(defaults | settings), deviations=(*OURS, *deviations))


def adapting(method: str, n_way: int, k_shot: int, *deviations: str, **settings: Any) -> Recipe:
    """A recipe of the MAML family: 8,000 steps, one inner step of 0.4 in 5 ways, two in 20.

    Args:
        method: name of the method.
        n_way: classes in a test task.
        k_shot: support images per class.
        deviations: what differs from the paper, beside `OURS` and the poolings.
        settings: fields of the recipe that differ from the family's; `options` add to the family's.

    Example:
        >>> adapting("maml", 20, 1).options["inner_steps"]
        2
    """
    narrow = n_way == 5
    options: dict[str, Any] = {"inner_lr": 0.4, "inner_steps": 1 if narrow else 2, "test_steps": 10}
    options |= settings.pop("options", {})
    defaults: dict[str, Any] = {"train_way": n_way, "train_shot": k_shot, "train_query": 15 if narrow else 5}
    defaults |= {"batch_size": 32 if narrow else 16, "steps": 8000, "lr": 2e-3, "schedule": "one-cycle"}
    said = (*OURS, "four max-poolings instead of strides; the losses are means, so that 0.4 is a fifth of the authors'")
    return Recipe(method, n_way, k_shot, **(defaults | settings), options=options, deviations=(*said, *deviations))


def as_tested(method: str, n_way: int, k_shot: int, *deviations: str, **settings: Any) -> Recipe:
    """A recipe of a network that knows the number of classes: 8,000 steps of 16 tasks like those of the test.

    Args:
        method: name of the method.
        n_way: classes in a test task, and in a training task.
        k_shot: support images per class.
        deviations: what differs from the paper, beside `OURS`.
        settings: fields of the recipe that differ from the family's.

    Example:
        >>> as_tested("in-context", 20, 1).train_way
        20
    """
    defaults: dict[str, Any] = {"train_way": n_way, "train_shot": k_shot, "train_query": 15 if n_way == 5 else 5}
    defaults |= {"batch_size": 16, "steps": 8000}
    return Recipe(method, n_way, k_shot, **(defaults | settings), deviations=(*OURS, *deviations))


def pretrained(method: str, n_way: int, k_shot: int, *deviations: str, **settings: Any) -> Recipe:
    """A recipe of a method that learns from labelled images: five passes over the images of 4,112 turned classes.

    The sizes of its training tasks are those of its validation alone.

    Args:
        method: name of the method.
        n_way: classes in a test task.
        k_shot: support images per class.
        deviations: what differs from the paper, beside `OURS`.
        settings: fields of the recipe that differ from the family's; `options` add to the family's.

    Example:
        >>> pretrained("baseline", 5, 1).options["n_classes"]
        4112
    """
    options: dict[str, Any] = {"n_classes": 4 * 1028} | settings.pop("options", {})
    defaults: dict[str, Any] = {"train_way": 5, "train_shot": 1, "train_query": 15, "batch_size": 64, "steps": 6425}
    return Recipe(method, n_way, k_shot, **(defaults | settings), options=options, deviations=(*OURS, *deviations))


def trainval(recipe: Recipe) -> Recipe:
    """The same with the base and validation classes: the 1,200 classes on which the papers train in the end.

    Example:
        >>> trainval(metric("prototypical", 5, 1)).name
        'prototypical-omniglot-5w1s-trainval'
    """
    said = ("trained on the 1,200 base and validation classes of Vinyals' split and their rotations, not validated",)
    return replace(recipe, validation_too=True, deviations=said + recipe.deviations[1:])
