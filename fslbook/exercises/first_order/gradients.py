"""Checks of chapter 10's exercises: FOMAML, Reptile, Meta-SGD, ANIL, and how to compare features."""

from __future__ import annotations

from collections.abc import Callable
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
from fslbook.exercises.engine.steps import slopes_of, step

# A step size that falls to zero


def _draw_moment(low: float, high: float) -> Any:
    def draw(generator: Generator) -> tuple[int, int, float]:
        total = int(torch.randint(50, 100, (), generator=generator))
        share = low + (high - low) * float(torch.rand((), generator=generator))
        return int(share * total), total, 0.2 + float(torch.rand((), generator=generator))

    return draw


epsilon_at = Exercise(
    "epsilon_at",
    lambda step, total, first: first * len(range(step, total)) / total,
    {
        "the first step": Case(_draw_moment(0, 0)),
        "somewhere on the way": Case(_draw_moment(0.3, 0.7)),
        "the last step": Case(lambda generator: (80, 81, 0.5)),
    },
    [
        Mistake(lambda i, n, e: e * i / n, "it grows; it must begin large"),
        Mistake(lambda i, n, e: 1 - i / n, "it does not begin at `first`"),
        Mistake(lambda i, n, e: e, "it does not fall"),
        Mistake(lambda i, n, e: e * (1 - i / (n - 1)), "the last step is 0, so that it is wasted"),
        Mistake(lambda i, n, e: e * (1 - (i + 1) / n), "steps are counted from 0: the first one takes `first` itself"),
        Mistake(lambda i, n, e: e * 0.01 ** (i / n), "it falls by a constant factor; wanted is a constant difference"),
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


def _walk(network: nn.Module, x: Tensor, y: Tensor, inner_lr: float, steps: int, loss: LossFunction) -> Weights:
    weights = {name: w.detach() for name, w in network.named_parameters()}
    for _ in range(steps):
        weights = step(network, weights, x, y, inner_lr, loss=loss)
    return weights


def _fomaml(network: nn.Module, *arguments: Any) -> Weights:
    support_x, support_y, query_x, query_y, inner_lr, steps, loss = arguments
    weights = _walk(network, support_x, support_y, inner_lr, steps, loss)
    return slopes_of(network, weights, query_x, query_y, loss)


def _moved(network: nn.Module, *arguments: Any) -> Weights:
    weights = _walk(network, *arguments[:2], *arguments[4:])
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
    ],
)

# Reptile's gradient


def _draw_tasks(n_tasks: int, n_steps: int) -> Any:
    def draw(generator: Generator) -> tuple[Any, ...]:
        data = images_and_labels(generator, n_tasks, 6)
        return small_network(generator), *data, 0.5, n_steps, F.cross_entropy

    return draw


def _ends(network: nn.Module, x: Tensor, y: Tensor, *rest: Any) -> dict[str, Tensor]:
    walks = [_walk(network, *task, *rest) for task in zip(x, y, strict=True)]
    return {name: torch.stack([walk[name] for walk in walks]) for name in walks[0]}


def _reptile(network: nn.Module, *arguments: Any) -> Weights:
    ends = _ends(network, *arguments)
    return {name: (w - ends[name]).mean(dim=0).detach() for name, w in network.named_parameters()}


def _one_long_walk(network: nn.Module, x: Tensor, y: Tensor, *rest: Any) -> Weights:
    own = {name: w.detach() for name, w in network.named_parameters()}
    weights, moved = own, []
    for support in zip(x, y, strict=True):
        for _ in range(rest[1]):
            weights = step(network, weights, *support, rest[0], loss=rest[2])
        moved.append(weights)
    return {name: torch.stack([w - one[name] for one in moved]).mean(dim=0) for name, w in own.items()}


def _scaled(factor: Callable[..., float]) -> Callable[..., Weights]:
    return lambda *z: {name: factor(*z) * g for name, g in _reptile(*z).items()}


reptile_gradient = Exercise(
    "reptile_gradient",
    _reptile,
    {
        "one task, one step": Case(_draw_tasks(1, 1)),
        "one task, three steps": Case(_draw_tasks(1, 3)),
        "four tasks, three steps": Case(_draw_tasks(4, 3)),
    },
    [
        Mistake(
            _scaled(lambda *z: -1), "the sign: an optimiser subtracts what you hand it, and walks away from the tasks"
        ),
        Mistake(_scaled(lambda *z: len(z[1])), "you added the tasks up; take their mean"),
        Mistake(
            _scaled(lambda *z: 1 / z[3]), "you divided by the inner rate; what you hand over is a difference of weights"
        ),
        Mistake(_one_long_walk, "the second task began where the first one had ended; each begins at the start"),
        Mistake(
            lambda network, *z: {name: w.mean(dim=0) for name, w in _ends(network, *z).items()},
            "these are the weights at the end; how far are they from the start?",
        ),
        Mistake(lambda *z: _reptile(*z[:4], 1, z[5]), "you took one inner step, whatever number was asked for"),
    ],
)
