"""Check of a chapter 18 exercise: what a control with wrong labels can show."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_relabelling(n: int, fixed: int | None = None) -> Any:
    def draw(generator: Generator) -> tuple[list[int], float]:
        share = 0.6 + 0.3 * torch.rand((), generator=generator).item()
        names = torch.randperm(n, generator=generator).tolist()
        if fixed is not None:
            places = torch.randperm(n, generator=generator).tolist()
            moving = places[fixed:]
            names = [*range(n)]
            for here, there in zip(moving, moving[1:] + moving[:1], strict=True):
                names[here] = there
        return names, share

    return draw


def _by_counting(names: list[int], share: float) -> Tensor:
    n, right = len(names), Fraction(0)
    for true, shown in enumerate(names):
        for answer in range(n):
            chance = Fraction(share) if answer == shown else (1 - Fraction(share)) / (n - 1)
            right += chance * (answer == true)
    return torch.tensor(float(right / n), dtype=torch.float64)


def _fixed(names: list[int]) -> float:
    return sum(name == place for place, name in enumerate(names)) / len(names)


control_accuracy = Exercise(
    "control_accuracy",
    _by_counting,
    {
        "two of five stay": Case(_draw_relabelling(5, 2)),
        "none stays": Case(_draw_relabelling(5, 0)),
        "all stay": Case(_draw_relabelling(4, 4)),
        "one of twenty stays": Case(_draw_relabelling(20, 1)),
        "three of six stay": Case(_draw_relabelling(6, 3)),
    },
    [
        Mistake(lambda p, a: a, "this is the accuracy with the true labels; some labels are wrong now"),
        Mistake(lambda p, a: 1 - a, "this is the share of errors with the true labels"),
        Mistake(lambda p, a: 1 / len(p), "this is chance; it holds for labels dealt anew in each task"),
        Mistake(lambda p, a: _fixed(p), "these are the labels that stay; the learner is not always right there"),
        Mistake(lambda p, a: a * _fixed(p), "where a label is wrong, an error can hit the true class; that is missing"),
        Mistake(
            lambda p, a: a * _fixed(p) + (1 - a) * (1 - _fixed(p)),
            "not every error hits the true class; it is spread over all other classes",
        ),
        Mistake(
            lambda p, a: a * _fixed(p) + (1 - a) / len(p) * (1 - _fixed(p)),
            "an error falls on one of N - 1 classes, not of N",
        ),
        Mistake(
            lambda p, a: a * _fixed(p) + (1 - _fixed(p)) / len(p),
            "where a label is wrong the learner does not guess; it follows the label",
        ),
        Mistake(
            lambda p, a: a * (1 - _fixed(p)) + (1 - a) / (len(p) - 1) * _fixed(p),
            "labels that stay and labels that move have changed places",
        ),
        Mistake(
            lambda p, a: 1 - (a * _fixed(p) + (1 - a) / (len(p) - 1) * (1 - _fixed(p))),
            "this is the share of wrong answers",
        ),
        Mistake(
            lambda p, a: a * (1 - _fixed(p)) + (1 - a) * _fixed(p),
            "this counts by the new labels, or nearly; count by the true classes",
        ),
        Mistake(
            lambda p, a: 100 * (a * _fixed(p) + (1 - a) / (len(p) - 1) * (1 - _fixed(p))),
            "this is in percent; a share of 0 to 1 is asked for",
        ),
        Mistake(
            lambda p, a: len(p) * (a * _fixed(p) + (1 - a) / (len(p) - 1) * (1 - _fixed(p))),
            "this is a sum over the classes; a mean is asked for",
        ),
    ],
)
