"""Checks of chapter 3's exercises: an honest interval, of one method and of a difference."""

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


def _ends(right: Tensor) -> tuple[float, float]:
    mean, half_width = _interval(right)
    return mean - half_width, mean + half_width


def _median(right: Tensor) -> tuple[float, float]:
    return statistics.median(sum(row) / len(row) for row in right.tolist()), _interval(right)[1]


_QUERIES = "you divided by the root of all queries; the episode is the unit"

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
        Mistake(lambda right: _interval(right, factor=1.645), "the factor 1.645 is that of a 90 % interval"),
        Mistake(
            lambda right: _interval(right, statistics.variance),
            "you took the variance; its root, s, has the right unit",
        ),
        Mistake(lambda right: _interval(right, root=float), "you divided by E; the spread of a mean falls with √E"),
        Mistake(lambda right: _interval(right, root=lambda n: math.sqrt(right.numel())), _QUERIES),
        Mistake(
            lambda right: _interval(right, root=lambda n: math.sqrt(n - 1)),
            "you divided by the root of E − 1; s has its E − 1 already",
        ),
        Mistake(_ends, "these are the two ends; asked are the middle and half of the width"),
        Mistake(_median, "this is the median of the episodes; take their mean"),
        Mistake(lambda right: _interval(right)[::-1], "the two numbers have changed places"),
        Mistake(lambda right: _interval(right, factor=3.92), "this is the whole width; asked is half of it"),
        Mistake(
            lambda right: _interval(right, root=lambda n: 1), "this is the spread of single episodes, not of a mean"
        ),
    ],
)


# The difference, in pairs


def _draw_pairs(n_episodes: int, shared: float = 0.1) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        difficulty, luck_a, luck_b = torch.randn(3, n_episodes, generator=generator, dtype=torch.float64)
        return 0.6 + shared * difficulty + 0.03 * luck_a, 0.66 + shared * difficulty + 0.05 * luck_b

    return draw


def _paired(a: Tensor, b: Tensor, spread: Any = statistics.stdev, factor: float = 1.96) -> tuple[float, float]:
    differences = [y - x for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    return statistics.fmean(differences), factor * spread(differences) / math.sqrt(len(differences))


def _with_width(width: Any) -> Any:
    """The right difference, with a half width that is made from those of the two methods."""

    def version(a: Tensor, b: Tensor) -> tuple[float, float]:
        widths = [1.96 * statistics.stdev(x.tolist()) / math.sqrt(len(x)) for x in (a, b)]
        return _paired(a, b)[0], width(*widths)

    return version


paired_interval = Exercise(
    "paired_interval",
    _paired,
    {
        "sixty episodes": Case(_draw_pairs(60)),
        "five episodes": Case(_draw_pairs(5)),
        "nothing in common": Case(_draw_pairs(40, shared=0.0)),
    },
    [
        Mistake(lambda a, b: _paired(b, a), "the difference is a − b; asked is b − a, so that a gain is positive"),
        Mistake(_with_width(math.hypot), "this is the unpaired width; subtract episode by episode first"),
        Mistake(_with_width(lambda x, y: x + y), "you added the two half widths; subtract episode by episode first"),
        Mistake(_with_width(lambda x, y: abs(y - x)), "you subtracted the half widths; take that of the differences"),
        Mistake(_with_width(max), "this is the wider of the two intervals; take that of the differences"),
        Mistake(lambda a, b: _paired(a, b, statistics.pstdev), "divide by E − 1 in the spread, not by E"),
        Mistake(lambda a, b: _paired(a, b, factor=1.0), "this is the standard error; the factor 1.96 is missing"),
        Mistake(lambda a, b: _paired(a, b, factor=3.92), "this is the whole width; asked is half of it"),
        Mistake(
            lambda a, b: _paired(a, b, factor=1.96 * math.sqrt(len(a))),
            "this is the spread of single differences; a mean of E spreads less, by √E",
        ),
        Mistake(lambda a, b: _paired(a, b, statistics.variance), "you took the variance; its root has the right unit"),
        Mistake(
            lambda a, b: _paired(0 * a, (b - a).abs()), "the differences lost their signs; those below 0 count as well"
        ),
        Mistake(lambda a, b: _paired(0 * a, b / a - 1), "this is a gain in per cent of a; asked is b − a"),
    ],
)
