"""A transformer that learns in context, from pairs of image and label; after Chan et al. 2022."""

from __future__ import annotations

from fslbook.methods.memory.in_context import InContextLearner
from fslbook.networks.encoders import Conv4
from fslbook.paper.defaults import as_tested
from fslbook.paper.method import NONE, Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> InContextLearner:
    encoder = Conv4(channels=recipe.channels)
    return InContextLearner(encoder, recipe.channels, n_labels=recipe.n_way, width=32, n_heads=4, n_layers=2)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    said = (
        "an image and its label are one token, without a position; two layers, not twelve",
        "labels change from task to task; in the paper they stay, and the contexts are bursty",
        "trained on 1-shot tasks; the paper has no such tasks",
    )
    sizes = {"train_shot": 1, "steps": 20_000, "schedule": "one-cycle", "channels": 32}
    return [as_tested("in-context", n_way, k_shot, *said, **sizes)]


METHOD = PaperMethod(
    "in-context",
    2022,
    _build,
    _recipes,
    paper=Figures("Chan et al. 2022 have no such tasks", NONE, cite="chan2022"),
)
