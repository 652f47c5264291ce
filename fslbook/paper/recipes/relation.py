"""Relation Networks, Sung et al. 2018."""

from __future__ import annotations

from fslbook.methods.metric.relation import RelationNetwork
from fslbook.networks.encoders import RelationEncoder
from fslbook.networks.relation import RelationModule
from fslbook.paper.defaults import metric
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> RelationNetwork:
    parts = RelationEncoder(channels=recipe.channels), RelationModule(recipe.channels)
    return RelationNetwork(*parts, shots=recipe.train_shot)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    said = "trained on 20-way tasks for 20,000 steps of 4 instead of 1,000,000 episodes, without gradient clipping"
    return [metric("relation", n_way, k_shot, said, train_way=20, steps=20000)]


METHOD = PaperMethod(
    "relation",
    2018,
    _build,
    _recipes,
    paper=Figures("Sung et al. 2018, table 1", (99.6, 99.8, 97.6, 99.1), (0.2, 0.1, 0.2, 0.1), cite="sung2018"),
    others=Figures("PaddleFSL, its README", (98.02, 99.25, None, None), (0.09, 0.05, None, None)),
)
