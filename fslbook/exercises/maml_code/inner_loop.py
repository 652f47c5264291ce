"""Checks of chapter 9's exercises: MAML in code, on networks whose weights are an argument."""

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
    gradients,
    images_and_labels,
    other_weights,
    own_weights,
    small_network,
)
from fslbook.exercises.engine.steps import maml_loss as _maml_loss
from fslbook.exercises.engine.steps import slopes_of, step, through

# Sum or mean


def _draw_sizes(n_way: tuple[int, int], k_shot: tuple[int, int]) -> Any:
    def draw(generator: Generator) -> tuple[float, int, int]:
        sizes = [int(torch.randint(low, high, (), generator=generator)) for low, high in (n_way, k_shot)]
        return 0.05 + float(torch.rand((), generator=generator)), sizes[0], sizes[1]

    return draw


inner_lr_for_the_mean = Exercise(
    "inner_lr_for_the_mean",
    lambda inner_lr, n_way, k_shot: sum([inner_lr / k_shot] * (n_way * k_shot)),
    {"one shot": Case(_draw_sizes((4, 21), (1, 2))), "several shots": Case(_draw_sizes((4, 21), (2, 4)))},
    [
        Mistake(lambda a, n, k: a, "the same rate makes a smaller step here: compare the two gradients"),
        Mistake(lambda a, n, k: a / n, "the ratio of the two gradients is turned round: which of them is larger?"),
        Mistake(lambda a, n, k: a * n * k, "you forgot that the authors divide, too"),
        Mistake(lambda a, n, k: a * k, "look again at what the authors divide by"),
    ],
)

# One inner step


def _draw_step(generator: Generator) -> tuple[nn.Module, Weights, Tensor, Tensor, float]:
    network = small_network(generator)
    return network, other_weights(network, generator), *images_and_labels(generator, 6), 0.7


def _step_by_own_weights(network: nn.Module, weights: Weights, x: Tensor, y: Tensor, inner_lr: float) -> Weights:
    slopes = slopes_of(network, own_weights(network), x, y)
    return {name: w - inner_lr * slopes[name] for name, w in weights.items()}


_CONSTANT = "the new weights are right, but the slopes in them are mere numbers for the outer loop"

inner_step = Exercise(
    "inner_step",
    step,
    {"new weights, and the way back": Case(_draw_step, probe=through)},
    [
        Mistake(lambda *z: step(*z, slope=torch.neg), "you went uphill; look at the sign"),
        Mistake(lambda *z: step(*z, slope=torch.detach), _CONSTANT),
        Mistake(
            lambda *z: {name: w.detach() for name, w in step(*z).items()},
            "the new weights are right, but no path leads back from them to the old ones",
        ),
        Mistake(
            lambda *z: step(*z, loss=partial(F.cross_entropy, reduction="sum")),
            "you added the losses of the images up; take their mean",
        ),
        Mistake(_step_by_own_weights, "the loss was computed with the network's own weights, not with those handed in"),
    ],
)

# The whole loss


def _draw_tasks(n_tasks: int, n_steps: int, classes: bool) -> Any:
    def draw(generator: Generator) -> tuple[Any, ...]:
        data = [*images_and_labels(generator, n_tasks, 4), *images_and_labels(generator, n_tasks, 7)]
        if not classes:
            data[1], data[3] = (torch.randn(n_tasks, m, 3, generator=generator) for m in (4, 7))
        return small_network(generator), *data, 0.6, n_steps, F.cross_entropy if classes else F.mse_loss

    return draw


def _at_the_start(value: Tensor, network: nn.Module, *rest: object) -> dict[str, Any]:
    names, weights = zip(*network.named_parameters(), strict=True)
    found = dict(zip(names, gradients(value, weights), strict=True))
    return {"loss": value, "gradient at the start": found}


def _flawed(flaw: str) -> Callable[..., Tensor]:
    return lambda *arguments: _maml_loss(*arguments, flaw=flaw)


maml_loss = Exercise(
    "maml_loss",
    _maml_loss,
    {
        "one task, one step": Case(_draw_tasks(1, 1, True), probe=_at_the_start),
        "three tasks, two steps": Case(_draw_tasks(3, 2, True), probe=_at_the_start),
        "another loss": Case(_draw_tasks(2, 1, False), probe=_at_the_start),
    },
    [
        Mistake(_flawed("unused"), "the queries were answered with the old weights: nobody uses the adapted ones"),
        Mistake(
            _flawed("constant"), "the loss is right; its gradient leaves out how the inner slopes depend on the start"
        ),
        Mistake(_flawed("copy"), "the loss is right, but no gradient arrives at the network: you adapted a copy"),
        Mistake(_flawed("carries on"), "the second task began where the first one had ended; each begins at the start"),
        Mistake(_flawed("sum"), "you added the tasks up; take their mean"),
        Mistake(_flawed("support"), "the outer loss was computed on the support set"),
        Mistake(_flawed("one step"), "you took one inner step, whatever number was asked for"),
    ],
)

# All tasks at once


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
            _CONSTANT,
        ),
    ],
)
