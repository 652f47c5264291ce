"""A check of chapter 10's exercises: almost no inner loop."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import (
    Weights,
    images_and_labels,
    other_weights,
    small_network,
)
from fslbook.exercises.engine.steps import step, through


def _draw_anil(generator: Generator) -> tuple[nn.Module, Weights, Tensor, Tensor, float]:
    network = small_network(generator)
    return network, other_weights(network, generator), *images_and_labels(generator, 6), 0.7


def _draw_odd_names(generator: Generator) -> tuple[nn.Module, Weights, Tensor, Tensor, float]:
    """The head comes first in the dictionary, and other names resemble it."""
    sizes = {"header": 3, "body": 4, "overhead": 4}
    layers = {name: nn.utils.skip_init(nn.Linear, size, 4) for name, size in sizes.items()}
    head = nn.utils.skip_init(nn.Linear, 4, 3)
    network = nn.Sequential(OrderedDict(**layers, tanh=nn.Tanh(), head=head))
    weights = other_weights(network, generator)
    for weight in network.parameters():
        weight.data = torch.randn(weight.shape, generator=generator) / 2
    names = sorted(weights, key=lambda name: not name.startswith("head."))
    return network, {name: weights[name] for name in names}, *images_and_labels(generator, 6), 0.7


def _partly(moves: Callable[[str], bool], rest: Callable[[Tensor], Tensor] = lambda w: w) -> Callable[..., Weights]:
    def version(network: nn.Module, weights: Weights, x: Tensor, y: Tensor, inner_lr: float) -> Weights:
        new = step(network, weights, x, y, inner_lr)
        return {name: new[name] if moves(name) else rest(w) for name, w in weights.items()}

    return version


_anil = _partly(lambda name: name.startswith("head."))


def _last_two(network: nn.Module, weights: Weights, x: Tensor, y: Tensor, inner_lr: float) -> Weights:
    last = [*weights][-2:]
    return _partly(lambda name: name in last)(network, weights, x, y, inner_lr)


anil_step = Exercise(
    "anil_step",
    _anil,
    {
        "new weights, and the way back": Case(_draw_anil, probe=through),
        "other names that resemble it, and another order": Case(_draw_odd_names, probe=through),
    },
    [
        Mistake(_partly(lambda name: True), "everything moved; this is MAML's step"),
        Mistake(_partly(lambda name: name.startswith("body.")), "the body moved and the head stayed"),
        Mistake(
            _partly(lambda name: "head" in name),
            "a layer of the body whose name only contains “head” moved as well; the names begin with `head.`",
        ),
        Mistake(
            _partly(lambda name: name.startswith("head")),
            "a layer of the body whose name only begins like “head” moved as well; mind the dot in `head.`",
        ),
        Mistake(_last_two, "you took the last two entries; which weights are the head's, their names say"),
        Mistake(_partly(lambda name: name == "head.weight"), "a layer has a bias, too"),
        Mistake(
            _partly(lambda name: name.startswith("head."), torch.detach),
            "the body stays, as it must in the inner loop; but now the outer loop cannot train it as it should",
        ),
        Mistake(
            lambda n, w, *z: w | {k: v for k, v in step(n, w, *z, slope=torch.detach).items() if k.startswith("head.")},
            "the new weights are right, but the slopes in them are mere numbers for the outer loop",
        ),
        Mistake(lambda n, w, x, y, a: _anil(n, w, x, y, -a), "you went uphill; look at the sign"),
        Mistake(lambda n, w, x, y, a: _anil(n, w, x, y, 1.0), "inner_lr has no influence"),
        Mistake(
            lambda n, w, *z: {k: v.detach() if k.startswith("head.") else v for k, v in _anil(n, w, *z).items()},
            "the new weights are right, but no path leads back from the new head to the old one",
        ),
        Mistake(
            lambda n, w, x, y, a: _anil(n, w, x, y, a * len(x)),
            "you added the losses of the images up; take their mean",
        ),
        Mistake(_partly(lambda name: False), "nothing has moved"),
        Mistake(_partly(lambda name: name == "head.bias"), "only the bias moved"),
    ],
)
