"""Siamese networks, Koch et al. 2015; Vinyals et al. were the first to put them in a table of few-shot tasks."""

from __future__ import annotations

from fslbook.methods.metric.siamese import SiameseNetwork
from fslbook.networks.encoders import Conv4
from fslbook.paper.defaults import metric
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> SiameseNetwork:
    return SiameseNetwork(Conv4(channels=recipe.channels), **recipe.options)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    said = "contrastive loss, Conv4 and 28×28 pixels; Koch's network sees 105×105 and learns a weighted L1 distance"
    pairs = {"train_shot": 1, "train_query": 2}  # whatever the task: it learns from pairs
    return [metric("siamese", n_way, k_shot, said, **pairs, options={"margin": 10.0})]


METHOD = PaperMethod(
    "siamese",
    2015,
    _build,
    _recipes,
    paper=Figures(
        "Vinyals et al. 2016, table 1 (their network, fine-tuned)", (97.3, 98.4, 88.2, 97.0), cite="vinyals2016"
    ),
)
