"""Paper-scale settings: every method of the book on Omniglot, 5-way and 20-way, 1-shot and 5-shot.

A recipe is data. `runs.py` carries it out, `python -m fslbook train NAME` from the command line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

TASKS = ((5, 1), (5, 5), (20, 1), (20, 5))


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns, but for its seed."""

    method: str
    """Which method, a key of `builders.BUILDERS`."""
    n_way: int
    """Classes in a test task."""
    k_shot: int
    """Support images a class in a test task."""
    train_way: int
    """Classes in a training task."""
    train_shot: int
    """Support images a class in a training task."""
    train_query: int
    """Query images a class in a training task."""
    batch_size: int
    """Tasks a training step."""
    steps: int
    """Training steps."""
    lr: float = 1e-3
    """Learning rate at its highest; of Adam, for Reptile the ε of its outer step."""
    schedule: str = "halve"
    """How the learning rate goes down: "halve" (three times, evenly spaced), "one-cycle" or "linear" (to zero)."""
    channels: int = 64
    """Channels of each of the four convolutions."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else the method is told, as in its docstring."""
    split: str = "vinyals"
    """Which classes are base, validation and novel; see `fslbook.omniglot`."""
    validation_too: bool = False
    """Whether it learns from the validation classes as well, "trainval"; there is no validation then."""
    rotate_novel: bool = True
    """Whether the rotations of the validation and novel classes are classes too, as those of the base classes are."""
    test_query: int = 15
    """Query images a class in a test task."""
    test_episodes: int = 1000
    """Test tasks, and as many again one query at a time where that makes a difference."""
    validate_every: int = 1000
    """Steps from one validation to the next, on the validation classes."""
    deviations: tuple[str, ...] = ()
    """What differs from the paper."""

    @property
    def name(self) -> str:
        """As on the command line, for instance prototypical-omniglot-5w1s."""
        return f"{self.method}-omniglot-{self.n_way}w{self.k_shot}s" + "-trainval" * self.validation_too

    @property
    def label(self) -> str:
        """What it is called beside others for the same task."""
        return self.method + ", trainval" * self.validation_too

    @property
    def training(self) -> str:
        """Name of its training; recipes that differ in nothing but their tests share it."""
        settings = {name: value for name, value in asdict(self).items() if name not in OF_TESTS}
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
        return f"{self.method}-{self.train_way}w{self.train_shot}s-{digest[:8]}"


OF_TESTS = {"n_way", "k_shot", "test_query", "test_episodes", "deviations"}
"""The fields that no training depends on."""

OURS = (
    "trained on the 1,028 base classes of Vinyals' split and their rotations; the 172 validation classes are not added",
    "tested on the 423 novel classes and their rotations, 15 queries a class",
)


HALVED = "the rate is halved three times in all, not every 2,000 episodes"


def _metric(method: str, n_way: int, k_shot: int, *deviations: str, **settings: Any) -> Recipe:
    defaults = {"train_way": 60, "train_shot": k_shot, "train_query": 5, "batch_size": 4, "steps": 6000}
    return Recipe(method, n_way, k_shot, **(defaults | settings), deviations=(*OURS, *deviations))


def _adapting(method: str, n_way: int, k_shot: int, *deviations: str, **settings: Any) -> Recipe:
    options: dict[str, Any] = {"inner_lr": 0.4, "inner_steps": 1 if n_way == 5 else 2, "test_steps": 10} | settings.pop(
        "options", {}
    )
    defaults: dict[str, Any] = {
        "train_way": n_way,
        "train_shot": k_shot,
        "train_query": 15 if n_way == 5 else 5,
        "lr": 2e-3,
    }
    defaults |= {"batch_size": 32 if n_way == 5 else 16, "steps": 8000, "schedule": "one-cycle"}
    said = (*OURS, "four max-poolings instead of strides; the losses are means, so that 0.4 is a fifth of the authors'")
    return Recipe(method, n_way, k_shot, **(defaults | settings), options=options, deviations=(*said, *deviations))


def _of_task(n_way: int, k_shot: int) -> list[Recipe]:
    first_order = {"inner_lr": 0.2, "inner_steps": 3}
    prototypical = _metric("prototypical", n_way, k_shot, HALVED)
    matching = _metric(
        "matching",
        n_way,
        k_shot,
        "without full context embeddings, cosines times 20, trained on 60-way tasks",
        options={"scale": 20.0},
    )
    return [
        _metric(
            "siamese",
            n_way,
            k_shot,
            "contrastive loss, Conv4 and 28×28 pixels; Koch's network sees 105×105 and learns a weighted L1 distance",
            train_shot=1,
            train_query=2,
            options={"margin": 10.0},
        ),
        prototypical,
        _trainval(prototypical),
        matching,
        _trainval(matching),
        _metric(
            "relation",
            n_way,
            k_shot,
            "trained on 20-way tasks for 20,000 steps of 4 instead of 1,000,000 episodes, without gradient clipping",
            train_way=20,
            steps=20000,
        ),
        _adapting("maml", n_way, k_shot),
        _adapting("fomaml", n_way, k_shot, "three inner steps of 0.2", options=first_order),
        _adapting("meta-sgd", n_way, k_shot, options={"test_steps": None}),
        _adapting("anil", n_way, k_shot),
        _reptile(n_way, k_shot),
    ]


def _trainval(recipe: Recipe) -> Recipe:
    """The same with the base and validation classes: the 1,200 classes on which the papers train in the end."""
    said = ("trained on the 1,200 base and validation classes of Vinyals' split and their rotations, not validated",)
    return replace(recipe, validation_too=True, deviations=said + recipe.deviations[1:])


def _reptile(n_way: int, k_shot: int) -> Recipe:
    wide = n_way == 20
    options = {"inner_lr": 5e-4 if wide else 1e-3, "inner_steps": 10 if wide else 5, "test_steps": 50}
    options |= {"inner_batch": 20 if wide else 10, "test_batch": 10 if wide else 5}
    said = (*OURS, "20,000 outer steps instead of 100,000 (5-way) and 200,000 (20-way)", "max-pooling, not strides")
    settings: dict[str, Any] = {"batch_size": 5, "steps": 20000, "lr": 1.0, "schedule": "linear"}
    return Recipe("reptile", n_way, k_shot, n_way, 5, 5, **settings, options=options, deviations=said)


RECIPES: dict[str, Recipe] = {recipe.name: recipe for task in TASKS for recipe in _of_task(*task)}
"""All recipes by name."""


def recipe_named(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        ValueError: there is none; says which there are.
    """
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; known are {', '.join(RECIPES)}")
    return RECIPES[name]


def quick(recipe: Recipe) -> Recipe:
    """The same recipe made small enough for two CPU cores and two minutes; its accuracy says nothing."""
    fewer = min(recipe.options.get("test_steps") or 3, 3)
    options = {**recipe.options, "test_steps": fewer} if "test_steps" in recipe.options else recipe.options
    return replace(
        recipe,
        train_way=min(recipe.train_way, 20),
        batch_size=min(recipe.batch_size, 2),
        channels=16,
        steps=20,
        options=options,
        test_query=2,
        test_episodes=10,
        validate_every=10,
    )
