"""Prototypical Networks, Snell et al. 2017."""

from __future__ import annotations

from fslbook.methods.metric.prototypical import PrototypicalNetwork
from fslbook.networks.encoders import Conv4
from fslbook.paper.defaults import metric, trainval
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> PrototypicalNetwork:
    return PrototypicalNetwork(Conv4(channels=recipe.channels), **recipe.options)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    recipe = metric("prototypical", n_way, k_shot, "the rate is halved three times in all, not every 2,000 episodes")
    return [recipe, trainval(recipe)]


METHOD = PaperMethod(
    "prototypical",
    2017,
    _build,
    _recipes,
    paper=Figures("Snell et al. 2017, table 1", (98.8, 99.7, 96.0, 98.9), cite="snell2017"),
    others=Figures(
        "Bronskill et al. 2020, with the authors' code",
        (98.5, 99.6, 94.5, 98.6),
        (0.2, 0.1, 0.2, 0.1),
        cite="bronskill2020",
    ),
)
