"""A check of chapter 10's exercises: Reptile's gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import (
    Weights,
    images_and_labels,
    small_network,
)
from fslbook.exercises.engine.steps import step, walk


def _draw_tasks(n_tasks: int, n_steps: int) -> Any:
    def draw(generator: Generator) -> tuple[Any, ...]:
        data = images_and_labels(generator, n_tasks, 6)
        return small_network(generator), *data, 0.5, n_steps, F.cross_entropy

    return draw


def _ends(network: nn.Module, x: Tensor, y: Tensor, *rest: Any) -> dict[str, Tensor]:
    walks = [walk(network, *task, *rest) for task in zip(x, y, strict=True)]
    return {name: torch.stack([walk[name] for walk in walks]) for name in walks[0]}


def _reptile(network: nn.Module, *arguments: Any) -> Weights:
    ends = _ends(network, *arguments)
    return {name: (w - ends[name]).mean(dim=0).detach() for name, w in network.named_parameters()}


def _one_long_walk(of: Callable[[Tensor], Tensor]) -> Callable[..., Weights]:
    """How far from the start the tasks leave the weights, [B, ...], each of which begins where the last one ended."""

    def version(network: nn.Module, x: Tensor, y: Tensor, *rest: Any) -> Weights:
        own = {name: w.detach() for name, w in network.named_parameters()}
        weights, moved = own, []
        for support in zip(x, y, strict=True):
            for _ in range(rest[1]):
                weights = step(network, weights, *support, rest[0], loss=rest[2])
            moved.append(weights)
        return {name: of(torch.stack([w - one[name] for one in moved])) for name, w in own.items()}

    return version


_ONE_WALK = "this is one walk through all tasks; each task has a walk of its own, from the start"


def _pooled(network: nn.Module, x: Tensor, y: Tensor, *rest: Any) -> Weights:
    """The images of all tasks as one task."""
    return _reptile(network, x.flatten(0, 1)[None], y.flatten(0, 1)[None], *rest)


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
        Mistake(
            _one_long_walk(lambda moved: moved.mean(dim=0)),
            "the second task began where the first one had ended; each begins at the start",
        ),
        Mistake(_one_long_walk(lambda moved: moved[-1]), _ONE_WALK),
        Mistake(_one_long_walk(lambda moved: moved[-1] / len(moved)), _ONE_WALK),
        Mistake(
            _pooled, "the images of all tasks went into one walk; each task has a walk of its own, over its own images"
        ),
        Mistake(
            lambda network, *z: {name: w.mean(dim=0) for name, w in _ends(network, *z).items()},
            "these are the weights at the end; how far are they from the start?",
        ),
        Mistake(lambda *z: _reptile(*z[:4], 1, z[5]), "you took one inner step, whatever number was asked for"),
        Mistake(
            _scaled(lambda *z: 1 / z[4]), "you divided by the number of steps; how far the weights come is what counts"
        ),
        Mistake(_scaled(lambda *z: z[3]), "you multiplied by the inner rate; it is in the steps already"),
        Mistake(
            lambda n, x, y, *z: _reptile(n, x[-1:], y[-1:], *z), "this is the last task alone; take the mean of all"
        ),
        Mistake(
            lambda n, x, y, *z: _reptile(n, x[:1], y[:1], *z), "this is the first task alone; take the mean of all"
        ),
        Mistake(lambda *z: _reptile(*z[:4], z[4] + 1, z[5]), "you took one step too many"),
    ],
)
