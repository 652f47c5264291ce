"""What paper/recipes/ holds on a method: how it is built and trained, and what the papers report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from fslbook.paper.recipe import TASKS, Recipe

NONE = (None, None, None, None)


@dataclass(frozen=True)
class Figures:
    """A row of a paper's table, in percent: 5-way 1-shot, 5-way 5-shot, 20-way 1-shot, 20-way 5-shot.

    Args:
        source: paper and table in words.
        accuracy: four figures; None where the paper has none.
        ci95: half widths of their 95 % intervals; None where the paper has none.
        cite: key of the paper in book/references.bib; None for what is no paper.

    Raises:
        ValueError: there are not four figures, or one is no percentage.

    Example:
        >>> Figures("Snell et al. 2017, table 1", (98.8, 99.7, 96.0, 98.9), cite="snell2017").accuracy[2]
        96.0
    """

    source: str
    accuracy: tuple[float | None, ...]
    ci95: tuple[float | None, ...] = NONE
    cite: str | None = None

    def __post_init__(self) -> None:
        for name, values in (("accuracy", self.accuracy), ("ci95", self.ci95)):
            if len(values) != len(TASKS):
                raise ValueError(f"{name} of {self.source!r} needs {len(TASKS)} figures, one a task; got {len(values)}")
            if wrong := [value for value in values if value is not None and not 0 <= value <= 100]:
                raise ValueError(f"{name} of {self.source!r} is in percent, 0 to 100; got {wrong[0]}")


@dataclass(frozen=True)
class PaperMethod:
    """A method at paper scale. Each file of paper/recipes/ makes one, under the name METHOD.

    Args:
        name: as in the names of its recipes, for instance "meta-sgd" in paper/recipes/meta_sgd.py.
        year: when it was published; lists begin with the oldest.
        build: makes the untrained method of a recipe; its weights come from torch's generator.
        recipes: its recipes for a task of n_way classes and k_shot images per class.
        paper: what its authors report, or those who first put it in a table.
        others: what others than the authors got.
        outer: what takes the training steps; "sgd" is plain, without momentum.
        learns_from: what a training step draws: tasks; sequences of as many images a class as support and query
            together; labelled images without tasks; or, without any label, two views of each image, or tasks in which
            each image is a class.

    Example:
        >>> from fslbook.paper.recipes import METHODS
        >>> maml = METHODS["maml"]
        >>> maml.year, maml.outer, maml.paper.accuracy
        (2017, 'adam', (98.7, 99.9, 95.8, 98.9))
        >>> [recipe.name for recipe in maml.recipes(20, 1)]
        ['maml-omniglot-20w1s']
    """

    name: str
    year: int
    build: Callable[[Recipe], nn.Module]
    recipes: Callable[[int, int], Sequence[Recipe]]
    paper: Figures
    others: Figures | None = None
    outer: Literal["adam", "sgd"] = "adam"
    learns_from: Literal["episodes", "sequences", "images", "views", "made-up tasks"] = "episodes"
