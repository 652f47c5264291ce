"""ANIL, almost no inner loop: Raghu et al. 2020."""

from __future__ import annotations

from fslbook.methods.optimisation.maml import MAML
from fslbook.networks.classifiers import conv_classifier
from fslbook.paper.defaults import adapting
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> MAML:
    network = conv_classifier(recipe.n_way, channels=recipe.channels)
    return MAML(network, **recipe.options, adapted=("head",))


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    return [adapting("anil", n_way, k_shot)]


METHOD = PaperMethod(
    "anil",
    2020,
    _build,
    _recipes,
    paper=Figures("Raghu et al. 2020, table 4", (None, None, 96.2, 98.0), (None, None, 0.5, 0.3), cite="raghu2020"),
)
