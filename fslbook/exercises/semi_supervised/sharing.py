"""Checks of chapter 13's exercises: who owns an unlabelled image, and where the prototypes go."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Shares


def _draw_points(u: int, n: int, scale: float, away: float = 0.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, float]:
        return away + torch.randn(u, 3, generator=generator), torch.randn(n, 3, generator=generator), scale

    return draw


def _shares_by_loop(unlabelled: Tensor, prototypes: Tensor, scale: float) -> Tensor:
    rows = []
    for x in unlabelled.tolist():
        d = [math.dist(x, c) ** 2 for c in prototypes.tolist()]
        weights = [math.exp(-scale * (one - min(d))) for one in d]
        rows.append([w / sum(weights) for w in weights])
    return torch.tensor(rows, dtype=unlabelled.dtype)


def _squared(x: Tensor, c: Tensor) -> Tensor:
    return (x[:, None] - c).square().sum(-1)


def _one_over(x: Tensor, c: Tensor, s: float) -> Tensor:
    weights = 1 / _squared(x, c)
    return weights / weights.sum(1, keepdim=True)


soft_shares = Exercise(
    "soft_shares",
    _shares_by_loop,
    {
        "four classes": Case(_draw_points(8, 4, 0.5)),
        "one image": Case(_draw_points(1, 3, 0.7)),
        "a large scale": Case(_draw_points(6, 3, 5.0)),
        "far from all prototypes": Case(_draw_points(6, 3, 0.5, away=30.0)),
        "passes the gradient on": Case(_draw_points(5, 3, 0.3), gradient=True),
    },
    [
        Mistake(
            lambda x, c, s: (-s * _squared(x, c)).softmax(0),
            "the softmax runs over the images; each image is shared out among the classes",
        ),
        Mistake(
            lambda x, c, s: (s * _squared(x, c)).softmax(1), "the farthest class gets most: a sign is turned round"
        ),
        Mistake(
            lambda x, c, s: (-s * _squared(x, c).sqrt()).softmax(1), "these are plain distances; the square is missing"
        ),
        Mistake(lambda x, c, s: (-_squared(x, c)).softmax(1), "the scale is missing"),
        Mistake(lambda x, c, s: (-_squared(x, c) / s).softmax(1), "you divided by the scale; multiply by it"),
        Mistake(
            lambda x, c, s: (-s * _squared(x, c) / 2).softmax(1),
            "there is a half as in a Gaussian; it is not asked for",
        ),
        Mistake(
            lambda x, c, s: (-s * _squared(x, c) / x.shape[1]).softmax(1),
            "you took the mean over the features; a squared distance is their sum",
        ),
        Mistake(lambda x, c, s: -s * _squared(x, c), "these are the logits; the softmax is missing"),
        Mistake(
            lambda x, c, s: (-s * _squared(x, c)).log_softmax(1), "these are logarithms of shares; take them without"
        ),
        Mistake(
            lambda x, c, s: F.one_hot(_squared(x, c).argmin(1), len(c)).to(x.dtype),
            "each image goes as a whole to its nearest class; soft shares are asked for",
        ),
        Mistake(lambda x, c, s: (s * x @ c.T).softmax(1), "these are inner products, not squared distances"),
        Mistake(_one_over, "you shared by one over the distance; a softmax is asked for"),
        Mistake(
            lambda x, c, s: (-s * _squared(x, c)).softmax(1).T,
            "the rows belong to the classes; they must belong to images",
        ),
    ],
)

# New prototypes


def _draw_task(shots: list[int], u: int, *, masked: bool = False) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        labels = torch.repeat_interleave(torch.arange(len(shots)), torch.tensor(shots))
        labels = labels[torch.randperm(len(labels), generator=generator)]
        shares = (2 * torch.randn(u, len(shots), generator=generator)).softmax(1)
        if masked:
            shares = shares * torch.rand(u, len(shots), generator=generator)
        images = torch.randn(len(labels) + u, 3, generator=generator) + 1
        return images[: len(labels)], labels, images[len(labels) :], shares

    return draw


def _means_by_loop(support: Tensor, labels: Tensor, unlabelled: Tensor, shares: Tensor) -> Tensor:
    found = []
    for n in range(shares.shape[1]):
        weighted = [(x, 1.0) for x, y in zip(support.tolist(), labels.tolist(), strict=True) if y == n]
        weighted += list(zip(unlabelled.tolist(), shares[:, n].tolist(), strict=True))
        total = sum(w for _, w in weighted)
        found.append([sum(w * x[d] for x, w in weighted) / total for d in range(support.shape[1])])
    return torch.tensor(found, dtype=support.dtype)


def _own(y: Tensor, z: Tensor) -> Tensor:
    return F.one_hot(y, z.shape[1]).to(z.dtype)


def _refined(x: Tensor, y: Tensor, u: Tensor, z: Tensor, below: Tensor | float | None = None) -> Tensor:
    whole = _own(y, z).sum(0) + z.sum(0) if below is None else torch.as_tensor(below).expand(z.shape[1])
    return (_own(y, z).T @ x + z.T @ u) / whole[:, None]


def _alone(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return _own(y, z).T @ x / _own(y, z).sum(0)[:, None]


refined_prototypes = Exercise(
    "refined_prototypes",
    _means_by_loop,
    {
        "one image per class": Case(_draw_task([1, 1, 1], 6)),
        "uneven shots": Case(_draw_task([3, 1, 2], 5)),
        "shares that do not add up to one": Case(_draw_task([2, 1, 2], 7, masked=True)),
        "one unlabelled image": Case(_draw_task([2, 2], 1)),
    },
    [
        Mistake(lambda x, y, u, z: _alone(x, y, z), "the unlabelled images play no part here"),
        Mistake(lambda x, y, u, z: z.T @ u / z.sum(0)[:, None], "the labelled images play no part here"),
        Mistake(lambda x, y, u, z: _refined(x, y, u, z, 1.0), "these are sums; divide by all weights of the class"),
        Mistake(
            lambda x, y, u, z: _refined(x, y, u, z, _own(y, z).sum(0)),
            "you divided by the number of labelled images; the shares count below as well",
        ),
        Mistake(
            lambda x, y, u, z: _refined(x, y, u, z, z.sum(0)),
            "you divided by the shares; the labelled images count below as well",
        ),
        Mistake(
            lambda x, y, u, z: _refined(x, y, u, z, float(len(x) + len(u))),
            "you divided by the number of all images; only what belongs to the class counts",
        ),
        Mistake(
            lambda x, y, u, z: _refined(x, y, u, z, _own(y, z).sum(0) + len(u)),
            "each unlabelled image counts as a whole below; it counts with its share",
        ),
        Mistake(
            lambda x, y, u, z: (_alone(x, y, z) + z.T @ u / z.sum(0)[:, None]) / 2,
            "this is the mean of two means; every image has to count with its own weight",
        ),
        Mistake(
            lambda x, y, u, z: _refined(x, y, u, F.one_hot(z.argmax(1), z.shape[1]).to(z.dtype)),
            "each image was given to one class as a whole; use the shares as they are",
        ),
        Mistake(
            lambda x, y, u, z: _refined(x, y, u, z / z.sum(1, keepdim=True)),
            "you made the shares of each image add up to one; some images may belong to nobody",
        ),
        Mistake(
            lambda x, y, u, z: _refined(x, y, u, z / z.sum(0)),
            "you made the shares of each class add up to one; use them as they are",
        ),
        Mistake(
            lambda x, y, u, z: _refined(x, y, u, z, len(x) / z.shape[1] + z.sum(0)),
            "you took the same number of labelled images for every class; count them",
        ),
        Mistake(lambda x, y, u, z: _refined(x, y, u, z).T, "a prototype must be a row, [N, D]"),
    ],
)
