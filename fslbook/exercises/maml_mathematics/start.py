"""A check of chapter 8's exercises: the best start for valleys of different steepness."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_valleys(alpha: float, steps: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, float, int]:
        curvatures = 0.5 + 4 * torch.rand(5, generator=generator)
        return curvatures, 3 * torch.randn(5, generator=generator), alpha, steps

    return draw


def _best_start(curvatures: Tensor, minima: Tensor, alpha: float, steps: int) -> Tensor:
    """The vertex of the parabola through the meta-loss at -1, 0 and 1."""
    heights = []
    for start in (-1.0, 0.0, 1.0):
        theta = torch.full_like(curvatures, start, dtype=torch.float64)
        for _ in range(steps):
            theta = theta - alpha * curvatures * (theta - minima)
        heights.append((curvatures * (theta - minima) ** 2 / 2).mean())
    left, middle, right = heights
    return ((left - right) / (2 * (left - 2 * middle + right))).to(curvatures)


def _vote(factors: int) -> Any:
    def wrong(curvatures: Tensor, minima: Tensor, alpha: float, steps: int) -> Tensor:
        weights = curvatures * (1 - alpha * curvatures) ** (factors * steps)
        return (weights * minima).sum() / weights.sum()

    return wrong


def _votes(rule: Any) -> Any:
    def wrong(curvatures: Tensor, minima: Tensor, alpha: float, steps: int) -> Tensor:
        weights = rule(curvatures, 1 - alpha * curvatures, steps)
        return (weights * minima).sum() / weights.sum()

    return wrong


best_start = Exercise(
    "best_start",
    _best_start,
    {
        "one step": Case(_draw_valleys(0.15, 1)),
        "three steps": Case(_draw_valleys(0.1, 3)),
        "no step": Case(_draw_valleys(0.1, 0)),
    },
    [
        Mistake(_vote(0), "this is the best compromise before adapting; the inner steps play no part in it"),
        Mistake(_vote(1), "this is where the first-order gradient settles, not the meta-gradient"),
        Mistake(
            lambda c, t, a, k: t.mean(),
            "every task got the same vote; steep and flat ones must not weigh alike",
        ),
        Mistake(
            lambda c, t, a, k: ((1 - a * c) ** (2 * k) * t).sum() / ((1 - a * c) ** (2 * k)).sum(),
            "the votes know how far a step gets, but not how steep a task's loss is",
        ),
        Mistake(
            lambda c, t, a, k: _vote(2)(c, t, a, k) * (c * (1 - a * c) ** (2 * k)).mean(),
            "the votes must add up to 1",
        ),
        Mistake(lambda c, t, a, k: _best_start(c, t, a, 1), "you took one step, whatever number was asked for"),
        Mistake(
            _votes(lambda c, f, k: c**2 * f ** (2 * k)),
            "in the votes the curvature of the loss counts once, not squared",
        ),
        Mistake(lambda c, t, a, k: _best_start(c, t, -a, k), "the sign of α is wrong: the steps go uphill"),
        Mistake(_votes(lambda c, f, k: c * f * 2 * k if k else c), "you multiplied by 2k; every step is a factor"),
        Mistake(_votes(lambda c, f, k: 1 / c), "the votes are turned round: steep tasks weigh more, not less"),
        Mistake(lambda c, t, a, k: t.median(), "this is the median of the minima; the curvatures weigh them"),
        Mistake(
            _votes(lambda c, f, k: c * (1 - f**k) ** 2 if k else c),
            "you weighed how far the steps get; what counts is how much of the distance is left",
        ),
    ],
)
