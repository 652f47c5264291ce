"""A check of chapter 9's exercises: the whole loss of MAML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import (
    gradients,
    images_and_labels,
    small_network,
)
from fslbook.exercises.engine.steps import maml_loss as _maml_loss


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
        Mistake(
            lambda *z: _maml_loss(*z) + _maml_loss(*z, flaw="support"),
            "the support loss was added in the end; the queries alone judge",
        ),
        Mistake(_flawed("one step"), "you took one inner step, whatever number was asked for"),
        Mistake(_flawed("last only"), "every step but the last was cut off: create_graph=True belongs to each of them"),
        Mistake(
            lambda n, a, b, c, d, lr, k, loss: _maml_loss(n, a, b, c, d, lr, k + 1, loss), "you took one step too many"
        ),
        Mistake(lambda n, a, b, c, d, *z: _maml_loss(n, c, d, c, d, *z), "you adapted to the queries themselves"),
        Mistake(lambda n, a, b, c, d, *z: _maml_loss(n, c, d, a, b, *z), "support and queries have changed places"),
        Mistake(
            lambda n, a, b, c, d, *z: _maml_loss(n, a[-1:], b[-1:], c[-1:], d[-1:], *z), "this is the last task alone"
        ),
        Mistake(
            lambda n, a, b, c, d, lr, k, loss: _maml_loss(n, a, b, c, d, -lr, k, loss),
            "you went uphill; look at the sign",
        ),
    ],
)
