"""Meta-SGD, Li et al. 2017."""

from __future__ import annotations

from fslbook.methods.optimisation.meta_sgd import MetaSGD
from fslbook.networks.classifiers import conv_classifier
from fslbook.paper.defaults import adapting
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> MetaSGD:
    return MetaSGD(conv_classifier(recipe.n_way, channels=recipe.channels), **recipe.options)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    return [adapting("meta-sgd", n_way, k_shot, options={"test_steps": None})]


METHOD = PaperMethod(
    "meta-sgd",
    2017,
    _build,
    _recipes,
    paper=Figures("Li et al. 2017, table 2", (99.53, 99.93, 95.93, 98.97), (0.26, 0.09, 0.38, 0.19), cite="li2017"),
)
