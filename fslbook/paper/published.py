"""What papers and others report on the task of a recipe."""

from __future__ import annotations

from dataclasses import dataclass

from fslbook.paper.method import Figures
from fslbook.paper.recipe import TASKS, Recipe
from fslbook.paper.recipes import METHODS


@dataclass(frozen=True)
class Published:
    """One figure of a paper.

    Args:
        accuracy: in percent.
        ci95: half width of its 95 % interval in percent, or None where the paper has none.
        source: where it stands.

    Example:
        >>> from fslbook.paper.recipes import recipe_named
        >>> published(recipe_named("maml-omniglot-5w1s"))
        Published(accuracy=98.7, ci95=0.4, source='Finn et al. 2017, table 1')
    """

    accuracy: float
    ci95: float | None
    source: str


def published(recipe: Recipe) -> Published | None:
    """The paper's figure for this recipe's task, or None where it has none.

    Example:
        >>> from fslbook.paper.recipes import recipe_named
        >>> published(recipe_named("prototypical-omniglot-20w1s")).accuracy
        96.0
    """
    return _figure(METHODS[recipe.method].paper, recipe)


def reproduced(recipe: Recipe) -> Published | None:
    """What others than the authors got on this recipe's task, or None.

    Example:
        >>> from fslbook.paper.recipes import recipe_named
        >>> reproduced(recipe_named("maml-omniglot-20w1s")).source
        'Raghu et al. 2020'
    """
    return _figure(METHODS[recipe.method].others, recipe)


def _figure(figures: Figures | None, recipe: Recipe) -> Published | None:
    column = TASKS.index((recipe.n_way, recipe.k_shot))
    if figures is None or (accuracy := figures.accuracy[column]) is None:
        return None
    return Published(accuracy, figures.ci95[column], figures.source)
