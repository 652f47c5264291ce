"""A check of chapter 3's exercises: what part of the spread is luck."""

from __future__ import annotations

import statistics
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_twice(task: float, luck: float) -> Any:
    """Two accuracies of each of 400 tasks, with these two standard deviations."""

    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        difficulty, one, other = torch.randn(3, 400, generator=generator, dtype=torch.float64)
        first, second = task * difficulty + luck * one, task * difficulty + luck * other
        return 0.6 + first, 0.6 + second * first.std() / second.std()  # so that one minus their correlation is right

    return draw


def _parts(first: Tensor, second: Tensor) -> tuple[float, float]:
    """Variance of the tasks, and of luck."""
    a, b = first.tolist(), second.tolist()
    task = statistics.covariance(a, b)
    return task, (statistics.variance(a) + statistics.variance(b)) / 2 - task


def _share(first: Tensor, second: Tensor) -> float:
    """By the difference of the two, in which the task cancels and luck counts twice."""
    differences = [a - b for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    both = statistics.variance(first.tolist()) + statistics.variance(second.tolist())
    return statistics.variance(differences) / both


def _from_parts(rule: Any) -> Any:
    return lambda first, second: rule(*_parts(first, second))


luck_share = Exercise(
    "luck_share",
    _share,
    {
        "as much of both": Case(_draw_twice(0.08, 0.08)),
        "mostly the task": Case(_draw_twice(0.12, 0.06)),
        "mostly luck": Case(_draw_twice(0.06, 0.12)),
    },
    [
        Mistake(_from_parts(lambda task, luck: task / (task + luck)), "this is the share of the task; asked is luck's"),
        Mistake(_from_parts(lambda task, luck: luck), "this is luck's variance; which part of the whole is it?"),
        Mistake(_from_parts(lambda task, luck: task), "this is the variance of the tasks; asked is luck's share"),
        Mistake(
            _from_parts(lambda task, luck: (luck / (task + luck)) ** 0.5),
            "this is a ratio of standard deviations; variances add up, so take their ratio",
        ),
        Mistake(
            _from_parts(lambda task, luck: 2 * luck / (task + luck)),
            "the difference of two accuracies holds luck twice: halve its variance",
        ),
        Mistake(
            _from_parts(lambda task, luck: luck / task), "you divided by the part of the task; divide by the whole"
        ),
        Mistake(
            _from_parts(lambda task, luck: luck / (task + luck) / 2),
            "you divided by the variances of both; luck is a part of the variance of one",
        ),
        Mistake(
            _from_parts(lambda task, luck: 1 - (task / (task + luck)) ** 2),
            "you squared the correlation; it is the task's share as it is",
        ),
        Mistake(
            _from_parts(lambda task, luck: 1 - task / (task + luck) * 400 / 399),
            "one of your variances divides by E, the other by E − 1; both must do the same",
        ),
        Mistake(
            _from_parts(lambda task, luck: 1 - task / (task + luck) * 399 / 400),
            "one of your variances divides by E, the other by E − 1; both must do the same",
        ),
        Mistake(
            lambda a, b: float((a - b).abs().mean() / a.mean()),
            "this compares differences with the accuracy itself; compare variances",
        ),
        Mistake(
            lambda a, b: abs(float(a.var() - b.var())) / float(a.var()),
            "you compared the two variances with each other; what do the two accuracies have in common?",
        ),
    ],
)
