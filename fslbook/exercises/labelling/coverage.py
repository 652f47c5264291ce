"""Checks of chapter 14's exercises: how many classes a few labels reach, and how far an image is from all of them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Coverage by chance


def _draw_sizes(n_way: int, per_class: int, low: int, high: int) -> Any:
    def draw(generator: Generator) -> tuple[int, int, int]:
        return n_way, per_class, int(torch.randint(low, high + 1, (), generator=generator))

    return draw


def _reached(n_way: int, per_class: int, n_labels: int) -> Tensor:
    """One minus the chance that all labels fall outside a class, drawn without replacement."""
    missed = 1.0
    for i in range(n_labels):
        missed *= (n_way * per_class - per_class - i) / (n_way * per_class - i)
    return torch.tensor(1 - max(missed, 0.0), dtype=torch.float64)


def _one_draw_each(n: int, m: int, labels: int) -> float:
    return 1 - (1 - 1 / n) ** labels


def _missed(others: int, fewer: int, labels: int, pool: int, gone: int = 1) -> float:
    return 1 - math.prod((others - fewer * i) / (pool - gone * i) for i in range(labels))


expected_coverage = Exercise(
    "expected_coverage",
    _reached,
    {
        "twenty classes, as many labels": Case(_draw_sizes(20, 15, 18, 22)),
        "few images per class": Case(_draw_sizes(5, 2, 3, 6)),
        "many labels": Case(_draw_sizes(6, 10, 20, 40)),
        "one label": Case(_draw_sizes(7, 4, 1, 1)),
    },
    [
        Mistake(_one_draw_each, "this is right if an image could be drawn again; here each is asked for once"),
        Mistake(lambda n, m, b: min(1.0, b / n), "one label each on average is not one each: some classes get two"),
        Mistake(lambda n, m, b: 1 - _reached(n, m, b), "this is the share of classes that are missed"),
        Mistake(lambda n, m, b: n * _reached(n, m, b), "this is a number of classes; a share of 0 to 1 is asked for"),
        Mistake(lambda n, m, b: (1 - 1 / n) ** b, "this is the chance to miss a class, and with replacement"),
        Mistake(lambda n, m, b: b / (n * m), "this is the share of the images that get a label"),
        Mistake(lambda n, m, b: 1 - math.exp(-b / n), "this is the limit of very many classes and images"),
        Mistake(
            lambda n, m, b: 1 - (1 - 1 / m) ** b,
            "you divided by the images of a class; a label falls into one of n_way classes",
        ),
        Mistake(lambda n, m, b: 1 - (1 - 1 / n) ** (b - 1), "the first label counts as well"),
        Mistake(
            lambda n, m, b: _reached(n, m, b) ** n, "this asks for all classes at once; the mean share is asked for"
        ),
        Mistake(lambda n, m, b: 1.0, "some classes stay without a label unless there are very many"),
        Mistake(lambda n, m, b: _reached(m, n, b), "n_way and per_class have changed places"),
        Mistake(
            lambda n, m, b: _missed(n * m - m, 0, b, n * m),
            "each label takes one image out of the other classes, too, not only out of the pool",
        ),
        Mistake(
            lambda n, m, b: _missed(n * m - m, 1, b, n * m, 0),
            "each label takes one image out of the whole pool, too, not only out of the other classes",
        ),
        Mistake(
            lambda n, m, b: m * math.comb(n * m - m, b - 1) / math.comb(n * m, b),
            "this is the chance of exactly one label; at least one is asked for",
        ),
        Mistake(
            lambda n, m, b: 1 - (1 - b / (n * m)) ** m,
            "here each image gets a label with some chance, so that their number varies; it is fixed",
        ),
        Mistake(lambda n, m, b: _reached(n, m, b - 1), "there is one label too few"),
        Mistake(lambda n, m, b: _reached(n, m, b + 1), "there is one label too many"),
        Mistake(
            lambda n, m, b: 1 - (1 - 1 / (n * m)) ** b,
            "this is the chance that one image is reached; a class has per_class of them",
        ),
    ],
)

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
        Mistake(
            lambda x, y: torch.cdist(x, x[: len(y)]).amin(1),
            "you took the first rows; `labelled` holds the numbers of the rows",
        ),
        Mistake(
            lambda x, y: _apart(x, y).amin(1).index_fill(0, torch.tensor(y), torch.inf),
            "a labelled image is at distance 0 from a label; leave it so",
        ),
        Mistake(
            lambda x, y: _apart(x, y)[[i for i in range(len(x)) if i not in y]].amin(1),
            "the labelled images are left out; they have a distance as well, 0",
        ),
        Mistake(
            lambda x, y: (1 - F.normalize(x, dim=1) @ F.normalize(x[y], dim=1).T).amin(1),
            "this is one minus a cosine; take Euclidean distances",
        ),
        Mistake(
            lambda x, y: _apart(x, y).amin(1) / math.sqrt(x.shape[1]),
            "this is a mean over the features; take the root of their sum",
        ),
        Mistake(lambda x, y: torch.cdist(x, x[y], p=torch.inf).amin(1), "one feature alone counts in this distance"),
        Mistake(lambda x, y: _apart(x, y).sort(1).values[:, 1], "this is the second nearest label"),
        Mistake(
            lambda x, y: (x.square().sum(1)[:, None] + x[y].square().sum(1) - 2 * x @ x[y].T).amin(1).sqrt(),
            "|x|² + |y|² − 2xy loses its digits where the features are far from 0; subtract first",
        ),
    ],
)
