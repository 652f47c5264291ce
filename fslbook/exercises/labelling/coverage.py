"""Checks of chapter 14's exercises: far from all labels, in the middle of a crowd, and after a wrong answer."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# How far from the labels


def _draw_pool(m: int, labelled: int, shift: float = 0.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, list[int]]:
        chosen = torch.randperm(m, generator=generator)[:labelled].tolist()
        return shift + torch.randn(m, 3, generator=generator), chosen

    return draw


def _nearest(features: Tensor, labelled: list[int]) -> Tensor:
    rows = [min(math.dist(x, features[j].tolist()) for j in labelled) for x in features.tolist()]
    return torch.tensor(rows, dtype=features.dtype)


def _apart(features: Tensor, labelled: list[int]) -> Tensor:
    return torch.cdist(features, features[labelled])  # [M, L]


distance_to_labels = Exercise(
    "distance_to_labels",
    _nearest,
    {
        "three labels": Case(_draw_pool(20, 3)),
        "one label": Case(_draw_pool(9, 1)),
        "ten labels": Case(_draw_pool(24, 10)),
        "far from zero": Case(_draw_pool(20, 4, shift=50.0)),
    },
    [
        Mistake(lambda x, y: _apart(x, y).amax(1), "this is the farthest label of each image; its nearest one counts"),
        Mistake(lambda x, y: _apart(x, y).mean(1), "this is a mean over the labels; the nearest one counts"),
        Mistake(lambda x, y: _apart(x, y).sum(1), "this is a sum over the labels; the nearest one counts"),
        Mistake(lambda x, y: _apart(x, y[:1])[:, 0], "you looked at the first label only"),
        Mistake(lambda x, y: _apart(x, y[-1:])[:, 0], "you looked at the last label only"),
        Mistake(
            lambda x, y: (x - x[y].mean(0)).norm(dim=1),
            "you measured from the mean of the labelled images; measure to each of them",
        ),
        Mistake(lambda x, y: _apart(x, y).amin(1).square(), "these are squared distances; take them plain"),
        Mistake(
            lambda x, y: torch.cdist(x, x[y], p=1).amin(1), "these add up absolute differences; take Euclidean ones"
        ),
        Mistake(lambda x, y: -_apart(x, y).amin(1), "a distance is not negative"),
        Mistake(lambda x, y: _apart(x, y).argmin(1).float(), "this says which label is nearest; how far is it?"),
        Mistake(lambda x, y: _apart(x, y).amin(0), "one number per label; one per image is asked for"),
        Mistake(
            lambda x, y: torch.cdist(x, x).fill_diagonal_(torch.inf).amin(1),
            "this is the distance to the nearest other image, labelled or not",
        ),
    ],
)

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
        Mistake(
            lambda x, k: 1 / (_sorted(x)[:, :k].mean(1) + 1e-5), "each image counts as its own neighbour, at distance 0"
        ),
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
            lambda x, k: 1 / _sorted(x)[:, -k:].mean(1) * 1.0001,
            "these are the farthest images; the nearest are asked for",
        ),
        Mistake(
            lambda x, k: 1 / _sorted(x)[:, 1 : k + 2].mean(1) * (1 + 1e-3 * (k == len(x) - 1)), "one neighbour too many"
        ),
        Mistake(
            lambda x, k: 1 / _sorted(x)[:, 1 : k + 1].square().mean(1), "the distances are squared; take them plain"
        ),
        Mistake(
            lambda x, k: 1 / (x - x.mean(0)).norm(dim=1),
            "you measured from the middle of all; the neighbours are asked for",
        ),
        Mistake(
            lambda x, k: 1 / _sorted(x)[:, k] * (1 + 1e-3 * (k == 1)),
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
    ],
)

# One wrong answer


def _draw_slip(generator: Generator) -> tuple[int, float]:
    return int(torch.randint(1, 12, (), generator=generator)), 1 + 4 * torch.rand((), generator=generator).item()


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
    ],
)
