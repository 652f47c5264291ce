"""A check of chapter 9's exercises: the inner step of all tasks at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import vmap
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import (
    Weights,
    batch_norm_network,
    images_and_labels,
    other_weights,
    own_weights,
    small_network,
)
from fslbook.exercises.engine.steps import slopes_of, step, through


def _draw_batch(generator: Generator) -> tuple[nn.Module, Weights, Tensor, Tensor, float]:
    network = small_network(generator)
    return network, other_weights(network, generator, 3), *images_and_labels(generator, 3, 5), 0.7


def _draw_images(generator: Generator) -> tuple[nn.Module, Weights, Tensor, Tensor, float]:
    network = batch_norm_network(generator)
    x, y = torch.rand(3, 5, 1, 4, 4, generator=generator), torch.randint(4, (3, 5), generator=generator)
    return network, other_weights(network, generator, 3), x, y, 0.7


def _vmap_of_grad(network: nn.Module, weights: Weights, x: Tensor, y: Tensor, inner_lr: float) -> Weights:
    return vmap(lambda w, x, y: step(network, w, x, y, inner_lr))(weights, x, y)


def _each(weights: Weights, task: int) -> Weights:
    return {name: w[task] for name, w in weights.items()}


def _steps_by_loop(network: nn.Module, weights: Weights, x: Tensor, y: Tensor, inner_lr: float) -> Weights:
    new = [step(network, _each(weights, task), x[task], y[task], inner_lr) for task in range(len(x))]
    return {name: torch.stack([one[name] for one in new]) for name in weights}


def _same_step(network: nn.Module, weights: Weights, x: Tensor, y: Tensor, inner_lr: float) -> Weights:
    new = _steps_by_loop(network, weights, x, y, inner_lr)
    return {name: w + (new[name] - w).sum(dim=0) for name, w in weights.items()}


def _for_all(one: Callable[..., Weights]) -> Callable[..., Weights]:
    """A wrong step, in each task."""

    def version(network: nn.Module, weights: Weights, x: Tensor, y: Tensor, inner_lr: float) -> Weights:
        new = [one(network, _each(weights, task), x[task], y[task], inner_lr) for task in range(len(x))]
        return {name: torch.stack([task[name] for task in new]) for name in weights}

    return version


def _first_task(network: nn.Module, weights: Weights, *rest: Any) -> Weights:
    new = _steps_by_loop(network, weights, *rest)
    return {name: torch.cat([new[name][:1], w[1:]]) for name, w in weights.items()}


def _mean_step(network: nn.Module, weights: Weights, *rest: Any) -> Weights:
    new = _steps_by_loop(network, weights, *rest)
    return {name: w + (new[name] - w).mean(dim=0) for name, w in weights.items()}


def _by_own_weights(network: nn.Module, weights: Weights, x: Tensor, y: Tensor, inner_lr: float) -> Weights:
    slopes = slopes_of(network, own_weights(network), x, y)
    return {name: w - inner_lr * slopes[name] for name, w in weights.items()}


inner_step_for_all = Exercise(
    "inner_step_for_all",
    _steps_by_loop,
    {
        "three tasks, and the way back": Case(_draw_batch, probe=through),
        "a network with batch normalisation": Case(_draw_images, probe=through),
    },
    [
        Mistake(
            lambda n, w, x, y, a: _steps_by_loop(n, w, x, y, a / len(x)),
            "every task's step is too small, by the number of tasks: what did you average over?",
        ),
        Mistake(
            _vmap_of_grad,
            "the new weights are right, but through batch norm vmap(grad(...)) gives a wrong second derivative",
        ),
        Mistake(_same_step, "all tasks took the same step; each has a slope of its own"),
        Mistake(lambda n, w, x, y, a: _steps_by_loop(n, w, x, y, -a), "you went uphill; look at the sign"),
        Mistake(
            lambda n, w, x, y, a: {
                name: w[name] + (new - w[name]).detach() for name, new in _steps_by_loop(n, w, x, y, a).items()
            },
            "the new weights are right, but the slopes in them are mere numbers for the outer loop",
        ),
        Mistake(_mean_step, "all tasks took the mean step; each has a slope of its own"),
        Mistake(_first_task, "the first task alone took its step"),
        Mistake(
            _for_all(lambda *z: step(*z, loss=partial(F.cross_entropy, reduction="sum"))),
            "you added the losses of the images up; take their mean",
        ),
        Mistake(
            _for_all(lambda *z: {name: w.detach() for name, w in step(*z).items()}),
            "the new weights are right, but no path leads back from them to the old ones",
        ),
        Mistake(_for_all(lambda n, w, x, y, a: step(n, w, x, y, 1.0)), "inner_lr has no influence"),
        Mistake(
            _for_all(lambda n, w, x, y, a: slopes_of(n, w, x, y)), "these are the slopes; asked are the new weights"
        ),
        Mistake(
            _for_all(_by_own_weights),
            "the losses were computed with the network's own weights, not those handed in",
        ),
    ],
)
