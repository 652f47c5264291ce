"""A memory beside an LSTM, trained on sequences; Santoro et al. 2016."""

from __future__ import annotations

from typing import Any

from fslbook.methods.memory.sequence_learner import SequenceLearner
from fslbook.networks.encoders import Conv4
from fslbook.networks.readers import MemoryReader
from fslbook.paper.defaults import OURS
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe

N_EACH = {5: 10, 20: 6}
"""Images of each class in a training sequence, by the number of classes."""


def _build(recipe: Recipe) -> SequenceLearner:
    reader = MemoryReader(recipe.channels + recipe.n_way, n_hidden=64, n_rows=128, width=20, n_heads=4)
    return SequenceLearner(Conv4(channels=recipe.channels), reader, n_labels=recipe.n_way)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    said = (
        *OURS,
        "reads features of four convolutions that are trained with it, not pixels",
        "an LSTM of 64 units, not 200, and rows of 20 numbers, not 40, so that the weights stay small",
        "the cosines are multiplied by 10 before the softmax",
        "the paper has accuracies by how often a class was seen; its 2nd and 5th time stand beside 1 and 5 shots",
    )
    sizes: dict[str, Any] = {"train_way": n_way, "train_shot": 1, "train_query": N_EACH[n_way] - 1}
    sizes |= {"batch_size": 16, "steps": 20_000, "channels": 32}
    return [Recipe("mann", n_way, k_shot, **sizes, deviations=said)]


METHOD = PaperMethod(
    "mann",
    2016,
    _build,
    _recipes,
    paper=Figures("Santoro et al. 2016, table 1, 2nd and 5th instance", (82.8, 94.9, None, None), cite="santoro2016"),
    others=Figures("Le et al. 2020, 2nd and 5th instance", (82.3, 92.3, None, None), cite="le2020"),
    learns_from="sequences",
)
