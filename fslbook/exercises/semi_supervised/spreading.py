"""Checks of chapter 13's exercises: where labels end on a graph, and what an assumed balance costs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Labels along a graph


def _draw_graph(m: int, n: int, alpha: float) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, float]:
        weights = torch.rand(m, m, generator=generator).square()
        weights = (weights + weights.T).fill_diagonal_(0)
        root = weights.sum(1).rsqrt()
        return root[:, None] * weights * root, F.pad(torch.eye(n), (0, 0, 0, m - n)), alpha

    return draw


def _by_steps(smooth: Tensor, labels: Tensor, alpha: float) -> Tensor:
    s, y = smooth.double(), labels.double()
    flowing = y
    for _ in range(400):
        flowing = alpha * (s @ flowing) + y
    return flowing.to(labels.dtype)


def _eye(s: Tensor) -> Tensor:
    return torch.eye(len(s), dtype=s.dtype, device=s.device)


def _solved(s: Tensor, y: Tensor, a: float) -> Tensor:
    return torch.linalg.solve(_eye(s) - a * s, y)


spread_labels = Exercise(
    "spread_labels",
    _by_steps,
    {
        "six images": Case(_draw_graph(6, 2, 0.5)),
        "twenty images": Case(_draw_graph(20, 3, 0.8)),
        "little flow": Case(_draw_graph(8, 3, 0.1)),
        "passes the gradient on": Case(_draw_graph(6, 2, 0.6), gradient=True),
    },
    [
        Mistake(
            lambda s, y, a: (1 - a) * _solved(s, y, a),
            "there is a factor 1 − α; in F ← αSF + Y the labels count in full",
        ),
        Mistake(lambda s, y, a: a * s @ y + y, "this is one step; where do the steps end?"),
        Mistake(lambda s, y, a: (_eye(s) - a * s) @ y, "you multiplied by the matrix; its inverse is needed"),
        Mistake(lambda s, y, a: _solved(s, y, -a), "a sign is turned round: labels of neighbours are taken away"),
        Mistake(
            lambda s, y, a: torch.linalg.inv(_eye(s) - a * s), "this is the inverse alone; it has to meet the labels"
        ),
        Mistake(lambda s, y, a: _solved(s, y, a) - y, "the labels' own part is missing"),
        Mistake(lambda s, y, a: _solved(s, y, a**2), "alpha is squared"),
        Mistake(lambda s, y, a: _solved(s, y, 1 - a), "α and 1 − α have changed places"),
        Mistake(
            lambda s, y, a: torch.linalg.solve(_eye(s) - a * s.square(), y), "you squared the entries of the weights"
        ),
        Mistake(lambda s, y, a: _solved(s, y, a).softmax(1), "there is a softmax in it; it is not asked for"),
        Mistake(
            lambda s, y, a: _solved(s, y, a) / _solved(s, y, a).sum(1, keepdim=True),
            "each row was made to add up to one; it is not asked for",
        ),
        Mistake(
            lambda s, y, a: torch.linalg.solve(1 - a * s, y), "1 stands in every entry; the identity matrix is needed"
        ),
        Mistake(lambda s, y, a: _solved(s, y, a).T, "the rows belong to the classes; they must belong to images"),
    ],
)

# Forced to be even


def _draw_counts(n: int, *, missing: int = 0, even: bool = False) -> Any:
    def draw(generator: Generator) -> tuple[list[int]]:
        counts = torch.randint(4, 12, (n,), generator=generator)
        if even:
            return (counts[:1].repeat(n).tolist(),)
        counts[:missing] = 0
        counts[-2:] = torch.tensor([2, 18])  # one class below the mean, one well above it
        counts[-1] += counts.sum() % n == 0  # the mean is no whole number
        return (counts[torch.randperm(n, generator=generator)].tolist(),)

    return draw


def _reachable(counts: list[int]) -> Tensor:
    total, right = sum(counts), Fraction(0)
    for count in counts:
        answered = Fraction(total, len(counts))
        right += answered if count > answered else count
    return torch.tensor(float(right / total), dtype=torch.float64)


def _least(counts: list[int], each: float) -> float:
    return sum(min(count, each) for count in counts)


def _mean(counts: list[int]) -> float:
    return sum(counts) / len(counts)


def _present(counts: list[int]) -> list[int]:
    return [count for count in counts if count]


forced_accuracy = Exercise(
    "forced_accuracy",
    _reachable,
    {
        "one class is missing": Case(_draw_counts(5, missing=1)),
        "uneven": Case(_draw_counts(4)),
        "balanced": Case(_draw_counts(5, even=True)),
        "two of six are missing": Case(_draw_counts(6, missing=2)),
    },
    [
        Mistake(lambda c: 1.0, "it cannot be all: the answers are even and the queries are not"),
        Mistake(lambda c: 1 / len(c), "this is guessing; a good method answers as many rightly as it may"),
        Mistake(lambda c: max(c) / sum(c), "this is one class for all queries; here every class is answered"),
        Mistake(lambda c: len(_present(c)) / len(c), "this is right only if the classes that are there are even"),
        Mistake(lambda c: 1 - _least(c, _mean(c)) / sum(c), "this is the share of wrong answers"),
        Mistake(lambda c: _least(c, _mean(c)), "this is a number of queries; a share of 0 to 1 is asked for"),
        Mistake(lambda c: 100 * _least(c, _mean(c)) / sum(c), "this is in percent; a share of 0 to 1 is asked for"),
        Mistake(
            lambda c: _least(c, sum(c) / len(_present(c))) / sum(c),
            "a class without a query is answered as often as the others; count it",
        ),
        Mistake(
            lambda c: _least(c, min(c)) / sum(c), "each class is answered as often as the mean count, not the smallest"
        ),
        Mistake(
            lambda c: sum(max(x, _mean(c)) for x in c) / sum(c),
            "you took the larger number; the smaller one is the limit",
        ),
        Mistake(
            lambda c: sum(min(x, _mean(c)) / x for x in _present(c)) / len(_present(c)),
            "this is a mean over the classes; every query counts the same",
        ),
        Mistake(lambda c: min(c) / max(c), "this compares two classes only"),
        Mistake(lambda c: sum((x / sum(c)) ** 2 for x in c), "this is guessing in proportion to the counts"),
    ],
)
