"""A check of chapter 4's exercises: which negatives to learn from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_distances(n_classes: int, widest: float) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        labels = torch.arange(4 * n_classes)[torch.randperm(4 * n_classes, generator=generator)] % n_classes
        points = torch.randn(len(labels), 3, generator=generator, dtype=torch.float64)
        points[labels == 0] *= widest
        return torch.cdist(points, points).float(), labels

    return draw


def _negatives(distances: Tensor, labels: Tensor, rule: str = "semi-hard") -> Tensor:
    d, y = distances.tolist(), labels.tolist()
    chosen = torch.full((len(y), len(y)), -1, device=labels.device)
    for a, row in enumerate(d):
        others = [n for n in range(len(y)) if y[n] != y[a] or (rule == "any class" and n != a)]
        for p in (p for p in range(len(y)) if y[p] == y[a] and p != a):
            chosen[a, p] = _one_negative(row, others, row[p], rule)
    return chosen


def _one_negative(row: list[float], others: list[int], d_ap: float, rule: str) -> int:
    if rule == "hardest":
        return min(others, key=row.__getitem__)
    if rule == "closer":
        return max([n for n in others if row[n] < d_ap] or others, key=row.__getitem__)
    farther = [n for n in others if row[n] > d_ap and rule != "farthest"]
    if not farther:
        return 0 if rule == "none" else (min if rule == "near" else max)(others, key=row.__getitem__)
    return min(farther, key=row.__getitem__)


def _changed(change: Any) -> Any:
    """The right table, changed; `pairs` is a mask of the places that hold a negative."""

    def version(distances: Tensor, labels: Tensor) -> Tensor:
        table = _negatives(distances, labels)
        wrong: Tensor = change(table, table >= 0, labels)
        return wrong

    return version


def _nearest_to_the_positive(distances: Tensor, labels: Tensor) -> Tensor:
    table = _negatives(distances, labels)
    rows = torch.where(labels[:, None] == labels, torch.inf, distances).argmin(1)  # of each image the nearest other
    return torch.where(table >= 0, rows, -1)


semi_hard_negatives = Exercise(
    "semi_hard_negatives",
    _negatives,
    {
        "three classes": Case(_draw_distances(3, widest=1.0)),
        "some have no negative beyond the positive": Case(_draw_distances(3, widest=5.0)),
        "six classes": Case(_draw_distances(6, widest=1.0)),
    },
    [
        Mistake(
            lambda d, y: _negatives(d, y, "hardest"),
            "you took the nearest image of another class, also where it is nearer than the positive",
        ),
        Mistake(lambda d, y: _negatives(d, y, "farthest"), "you took the farthest image of all; that is the easiest"),
        Mistake(lambda d, y: _negatives(d, y, "any class"), "some of these negatives are of the anchor's own class"),
        Mistake(lambda d, y: _negatives(d, y, "closer"), "these negatives are nearer than the positive, not farther"),
        Mistake(
            lambda d, y: _negatives(d, y, "none"),
            "where no negative is farther than the positive, row 0 came out; the task names another",
        ),
        Mistake(
            lambda d, y: _negatives(d, y, "near"),
            "where no negative is farther than the positive, the nearest came out; the task names another",
        ),
        Mistake(
            _changed(lambda table, pairs, y: table.T.contiguous()),
            "rows and columns are mixed up: rows are anchors, columns are positives",
        ),
        Mistake(
            _changed(lambda table, pairs, y: torch.where(pairs, table, 0)),
            "where there is no pair of one class, −1 must stand; 0 is an image",
        ),
        Mistake(
            _changed(lambda table, pairs, y: table.clone().fill_diagonal_(0)),
            "an image is no positive of itself: on the diagonal −1 must stand",
        ),
        Mistake(
            _changed(lambda table, pairs, y: torch.where(y[:, None] == y, table, 0)),
            "where the two are of different classes, −1 must stand; 0 is an image",
        ),
        Mistake(_nearest_to_the_positive, "you looked from the positive; distances are those from the anchor"),
    ],
)
