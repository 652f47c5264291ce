"""Checks of chapter 10's exercises: FOMAML, Reptile, Meta-SGD, ANIL, and how to compare features."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, grad
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import (
    LossFunction,
    Weights,
    images_and_labels,
    own_weights,
    small_network,
)
from fslbook.exercises.engine.steps import slopes_of, step, walk

# A step size that falls to zero


def _draw_moment(low: float, high: float) -> Any:
    def draw(generator: Generator) -> tuple[int, int, float]:
        total = int(torch.randint(50, 100, (), generator=generator))
        share = low + (high - low) * float(torch.rand((), generator=generator))
        return int(share * total), total, 0.2 + 0.7 * float(torch.rand((), generator=generator))  # never 1

    return draw


epsilon_at = Exercise(
    "epsilon_at",
    lambda step, total, first: first * len(range(step, total)) / total,
    {
        "the first step": Case(_draw_moment(0, 0)),
        "somewhere on the way": Case(_draw_moment(0.2, 0.4)),  # before the middle, where a cosine is a straight line
        "the last step": Case(lambda generator: (80, 81, 0.5)),
    },
    [
        Mistake(lambda i, n, e: e * i / n, "it grows; it must begin large"),
        Mistake(lambda i, n, e: 1 - i / n, "it does not begin at `first`"),
        Mistake(lambda i, n, e: e, "it does not fall"),
        Mistake(lambda i, n, e: e * (1 - i / (n - 1)), "the last step is 0, so that it is wasted"),
        Mistake(lambda i, n, e: e * (1 - (i + 1) / n), "steps are counted from 0: the first one takes `first` itself"),
        Mistake(lambda i, n, e: e * 0.01 ** (i / n), "it falls by a constant factor; wanted is a constant difference"),
        Mistake(lambda i, n, e: e - i / n, "you subtracted a share of 1, not of `first`: it can fall below zero"),
        Mistake(
            lambda i, n, e: e * (1 + math.cos(math.pi * i / n)) / 2, "it falls like a cosine; wanted is a straight line"
        ),
        Mistake(
            lambda i, n, e: e / (i + 1), "it falls like one over the number of the step; wanted is a straight line"
        ),
        Mistake(lambda i, n, e: e * (1 - i / n / 2), "it ends at half of `first`; it must go on towards 0"),
        Mistake(lambda i, n, e: e * (n - i), "the division is missing: of `total` steps, which share is left?"),
        Mistake(
            lambda i, n, e: e * (1 - i),
            "you subtracted the number of the step, not its share of `total`: after one step nothing is left",
        ),
        Mistake(lambda i, n, e: e - i, "you subtracted the number of the step; it must be the step's share of `first`"),
        Mistake(lambda i, n, e: e * (1 - i / n) ** 2, "it falls like a parabola; wanted is a straight line"),
    ],
)

# The gradient where the walk ends


def _draw_task(n_steps: int, loss: LossFunction) -> Any:
    def draw(generator: Generator) -> tuple[Any, ...]:
        data = [*images_and_labels(generator, 4), *images_and_labels(generator, 7)]
        if loss is F.mse_loss:
            data[1], data[3] = (torch.randn(m, 3, generator=generator) for m in (4, 7))
        return small_network(generator), *data, 0.8, n_steps, loss

    return draw


def _fomaml(network: nn.Module, *arguments: Any) -> Weights:
    support_x, support_y, query_x, query_y, inner_lr, steps, loss = arguments
    weights = walk(network, support_x, support_y, inner_lr, steps, loss)
    return slopes_of(network, weights, query_x, query_y, loss)


def _moved(network: nn.Module, *arguments: Any) -> Weights:
    weights = walk(network, *arguments[:2], *arguments[4:])
    return {name: w.detach() - weights[name] for name, w in network.named_parameters()}


def _full(network: nn.Module, *arguments: Any) -> Weights:
    support_x, support_y, query_x, query_y, inner_lr, steps, loss = arguments

    def outer(weights: Weights) -> Tensor:
        for _ in range(steps):
            weights = step(network, weights, support_x, support_y, inner_lr, loss=loss)
        value: Tensor = loss(functional_call(network, weights, (query_x,)), query_y)
        return value

    return grad(outer)(own_weights(network))


fomaml_gradient = Exercise(
    "fomaml_gradient",
    _fomaml,
    {
        "one step": Case(_draw_task(1, F.cross_entropy)),
        "three steps": Case(_draw_task(3, F.cross_entropy)),
        "another loss": Case(_draw_task(1, F.mse_loss)),
    },
    [
        Mistake(_full, "this is the full meta-gradient, second derivatives and all"),
        Mistake(lambda *z: _fomaml(*z[:6], 0, z[7]), "you took the gradient where the walk begins, not where it ends"),
        Mistake(lambda n, a, b, c, d, *z: _fomaml(n, a, b, a, b, *z), "you took the gradient of the support loss"),
        Mistake(lambda *z: _fomaml(*z[:6], 1, z[7]), "you took one inner step, whatever number was asked for"),
        Mistake(_moved, "this is how far the weights have moved, which is Reptile's direction"),
        Mistake(lambda *z: _fomaml(*z[:6], z[6] + 1, z[7]), "you took one step too many"),
        Mistake(lambda *z: _fomaml(*z[:5], -z[5], *z[6:]), "you went uphill; look at the sign of the inner step"),
        Mistake(lambda n, a, b, c, d, *z: _fomaml(n, c, d, c, d, *z), "you adapted to the queries themselves"),
        Mistake(lambda n, a, b, c, d, *z: _fomaml(n, c, d, a, b, *z), "support and queries have changed places"),
        Mistake(
            lambda n, a, b, c, d, *z: walk(n, a, b, *z),
            "these are weights, where the walk ends; asked is a gradient there",
        ),
        Mistake(lambda *z: _fomaml(*z[:5], 1.0, *z[6:]), "inner_lr has no influence"),
        Mistake(lambda *z: {name: -g for name, g in _fomaml(*z).items()}, "the sign is turned round"),
    ],
)
