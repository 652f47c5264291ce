"""Matching Networks, Vinyals et al. 2016."""

from __future__ import annotations

from fslbook.methods.metric.matching import MatchingNetwork
from fslbook.networks.encoders import Conv4
from fslbook.paper.defaults import metric, trainval
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> MatchingNetwork:
    return MatchingNetwork(Conv4(channels=recipe.channels), **recipe.options)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    said = "without full context embeddings, cosines times 20, trained on 60-way tasks"
    recipe = metric("matching", n_way, k_shot, said, options={"scale": 20.0})
    return [recipe, trainval(recipe)]


METHOD = PaperMethod(
    "matching",
    2016,
    _build,
    _recipes,
    paper=Figures("Vinyals et al. 2016, table 1 (without fine-tuning)", (98.1, 98.9, 93.8, 98.5), cite="vinyals2016"),
    others=Figures("Knagg, few-shot on GitHub, its README, cosines as they are", (92.0, 93.2, 75.6, 77.8)),
)
