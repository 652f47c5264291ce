"""Baseline: ordinary training on all base classes, then a linear layer per task; Chen et al. 2019."""

from __future__ import annotations

from fslbook.methods.transfer.baseline import Baseline
from fslbook.networks.encoders import Conv4
from fslbook.paper.defaults import pretrained
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> Baseline:
    return Baseline(Conv4(channels=recipe.channels), n_features=recipe.channels, **recipe.options)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    said = ("batches of 64 images, not 16", "the head: 100 full steps of SGD with momentum, not batches of four")
    return [pretrained("baseline", n_way, k_shot, *said, options={"lr": 0.01})]


METHOD = PaperMethod(
    "baseline",
    2019,
    _build,
    _recipes,
    paper=Figures(
        "Chen et al. 2019, on Omniglot", (94.89, 99.12, None, None), (0.45, 0.13, None, None), cite="chen2019"
    ),
    learns_from="images",
)
