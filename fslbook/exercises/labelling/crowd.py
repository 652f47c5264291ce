"""Checks of chapter 14's exercises: in the middle of a crowd, and after a wrong answer."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# The middle of a crowd


def _draw_cloud(m: int, k: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, int]:
        return torch.randn(m, 3, generator=generator), k

    return draw


def _typical(features: Tensor, k: int) -> Tensor:
    rows = features.tolist()
    found = []
    for i, x in enumerate(rows):
        near = sorted(math.dist(x, y) for j, y in enumerate(rows) if j != i)[:k]
        found.append(len(near) / sum(near))
    return torch.tensor(found, dtype=features.dtype)


def _sorted(features: Tensor) -> Tensor:
    return torch.cdist(features, features).sort(dim=1).values


typical_score = Exercise(
    "typical_score",
    _typical,
    {
        "five neighbours": Case(_draw_cloud(20, 5)),
        "one neighbour": Case(_draw_cloud(12, 1)),
        "all others": Case(_draw_cloud(9, 8)),
    },
    [
        Mistake(lambda x, k: 1 / _sorted(x)[:, :k].mean(1), "each image counts as its own neighbour, at distance 0"),
        Mistake(
            lambda x, k: _sorted(x)[:, 1 : k + 1].mean(1),
            "this is the mean distance; a typical image has a small one: take its inverse",
        ),
        Mistake(
            lambda x, k: -_sorted(x)[:, 1 : k + 1].mean(1),
            "minus the distance orders alike, but one over it is asked for",
        ),
        Mistake(lambda x, k: 1 / _sorted(x)[:, 1 : k + 1].sum(1), "this is a sum over the neighbours; take the mean"),
        Mistake(
            lambda x, k: (1 / _sorted(x)[:, 1 : k + 1]).mean(1),
            "this is the mean of the inverses; take the inverse of the mean",
        ),
        Mistake(
            lambda x, k: 1 / _sorted(x)[:, -k:].mean(1),
            "these are the farthest images; the nearest are asked for",
        ),
        Mistake(lambda x, k: 1 / _sorted(x)[:, 1 : k + 2].mean(1), "one neighbour too many"),
        Mistake(
            lambda x, k: 1 / _sorted(x)[:, 1 : k + 1].square().mean(1), "the distances are squared; take them plain"
        ),
        Mistake(
            lambda x, k: 1 / (x - x.mean(0)).norm(dim=1),
            "you measured from the middle of all; the neighbours are asked for",
        ),
        Mistake(
            lambda x, k: 1 / _sorted(x)[:, k],
            "this is the k-th neighbour alone; take the mean of the first k",
        ),
        Mistake(
            lambda x, k: torch.softmax(-_sorted(x)[:, 1 : k + 1].mean(1), 0),
            "there is a softmax in it; it is not asked for",
        ),
        Mistake(
            lambda x, k: 1 / torch.cdist(x, x, p=1).sort(1).values[:, 1 : k + 1].mean(1),
            "these distances add up absolute differences; take Euclidean ones",
        ),
        Mistake(
            lambda x, k: (k + 1) / _sorted(x)[:, 1 : k + 1].sum(1),
            "the image itself is counted among its neighbours: divide by k, not by k + 1",
        ),
        Mistake(
            lambda x, k: 1 / _sorted(x)[:, 1:].mean(1), "all other images were taken; k nearest ones are asked for"
        ),
        Mistake(lambda x, k: len(x) / _sorted(x).sum(1), "all images were taken; k nearest ones are asked for"),
        Mistake(lambda x, k: 1 / (1 + _sorted(x)[:, 1 : k + 1].mean(1)), "there is a 1 too much below"),
        Mistake(
            lambda x, k: (-_sorted(x)[:, 1 : k + 1].mean(1)).exp(),
            "the exponential of minus the distance orders alike, but one over it is asked for",
        ),
        Mistake(
            lambda x, k: 1 / _sorted(x)[:, 1 : k + 1].median(1).values,
            "this is the median of the distances; take the mean",
        ),
        Mistake(
            lambda x, k: 1 / _sorted(F.normalize(x, dim=1))[:, 1 : k + 1].mean(1),
            "the features were brought to length 1; take them as they are",
        ),
    ],
)

# One wrong answer


def _draw_slip(generator: Generator) -> tuple[int, float]:
    return int(torch.randint(2, 12, (), generator=generator)), 1 + 4 * torch.rand((), generator=generator).item()


def _moved(count: int, apart: float) -> Tensor:
    return torch.tensor(apart / (count + 1), dtype=torch.float64)


wrong_label_shift = Exercise(
    "wrong_label_shift",
    _moved,
    {
        "some right labels": Case(_draw_slip),
        "one right label": Case(lambda generator: (1, _draw_slip(generator)[1])),
        "many right labels": Case(lambda generator: (40, _draw_slip(generator)[1])),
    },
    [
        Mistake(lambda k, d: d / k, "the wrong image counts too: there are count + 1 in the new mean"),
        Mistake(lambda k, d: d * k / (k + 1), "this is what is left of the way; the mean moves by the other part"),
        Mistake(lambda k, d: d, "this moves the mean all the way, as if there were no right label"),
        Mistake(lambda k, d: d / 2, "half-way is right for one right label only"),
        Mistake(lambda k, d: 1 / (k + 1), "this is a share of the way; multiply by the distance"),
        Mistake(lambda k, d: d / (k + 2), "one image too many in the mean"),
        Mistake(lambda k, d: d / math.sqrt(k + 1), "a mean moves like one over the number, not like one over its root"),
        Mistake(lambda k, d: d * d / (k + 1), "the distance is squared"),
        Mistake(lambda k, d: d / (k + 1) ** 2, "you divided twice by the number of images"),
        Mistake(lambda k, d: d * (k + 1), "you multiplied; more right labels make the move smaller"),
        Mistake(lambda k, d: -d / (k + 1), "a distance is not negative"),
        Mistake(lambda k, d: 0.0, "one wrong label moves the mean, if only a little"),
        Mistake(lambda k, d: d / (k - 1), "one image too few in the mean, two even"),
        Mistake(lambda k, d: k / (k + 1), "a share of the way, and that which is left; the distance is missing"),
        Mistake(lambda k, d: d * 0.5**k, "not each label halves the move: with two right ones it is a third"),
        Mistake(
            lambda k, d: d * math.sqrt(k) / (k + 1), "this is the spread of the labels; how far is their mean from 0?"
        ),
        Mistake(lambda k, d: d / k - d / (k + 1), "this is the difference of two means; the mean was at 0 before"),
        Mistake(lambda k, d: 100 / (k + 1), "this is a share of the way in percent; the distance is asked for"),
    ],
)
