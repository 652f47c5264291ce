"""SimCLR and the nearest class mean of its features; Chen, Kornblith et al. 2020 have no figure on Omniglot."""

from __future__ import annotations

from typing import Any

from fslbook.methods.unlabelled.simclr import SimCLRNearestMean
from fslbook.networks.encoders import Conv4
from fslbook.paper.defaults import OURS
from fslbook.paper.method import NONE, Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> SimCLRNearestMean:
    return SimCLRNearestMean(Conv4(channels=recipe.channels), n_features=recipe.channels, **recipe.options)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    said = (*OURS, "the paper has photographs and a ResNet; views here are turned, scaled, moved and slanted a little")
    sizes: dict[str, Any] = {"train_way": 5, "train_shot": 1, "train_query": 15, "batch_size": 256, "steps": 6000}
    options = {"temperature": 0.1}
    return [Recipe("simclr", n_way, k_shot, **sizes, lr=3e-3, schedule="one-cycle", options=options, deviations=said)]


METHOD = PaperMethod(
    "simclr",
    2020,
    _build,
    _recipes,
    paper=Figures("Chen, Kornblith et al. 2020, without a figure on Omniglot", NONE, cite="chen2020simclr"),
    learns_from="views",
)
