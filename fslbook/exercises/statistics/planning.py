"""Checks of chapter 3's exercises: how many episodes a wanted interval takes."""

from __future__ import annotations

import math
import statistics
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# From a published interval


def _draw_published(low: float, high: float) -> Any:
    """The wanted width is from low to high times the published one."""

    def draw(generator: Generator) -> tuple[float, int, float]:
        a, b = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
        half_width = 0.004 + 0.016 * a
        n_episodes = int(torch.randint(100, 2000, (), generator=generator))
        return half_width, n_episodes, half_width * (low + (high - low) * b)

    return draw


def _just_above(generator: Generator) -> tuple[float, int, float]:
    """Where rounding to the nearest whole number would be one episode too few."""
    half_width, n_episodes, wanted = _draw_published(0.3, 0.9)(generator)
    return (
        half_width,
        n_episodes,
        half_width * math.sqrt(n_episodes / (_for_width(half_width, n_episodes, wanted) + 0.2)),
    )


def _for_width(half_width: float, n_episodes: int, wanted: float) -> int:
    """By halving: with more episodes the width falls."""
    spread = half_width * math.sqrt(n_episodes) / 1.96
    low, high = 0, 1
    while 1.96 * spread / math.sqrt(high) > wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if 1.96 * spread / math.sqrt(middle) > wanted else (low, middle)
    return high


episodes_for_width = Exercise(
    "episodes_for_width",
    _for_width,
    {
        "a narrower one": Case(_draw_published(0.3, 0.8)),
        "a tenth of the width": Case(_draw_published(0.09, 0.11)),
        "a wider one": Case(_draw_published(1.2, 3.0)),
        "a little more than a whole number": Case(_just_above),
    },
    [
        Mistake(
            lambda h, n, w: math.ceil(n * h / w), "half the width takes four times the episodes, not twice as many"
        ),
        Mistake(lambda h, n, w: _for_width(h, n, w) - 1, "round up: one episode less is not enough"),
        Mistake(lambda h, n, w: math.ceil(n * (w / h) ** 2), "yours falls when a narrower interval is wanted"),
        Mistake(lambda h, n, w: _for_width(h, n, w) - n, "these are the additional ones; asked are all of them"),
        Mistake(lambda h, n, w: math.ceil((h / w) ** 2), "this is how many times as many; how many did they have?"),
        Mistake(lambda h, n, w: math.ceil(n * math.sqrt(h / w)), "you took the root where a square is needed"),
        Mistake(lambda h, n, w: math.ceil((1.96 * h / w) ** 2 * n), "the 1.96 is in both widths already"),
        Mistake(lambda h, n, w: max(n, _for_width(h, n, w)), "a wider interval takes fewer episodes than they had"),
        Mistake(
            lambda h, n, w: math.ceil((1.96 * h / w) ** 2),
            "you took the half width for the spread; from it and the number of episodes the spread follows",
        ),
        Mistake(lambda h, n, w: _for_width(h, n, w / 2), "both are half widths; nothing has to be halved"),
    ],
)

# How many episodes, in pairs and not


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


def _of_the_first(a: Tensor, b: Tensor, h: float) -> tuple[int, int]:
    return math.ceil((1.96 * statistics.stdev(a.tolist()) / h) ** 2), _needed(a, b, h)[1]


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
        Mistake(
            lambda a, b, h: _needed(a, b, h, added=lambda x, y: 0.0)[:1] * 2,
            "without pairs the same number came out; there the spreads of both methods count",
        ),
        Mistake(
            lambda a, b, h: _needed(a, b, h, added=max),
            "without pairs you counted the larger spread alone; both means vary",
        ),
        Mistake(_of_the_first, "in pairs you took the spread of one method; take that of the differences"),
        Mistake(lambda a, b, h: (_needed(a, b, h)[1],) * 2, "in pairs you left out what the two have in common"),
        Mistake(lambda a, b, h: _needed(a, b, h * math.sqrt(1.96)), "1.96 belongs inside the square, with the spread"),
        Mistake(
            lambda a, b, h: (_needed(a, b, h)[0], 2 * _needed(a, b, h)[1]),
            "unpaired, asked is how many episodes each method meets, not both together",
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
