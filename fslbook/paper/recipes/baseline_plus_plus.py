"""Baseline++: as Baseline, with scaled cosines in both stages; Chen et al. 2019."""

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
    return [pretrained("baseline-plus-plus", n_way, k_shot, *said, options={"cosine": True, "lr": 1.0})]


METHOD = PaperMethod(
    "baseline-plus-plus",
    2019,
    _build,
    _recipes,
    paper=Figures(
        "Chen et al. 2019, on Omniglot", (95.41, 99.38, None, None), (0.39, 0.10, None, None), cite="chen2019"
    ),
    learns_from="images",
)
