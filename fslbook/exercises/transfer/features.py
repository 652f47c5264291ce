"""Checks of chapter 11's exercises: features of length 1."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# The nearest mean on features of length 1


def _draw_task(shots: list[int]) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor, int]:
        labels = torch.repeat_interleave(torch.arange(len(shots)), torch.tensor(shots))
        labels = labels[torch.randperm(len(labels), generator=generator)]
        lengths = 0.2 + 5 * torch.rand(len(labels) + 7, 1, generator=generator)
        features = lengths * torch.randn(len(labels) + 7, 4, generator=generator)
        return features[:-7], labels, features[-7:], len(shots)

    return draw


def _unit(x: list[float]) -> list[float]:
    length = math.sqrt(sum(a * a for a in x))
    return [a / length for a in x]


def _by_loop(support: Tensor, labels: Tensor, query: Tensor, n_way: int) -> Tensor:
    logits: list[list[float]] = []
    for q in map(_unit, query.tolist()):
        logits.append([])
        for n in range(n_way):
            rows = [_unit(x) for x, y in zip(support.tolist(), labels.tolist(), strict=True) if y == n]
            mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
            logits[-1].append(-sum((a - b) ** 2 for a, b in zip(q, mean, strict=True)))
    return torch.tensor(logits, dtype=query.dtype)


def _means(support: Tensor, labels: Tensor, n_way: int) -> Tensor:
    return torch.stack([support[labels == n].mean(dim=0) for n in range(n_way)])


def _far(query: Tensor, means: Tensor) -> Tensor:
    return -(query[:, None] - means).square().sum(-1)


def _n(x: Tensor) -> Tensor:
    return F.normalize(x, dim=1)


simple_shot_logits = Exercise(
    "simple_shot_logits",
    _by_loop,
    {
        "one image per class": Case(_draw_task([1, 1, 1])),
        "five images per class": Case(_draw_task([5, 5, 5, 5])),
        "uneven shots": Case(_draw_task([3, 1, 4])),
        "passes the gradient on": Case(_draw_task([2, 2]), gradient=True),
    },
    [
        Mistake(
            lambda s, y, q, n: _far(q, _means(s, y, n)), "no length was divided out; this is the plain nearest mean"
        ),
        Mistake(lambda s, y, q, n: _far(q, _means(_n(s), y, n)), "the queries still have their lengths"),
        Mistake(lambda s, y, q, n: _far(_n(q), _means(s, y, n)), "the support still has its lengths"),
        Mistake(
            lambda s, y, q, n: _far(_n(q), _n(_means(s, y, n))),
            "the mean came first and the length afterwards; a long image then counts more than a short one",
        ),
        Mistake(
            lambda s, y, q, n: _far(_n(q), _n(_means(_n(s), y, n))),
            "the mean was brought to length 1 once more; SimpleShot leaves it as it is",
        ),
        Mistake(lambda s, y, q, n: -_far(_n(q), _means(_n(s), y, n)), "the sign is wrong: larger must mean nearer"),
        Mistake(
            lambda s, y, q, n: -torch.cdist(_n(q), _means(_n(s), y, n)),
            "these are plain distances; the square is missing",
        ),
        Mistake(lambda s, y, q, n: _n(q) @ _means(_n(s), y, n).T, "these are inner products, not squared distances"),
        Mistake(
            lambda s, y, q, n: _far(_n(q), _means(F.normalize(s, dim=0), y, n)),
            "you divided each column of the support by its length; a feature vector is a row",
        ),
        Mistake(
            lambda s, y, q, n: _far(q / q.abs().sum(1, keepdim=True), _means(s / s.abs().sum(1, keepdim=True), y, n)),
            "you divided by the sum of the absolute values; the length is the root of the sum of squares",
        ),
        Mistake(
            lambda s, y, q, n: _far(q / q.amax(1, keepdim=True), _means(s / s.amax(1, keepdim=True), y, n)),
            "you divided by the largest entry; the length is the root of the sum of squares",
        ),
        Mistake(
            lambda s, y, q, n: (-(_n(q)[:, None] - _means(_n(s), y, n)).square()).mean(-1),
            "you took the mean over the features; a squared distance is their sum",
        ),
    ],
)

# Centring


def _draw_three(base: int, shift: float) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        return tuple(shift + torch.randn(m, 5, generator=generator) for m in (base, 4, 6))  # type: ignore[return-value]

    return draw


def _centred(base: Tensor, support: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
    centre = [sum(column) / len(base) for column in zip(*base.tolist(), strict=True)]
    rows = [
        [_unit([a - c for a, c in zip(x, centre, strict=True)]) for x in part.tolist()] for part in (support, query)
    ]
    return torch.tensor(rows[0], dtype=base.dtype), torch.tensor(rows[1], dtype=base.dtype)


centred_features = Exercise(
    "centred_features",
    _centred,
    {
        "many base images": Case(_draw_three(40, 0.0)),
        "base images far from zero": Case(_draw_three(30, 3.0)),
        "one base image": Case(_draw_three(1, 1.0)),
    },
    [
        Mistake(lambda b, s, q: (_n(s), _n(q)), "no mean was taken away"),
        Mistake(lambda b, s, q: (s - b.mean(0), q - b.mean(0)), "the lengths were not divided out"),
        Mistake(
            lambda b, s, q: (_n(s) - b.mean(0), _n(q) - b.mean(0)), "the length comes last: first centre, then scale"
        ),
        Mistake(
            lambda b, s, q: (_n(s - s.mean(0)), _n(q - s.mean(0))),
            "you took the mean of the support; the mean of the base images is asked for",
        ),
        Mistake(
            lambda b, s, q: (_n(s - s.mean(0)), _n(q - q.mean(0))),
            "support and query were each centred on their own mean: the queries then see each other",
        ),
        Mistake(
            lambda b, s, q: (_n(s - torch.cat([s, q]).mean(0)), _n(q - torch.cat([s, q]).mean(0))),
            "you took the mean over the images of the task, queries included: that is another, transductive method",
        ),
        Mistake(lambda b, s, q: (_n(s - b.mean(0)), _n(q)), "the queries were not centred; both must be treated alike"),
        Mistake(lambda b, s, q: (_n(s), _n(q - b.mean(0))), "the support was not centred; both must be treated alike"),
        Mistake(lambda b, s, q: (_n(s + b.mean(0)), _n(q + b.mean(0))), "the mean was added; take it away"),
        Mistake(
            lambda b, s, q: (_n(s - b.mean()), _n(q - b.mean())),
            "you took one number for all features; each has a mean",
        ),
        Mistake(
            lambda b, s, q: (_n(s - _n(b).mean(0)), _n(q - _n(b).mean(0))),
            "the base features were brought to length 1 before their mean was taken; take the mean of the raw ones",
        ),
        Mistake(lambda b, s, q: (_n(q - b.mean(0)), _n(s - b.mean(0))), "support and query have changed places"),
    ],
)
