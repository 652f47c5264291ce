"""Checks of chapter 10's exercises: Meta-SGD, ANIL, and how alike features are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import grad

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import (
    CurveLoss,
    Weights,
    images_and_labels,
    other_weights,
    small_network,
)
from fslbook.exercises.engine.steps import step, through

# What Meta-SGD's rates are told


def _draw_rates(generator: Generator) -> tuple[nn.Module, nn.Module, Tensor, Tensor]:
    theta, rates = torch.randn(10, generator=generator), 0.3 * torch.randn(10, generator=generator)
    return CurveLoss(generator), CurveLoss(generator), theta, rates


def _rate_gradient(support: nn.Module, query: nn.Module, theta: Tensor, rates: Tensor) -> Tensor:
    slope = grad(support)(theta)
    return grad(lambda r: query(theta - r * slope))(rates)


def _slopes(support: nn.Module, query: nn.Module, theta: Tensor, rates: Tensor) -> tuple[Tensor, Tensor]:
    slope = grad(support)(theta)
    return slope, grad(query)(theta - rates * slope)


rate_gradient = Exercise(
    "rate_gradient",
    _rate_gradient,
    {"ten weights, ten rates": Case(_draw_rates)},
    [
        Mistake(
            lambda *z: -_rate_gradient(*z), "the sign: would a longer step have made the query loss smaller or larger?"
        ),
        Mistake(lambda s, q, w, r: -grad(s)(w) * grad(q)(w), "the query loss is that of the adapted weights"),
        Mistake(lambda *z: _slopes(*z)[1], "this is what the weights are told; the rates act on them through the step"),
        Mistake(
            lambda *z: -(_slopes(*z)[0] @ _slopes(*z)[1]), "one number for all: every weight has a rate of its own"
        ),
        Mistake(lambda s, q, w, r: _rate_gradient(q, s, w, r), "support and query changed places"),
        Mistake(
            lambda s, q, w, r: _rate_gradient(s, q, w, r.abs()),
            "you made the rates positive; they may well be negative",
        ),
    ],
)

# Almost no inner loop


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
            lambda n, w, x, y, a: step(n, w, x, y, a, slope=torch.detach) | {k: w[k] for k in w if k[:4] == "body"},
            "the new weights are right, but the slopes in them are mere numbers for the outer loop",
        ),
    ],
)

# Linear CKA


def _draw_features(n: int, d1: int, d2: int, shared: float = 0.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        a, b = torch.randn(n, d1, generator=generator), torch.randn(n, d2, generator=generator)
        return a + 2, b + shared * a @ torch.randn(d1, d2, generator=generator) - 1

    return draw


def _rotated(generator: Generator) -> tuple[Tensor, Tensor]:
    a = torch.randn(12, 4, generator=generator) + 2
    return a, 3 * a @ torch.linalg.qr(torch.randn(4, 4, generator=generator)).Q + 1


def _cka(a: Tensor, b: Tensor, centred: bool = True) -> Tensor:
    """By way of the products between images, [M, M]."""
    kernels = [(x - x.mean(dim=0) if centred else x) for x in (a.double(), b.double())]
    kernels = [x @ x.T for x in kernels]
    cross = (kernels[0] * kernels[1]).sum()
    return (cross / (kernels[0].square().sum() * kernels[1].square().sum()).sqrt()).to(a)


linear_cka = Exercise(
    "linear_cka",
    _cka,
    {
        "features that share something": Case(_draw_features(20, 4, 6, shared=1.0)),
        "features that share nothing": Case(_draw_features(20, 4, 6)),
        "a rotated and rescaled copy": Case(_rotated),
        "more features than images": Case(_draw_features(5, 30, 40)),
    },
    [
        Mistake(lambda a, b: _cka(a, b, centred=False), "you did not take the mean of each feature away first"),
        Mistake(
            lambda a, b: _cka(a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True), centred=False),
            "you took away the mean over the features of an image; take that over the images",
        ),
        Mistake(lambda a, b: _cka(a, b).sqrt(), "a square is missing somewhere"),
        Mistake(lambda a, b: _cka(a, b) ** 2, "there is one square too many"),
        Mistake(lambda a, b: 1 - _cka(a, b), "this is a distance: 0 where the two agree"),
    ],
)
