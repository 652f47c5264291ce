"""Checks of chapter 2's exercises, continued: intervals, and how many episodes they take."""

from __future__ import annotations

import math
import statistics
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# An honest interval


def _draw_answers(n_episodes: int, n_queries: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor]:
        difficulty = torch.linspace(0.3, 0.95, n_episodes)[:, None]
        return (torch.rand(n_episodes, n_queries, generator=generator) < difficulty,)

    return draw


def _interval(right: Tensor, spread: Any = statistics.stdev, factor: float = 1.96, root: Any = math.sqrt) -> Any:
    accuracy = [sum(row) / len(row) for row in right.tolist()]
    return statistics.fmean(accuracy), factor * spread(accuracy) / root(len(accuracy))


def _over_queries(right: Tensor) -> tuple[float, float]:
    p = right.double().mean().item()
    return p, 1.96 * math.sqrt(p * (1 - p) / right.numel())


interval = Exercise(
    "interval",
    _interval,
    {
        "thirty episodes": Case(_draw_answers(30, 25)),
        "three episodes": Case(_draw_answers(3, 75)),
        "many episodes of one query a class": Case(_draw_answers(200, 5)),
    },
    [
        Mistake(_over_queries, "this interval counts queries; the episode is the unit, one accuracy for each"),
        Mistake(
            lambda right: _interval(right, statistics.pstdev),
            "the standard deviation divides by E; the sample standard deviation divides by E − 1",
        ),
        Mistake(lambda right: _interval(right, factor=1.0), "this is the standard error; the factor 1.96 is missing"),
        Mistake(lambda right: _interval(right, factor=3.92), "this is the whole width; asked is half of it"),
        Mistake(
            lambda right: _interval(right, root=lambda n: 1), "this is the spread of single episodes, not of a mean"
        ),
    ],
)

# How many episodes


def _draw_two_methods(shared: float, n_episodes: int = 60) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, float]:
        size = 3, n_episodes
        difficulty, luck_a, luck_b = torch.randn(size, generator=generator, dtype=torch.float64)
        a = 0.6 + 0.1 * shared * difficulty + 0.05 * luck_a
        b = 0.7 + 0.1 * shared * difficulty + 0.08 * luck_b
        return a, b, 0.015 + 0.01 * float(torch.rand((), generator=generator))

    return draw


def _needed(
    a: Tensor, b: Tensor, h: float, whole: Any = math.ceil, added: Any = math.hypot, spread: Any = statistics.stdev
) -> tuple[int, int]:
    first, second = a.tolist(), b.tolist()
    d = spread([y - x for x, y in zip(first, second, strict=True)])
    alone = added(spread(first), spread(second))
    return whole((1.96 * d / h) ** 2), whole((1.96 * alone / h) ** 2)


episodes_needed = Exercise(
    "episodes_needed",
    _needed,
    {
        "both find the same episodes easy": Case(_draw_two_methods(shared=1.0)),
        "they have nothing in common": Case(_draw_two_methods(shared=0.0)),
        "they disagree on what is easy": Case(lambda g: (lambda a, b, h: (a, -b, h))(*_draw_two_methods(1.0)(g))),
        "a short pilot": Case(_draw_two_methods(shared=0.5, n_episodes=8)),
    },
    [
        Mistake(lambda a, b, h: _needed(a, b, h)[::-1], "the two numbers have changed places"),
        Mistake(lambda a, b, h: _needed(a, b, h, math.floor), "round up: one episode less is not enough"),
        Mistake(
            lambda a, b, h: _needed(a, b, h, added=lambda x, y: x + y),
            "of independent numbers the variances add up, not the standard deviations",
        ),
        Mistake(
            lambda a, b, h: _needed(a, b, h, spread=statistics.pstdev),
            "the spread divides by E; that of a sample divides by E − 1",
        ),
        Mistake(lambda a, b, h: _needed(a, b, h / 2), "half_width is already the half"),
        Mistake(lambda a, b, h: _needed(a, b, 1.96 * h), "the factor 1.96 is missing"),
        Mistake(
            lambda a, b, h: (
                math.ceil(1.96 * float((b - a).std()) / h),
                math.ceil(1.96 * math.hypot(a.std(), b.std()) / h),
            ),
            "ten times the precision takes a hundred times the episodes, not ten times",
        ),
    ],
)
