"""Meta Networks, fast weights from loss gradients; Munkhdalai and Yu 2017."""

from __future__ import annotations

from fslbook.methods.memory.meta_networks import MetaNetwork
from fslbook.networks.encoders import Conv4
from fslbook.paper.defaults import as_tested
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> MetaNetwork:
    return MetaNetwork(Conv4(channels=recipe.channels), n_features=recipe.channels, n_way=recipe.n_way)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    said = (
        "both networks work on the features of four convolutions, which have slow weights alone",
        "the messages of a task are averaged, not read by an LSTM",
        "trained on 1-shot tasks; settings are ours: the paper names few",
    )
    sizes = {"train_shot": 1, "batch_size": 16 if n_way == 5 else 4, "channels": 32}
    return [as_tested("meta-networks", n_way, k_shot, *said, **sizes)]


METHOD = PaperMethod(
    "meta-networks",
    2017,
    _build,
    _recipes,
    paper=Figures("Munkhdalai and Yu 2017, on Omniglot", (98.95, None, 97.0, None), cite="munkhdalai2017"),
)
