"""UMTRA: MAML on tasks in which each unlabelled image is a class; Khodadadeh et al. 2019."""

from __future__ import annotations

from fslbook.methods.optimisation.maml import MAML
from fslbook.networks.classifiers import conv_classifier
from fslbook.paper.defaults import adapting
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> MAML:
    return MAML(conv_classifier(recipe.n_way, channels=recipe.channels), **recipe.options)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    said = (
        "queries are turned, scaled, moved and slanted a little; the authors leave out pixels and move by up to 6",
        "inner steps and rate as for MAML, not five steps of 0.01",
    )
    sizes = {"train_shot": 1, "train_query": 1, "steps": 4000}
    return [adapting("umtra", n_way, k_shot, *said, **sizes)]


METHOD = PaperMethod(
    "umtra",
    2019,
    _build,
    _recipes,
    paper=Figures("Khodadadeh et al. 2019, on Omniglot", (83.80, 95.43, 74.25, 92.12), cite="khodadadeh2019"),
    learns_from="made-up tasks",
)
