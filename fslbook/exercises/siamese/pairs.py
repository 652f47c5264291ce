"""Checks of chapter 4's exercises: Siamese networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations, permutations
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.comparing import not_tensors
from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

Pairs = list[tuple[int, int]]

# Pairs from a batch


def _draw_labels(n_images: int, n_classes: int) -> Any:
    return lambda generator: (torch.arange(n_images)[torch.randperm(n_images, generator=generator)] % n_classes,)


def _as_answer(pairs: Pairs, labels: Tensor, flipped: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    first, second = torch.tensor(pairs).T.to(labels.device)
    return first, second, (labels[first] != labels[second]) ^ flipped


def _pairs_fault(answer: Any, labels: Tensor) -> str | None:
    if fault := not_tensors(answer, "first", "second", "different"):
        return fault
    if {x.ndim for x in answer} != {1} or len({len(x) for x in answer}) != 1:
        return "first, second and different must have one dimension, and one length"
    if answer[2].dtype != torch.bool:
        return f"`different` has numbers of {answer[2].dtype}; it chooses pairs as a mask, so make it truth values"
    first, second, different = (x.tolist() for x in answer)
    pairs = [(min(pair), max(pair)) for pair in zip(first, second, strict=True)]
    if any(not 0 <= i <= j < len(labels) for i, j in pairs):
        return f"some numbers are not those of an image, 0 to {len(labels) - 1}"
    if any(i == j for i, j in pairs):
        return "an image is paired with itself"
    if len({*pairs}) < len(pairs):
        return "a pair occurs twice; (i, j) and (j, i) are the same pair"
    if missing := len({*combinations(range(len(labels)), 2)} - {*pairs}):
        return f"{missing} pairs are missing"
    right = [bool(labels[i] != labels[j]) for i, j in pairs]
    if [bool(y) for y in different] == [not y for y in right]:
        return "`different` is the wrong way round"
    return None if [bool(y) for y in different] == right else "`different` does not belong to these pairs"


pairs = Exercise(
    "pairs",
    lambda y: _as_answer([*combinations(range(len(y)), 2)], y),
    {
        "three classes": Case(_draw_labels(9, 3), _pairs_fault),
        "many classes": Case(_draw_labels(20, 8), _pairs_fault),
        "two images": Case(_draw_labels(2, 2), _pairs_fault),
    },
    [
        Mistake(
            lambda y: _as_answer([(i, j) for i in range(len(y)) for j in range(len(y))], y),
            "an image is paired with itself",
        ),
        Mistake(
            lambda y: _as_answer([*permutations(range(len(y)), 2)], y),
            "a pair occurs twice; (i, j) and (j, i) are the same pair",
        ),
        Mistake(
            lambda y: _as_answer([*combinations(range(len(y)), 2)], y, flipped=True),
            "`different` is the wrong way round",
        ),
        Mistake(
            lambda y: _as_answer([(i, i + 1) for i in range(len(y) - 1)], y),
            lambda y: f"{math.comb(len(y), 2) - len(y) + 1} pairs are missing",
        ),
    ],
)

# From pairs to classes


def _draw_task(shots: list[int]) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor, int]:
        labels = torch.arange(len(shots)).repeat_interleave(torch.tensor(shots))
        labels = labels[torch.randperm(len(labels), generator=generator)]
        query, support = torch.randn(7, 5, generator=generator), torch.randn(len(labels), 5, generator=generator)
        return query, support, labels, len(shots)

    return draw


def _logits(query: Tensor, support: Tensor, labels: Tensor, n_way: int, *, choose: Any = min) -> Tensor:
    rows = []
    for x in query.tolist():
        distances = [math.dist(x, z) for z in support.tolist()]
        by_class = [[d for d, y in zip(distances, labels.tolist(), strict=True) if y == n] for n in range(n_way)]
        rows.append([-choose(of_class) for of_class in by_class])
    return torch.tensor(rows).to(query)


siamese_logits = Exercise(
    "siamese_logits",
    _logits,
    {
        "one shot, in any order": Case(_draw_task([1, 1, 1, 1])),
        "three shots": Case(_draw_task([3, 3, 3])),
        "uneven shots": Case(_draw_task([4, 1, 2])),
    },
    [
        Mistake(lambda *a: -_logits(*a), "these are distances; of logits, larger must mean more likely"),
        Mistake(
            lambda *a: _logits(*a, choose=lambda d: sum(d) / len(d)),
            "you took the mean distance to a class; take the distance to its nearest image",
        ),
        Mistake(lambda *a: _logits(*a, choose=max), "you took the farthest image of each class"),
        Mistake(lambda *a: _logits(*a, choose=lambda d: min(d) ** 2), "these are squares of distances; take the root"),
        Mistake(lambda q, s, y, n: -torch.cdist(q, s)[:, :n], "look at the labels: the support is not sorted by class"),
        Mistake(lambda *a: _logits(*a, choose=sum), "you added up the distances of a class; take the smallest"),
        Mistake(
            lambda q, s, y, n: torch.stack([-torch.cdist(q, s[y == c], p=1).amin(1) for c in range(n)], dim=1),
            "you added up absolute differences; a Euclidean distance is made of squares",
        ),
        Mistake(
            lambda q, s, y, n: -torch.cdist(q, torch.stack([s[y == c].mean(0) for c in range(n)])),
            "you took the distance from the mean image of a class; take that of its nearest image",
        ),
        Mistake(
            lambda q, s, y, n: torch.stack([(q @ s[y == c].T).amax(1) for c in range(n)], dim=1),
            "these are inner products, not distances",
        ),
    ],
)

# The contrastive loss


def _draw_distances(n_different: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, float]:
        distances = 4 * torch.rand(12, generator=generator)
        distances[0], distances[10], distances[11] = 1.5, 0.5, 4.0
        return distances, torch.arange(12) >= 12 - n_different, 2 + float(torch.rand((), generator=generator))

    return draw


def _push(distance: Tensor, margin: float) -> Tensor:
    return (margin - distance) ** 2 if distance < margin else 0 * distance


def _loss_with(push: Callable[[Tensor, float], Tensor] = _push, flipped: bool = False, factor: float = 0.5) -> Any:
    """The mean contrastive loss, or a wrong one, pair by pair."""

    def loss(distances: Tensor, different: Tensor, margin: float) -> Tensor:
        labels = [y != flipped for y in different.tolist()]
        pairs = zip(distances.unbind(), labels, strict=True)
        return factor * torch.stack([push(d, margin) if y else d * d for d, y in pairs]).mean()

    return loss


contrastive = Exercise(
    "contrastive",
    _loss_with(),
    {
        "both kinds of pairs": Case(_draw_distances(8)),
        "pairs of one class only": Case(_draw_distances(0)),
        "pairs of two classes only": Case(_draw_distances(12)),
        "passes the gradient on": Case(_draw_distances(6), gradient=True),
    },
    [
        Mistake(_loss_with(flipped=True), "Y is the wrong way round: 1 means *different*"),
        Mistake(_loss_with(factor=1.0), "both terms have a factor ½"),
        Mistake(
            _loss_with(lambda d, m: (m - d) ** 2),
            "pairs of two classes beyond the margin have a loss; nothing is left to gain there",
        ),
        Mistake(
            _loss_with(lambda d, m: (m - d * d).clamp_min(0)),
            "you took the margin minus the squared distance; square the difference instead",
        ),
        Mistake(_loss_with(lambda d, m: (m - d).clamp_min(0)), "the push is not squared"),
        Mistake(lambda d, y, m: len(d) * _loss_with()(d, y, m), "this is the sum over the pairs; take the mean"),
        Mistake(_loss_with(lambda d, m: 0 * d), "pairs of two classes have no loss; they must be pushed apart"),
        Mistake(
            lambda d, y, m: _loss_with()(d * y + 0 * d, y, m), "pairs of one class have no loss; they must be pulled"
        ),
        Mistake(lambda d, y, m: _loss_with()(torch.where(y, d, d.sqrt()), y, m), "the pull is not squared"),
        Mistake(
            lambda d, y, m: sum(_loss_with()(d[k], y[k], m) for k in (y, ~y) if k.any()),
            "you added the means of the two kinds; take one mean over all pairs",
        ),
        Mistake(lambda d, y, m: _loss_with()(d, y, 1.0), "the margin is handed over; yours is always 1"),
    ],
)
