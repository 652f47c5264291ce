"""Prototypes refined by unlabelled images, trained with a tenth of the labels; Ren et al. 2018."""

from __future__ import annotations

from typing import Any

from fslbook.methods.unlabelled.soft_k_means import SoftKMeans
from fslbook.networks.encoders import Conv4
from fslbook.paper.defaults import OURS
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe

TEST_QUERIES = {1: 14, 5: 10}
"""Of the 20 images of a class, those that are neither support nor unlabelled."""


def _build(recipe: Recipe) -> SoftKMeans:
    return SoftKMeans(Conv4(channels=recipe.channels), steps=1, scale=1.0)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    queries = TEST_QUERIES[k_shot]
    said = (
        OURS[0],
        OURS[1].replace("15 queries", f"{queries} queries and 5 unlabelled images"),
        "one split into images with a label and without, not ten",
        "the rate is halved three times in all, and there is no weight decay",
        *["trained on 5-way 1-shot tasks all the same; the paper has no such test"] * ((n_way, k_shot) != (5, 1)),
    )
    sizes: dict[str, Any] = {"train_way": 5, "train_shot": 1, "train_query": 1, "batch_size": 1, "steps": 20_000}
    options = {"n_unlabelled": 5, "n_labelled": 2}
    return [Recipe("soft-k-means", n_way, k_shot, **sizes, options=options, test_query=queries, deviations=said)]


METHOD = PaperMethod(
    "soft-k-means",
    2018,
    _build,
    _recipes,
    paper=Figures(
        "Ren et al. 2018, version under review, 100 minus the error", (97.44, None, None, None), cite="ren2018"
    ),
)
