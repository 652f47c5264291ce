"""MAML, Finn et al. 2017."""

from __future__ import annotations

from fslbook.methods.optimisation.maml import MAML
from fslbook.networks.classifiers import conv_classifier
from fslbook.paper.defaults import adapting
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> MAML:
    return MAML(conv_classifier(recipe.n_way, channels=recipe.channels), **recipe.options)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    return [adapting("maml", n_way, k_shot)]


METHOD = PaperMethod(
    "maml",
    2017,
    _build,
    _recipes,
    paper=Figures("Finn et al. 2017, table 1", (98.7, 99.9, 95.8, 98.9), (0.4, 0.1, 0.3, 0.2), cite="finn2017"),
    others=Figures("Raghu et al. 2020", (None, None, 93.7, 96.4), (None, None, 0.7, 0.1), cite="raghu2020"),
)
