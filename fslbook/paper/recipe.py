"""What a recipe is: everything that decides what a run learns, as data.

`paper/recipes/` holds the recipes; `runs.py` carries one out, `python -m fslbook train NAME` from the command line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any

from fslbook.common.json_files import parsed_object

TASKS = ((5, 1), (5, 5), (20, 1), (20, 5))
"""The four standard tasks of Omniglot: (classes, support images per class)."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns, but for its seed.

    Example:
        >>> recipe = Recipe("maml", 5, 1, train_way=5, train_shot=1, train_query=15, batch_size=8, steps=100)
        >>> recipe.name, recipe.lr
        ('maml-omniglot-5w1s', 0.001)
    """

    method: str
    """Which method, a key of `recipes.METHODS`."""
    n_way: int
    """Classes in a test task."""
    k_shot: int
    """Support images per class in a test task."""
    train_way: int
    """Classes in a training task."""
    train_shot: int
    """Support images per class in a training task."""
    train_query: int
    """Query images per class in a training task."""
    batch_size: int
    """Tasks per training step; images, where the method learns from images without tasks."""
    steps: int
    """Training steps."""
    lr: float = 1e-3
    """Learning rate at its highest; of Adam, for Reptile the ε of its outer step."""
    schedule: str = "halve"
    """How the learning rate goes down: "halve" (three times, evenly spaced), "one-cycle" or "linear" (to zero)."""
    channels: int = 64
    """Channels of each of the four convolutions."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else the method is told, as in its docstring; `n_unlabelled` and `n_labelled` as in `UnlabelledSampler`."""
    split: str = "vinyals"
    """Which classes are base, validation and novel; see `fslbook.omniglot`."""
    validation_too: bool = False
    """Whether it learns from the validation classes as well, "trainval"; there is no validation then."""
    rotate_novel: bool = True
    """Whether the rotations of the validation and novel classes are classes too, as those of the base classes are."""
    test_query: int = 15
    """Query images per class in a test task."""
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
        digest = hashlib.sha256(training_settings(self).encode()).hexdigest()
        return f"{self.method}-{self.train_way}w{self.train_shot}s-{digest[:8]}"


OF_TESTS = {"n_way", "k_shot", "test_query", "test_episodes", "deviations"}
"""The fields that no training depends on."""


def quick(recipe: Recipe) -> Recipe:
    """The same recipe made small enough for two CPU cores and two minutes; its accuracy says nothing.

    Example:
        >>> from fslbook.paper.recipes import recipe_named
        >>> recipe = recipe_named("prototypical-omniglot-5w1s")
        >>> [(one.train_way, one.steps, one.test_episodes) for one in (recipe, quick(recipe))]
        [(60, 6000, 1000), (20, 20, 10)]
    """
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


def settings_of(recipe: Recipe) -> str:
    """The recipe as one line of JSON, which changes whenever a setting does; the words on its deviations are none.

    Example:
        >>> from fslbook.paper.recipes import recipe_named
        >>> settings = json.loads(settings_of(recipe_named("prototypical-omniglot-5w1s")))
        >>> settings["lr"], settings["steps"], "deviations" in settings
        (0.001, 6000, False)
    """
    return json.dumps({name: value for name, value in asdict(recipe).items() if name != "deviations"}, sort_keys=True)


def training_settings(recipe: Recipe) -> str:
    """What `settings_of` says, but for that on which no training depends: the same for recipes of one `training`.

    Args:
        recipe: any recipe.

    Example:
        >>> from fslbook.paper.recipes import recipe_named
        >>> one, other = recipe_named("prototypical-omniglot-5w1s"), recipe_named("prototypical-omniglot-20w1s")
        >>> training_settings(one) == training_settings(other), settings_of(one) == settings_of(other)  # tests differ
        (True, False)
    """
    return json.dumps({name: value for name, value in asdict(recipe).items() if name not in OF_TESTS}, sort_keys=True)


def same_settings(saved: str, recipe: Recipe) -> bool:
    """Whether a line of `settings_of` speaks of this recipe; what is newer than the line counts as its default.

    Args:
        saved: the line.
        recipe: any recipe.

    Raises:
        ValueError: the line is no object in JSON.

    Example:
        >>> from fslbook.paper.recipes import recipe_named
        >>> recipe = recipe_named("prototypical-omniglot-5w1s")
        >>> line = settings_of(recipe)
        >>> same_settings(line, recipe), same_settings(line, replace(recipe, test_episodes=600))
        (True, False)
    """
    return DEFAULTS | parsed_object(saved) == json.loads(settings_of(recipe))


def same_training(saved: str, recipe: Recipe) -> bool:
    """Whether a line of `training_settings` speaks of the training of this recipe; as `same_settings`.

    Args:
        saved: the line.
        recipe: any recipe.

    Raises:
        ValueError: the line is no object in JSON.

    Example:
        >>> from fslbook.paper.recipes import recipe_named
        >>> recipe = recipe_named("prototypical-omniglot-5w1s")
        >>> line = training_settings(recipe)
        >>> same_training(line, replace(recipe, test_episodes=600)), same_training(line, replace(recipe, lr=0.01))
        (True, False)
    """
    defaults = {name: value for name, value in DEFAULTS.items() if name not in OF_TESTS}
    return defaults | parsed_object(saved) == json.loads(training_settings(recipe))


DEFAULTS = {field.name: field.default for field in fields(Recipe) if field.default not in (MISSING, ())}
