"""Checks of chapter 4's exercises, continued: what the losses do to distances, and how to judge them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.networks.losses import pair_distances

# Where the loss pushes


def _draw_vectors(kind: str) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor, float]:
        x1, step = torch.randn(2, 8, 5, generator=generator)
        length = {"inside": 1.4, "outside": 3.0, "equal": 0.0}[kind]
        x2 = x1 + length * step / step.norm(dim=1, keepdim=True)
        different = torch.arange(8) % 2 == 1
        return x1, x2, different if length else torch.zeros(8, dtype=torch.bool), 2.0

    return draw


def _gradient(x1: Tensor, x2: Tensor, different: Tensor, margin: float) -> Tensor:
    x1 = x1.detach().clone().requires_grad_()
    d = pair_distances(x1, x2)
    loss = torch.where(different, (margin - d).clamp_min(0).square(), d.square()) / 2
    return torch.autograd.grad(loss.sum(), x1)[0]


def _by_hand(
    x1: Tensor, x2: Tensor, different: Tensor, margin: float, *, unit: bool = True, clamp: bool = True
) -> Tensor:
    d = (x1 - x2).norm(dim=1, keepdim=True)
    inside = (margin - d).clamp_min(0) if clamp else margin - d
    return torch.where(different[:, None], -inside * (x1 - x2) / (d if unit else 1), x1 - x2)


def _always_divided(x1: Tensor, x2: Tensor, different: Tensor, margin: float) -> Tensor:
    d = (x1 - x2).norm(dim=1, keepdim=True)
    return torch.where(different[:, None], -(margin - d).clamp_min(0), d) * ((x1 - x2) / d)


contrastive_gradient = Exercise(
    "contrastive_gradient",
    _gradient,
    {
        "inside the margin": Case(_draw_vectors("inside")),
        "outside the margin": Case(_draw_vectors("outside")),
        "two equal vectors of one class": Case(_draw_vectors("equal")),
    },
    [
        Mistake(lambda *a: -_gradient(*a), "the sign is wrong: this is the direction of a step, downhill"),
        Mistake(lambda a, b, y, m: _gradient(a, b, ~y, m), "the two kinds of pairs have changed places"),
        Mistake(
            lambda *a: _by_hand(*a, unit=False),
            "for pairs of two classes the length is not right; what is the gradient of a distance?",
        ),
        Mistake(lambda *a: _by_hand(*a, clamp=False), "beyond the margin the loss is flat"),
        Mistake(_always_divided, "0 / 0 is not a number; for equal vectors of one class there is nothing to divide"),
        Mistake(
            lambda a, b, y, m: _gradient(a, b, y, m) / len(a), "this is for the mean; asked is each pair's own loss"
        ),
    ],
)

# Semi-hard negatives


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
        return 0 if rule == "none" else max(others, key=row.__getitem__)
    return min(farther, key=row.__getitem__)


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
    ],
)

# The equal error


def _draw_verification(n_same: int, n_different: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        same = 4 + 1.0 * torch.randn(n_same, generator=generator)
        return same.abs(), (7 + 3.0 * torch.randn(n_different, generator=generator)).abs()

    return draw


def _errors(same: Tensor, different: Tensor, threshold: float) -> tuple[float, float]:
    """Share of equal pairs missed, share of different ones let through."""
    return float((same >= threshold).double().mean()), float((different < threshold).double().mean())


def _best(same: Tensor, different: Tensor, badness: Any = max) -> tuple[float, float]:
    thresholds = torch.cat([same, different]).tolist()
    return min((badness(*_errors(same, different, t)), t) for t in thresholds)


def _equal_error_fault(answer: Any, same: Tensor, different: Tensor) -> str | None:
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        return "return two numbers: rate, threshold"
    try:
        rate, threshold = (float(x) for x in answer)
    except (TypeError, ValueError, RuntimeError):
        return "return two numbers: rate, threshold"
    if not (math.isfinite(rate) and math.isfinite(threshold)):
        return "return two finite numbers"
    wanted, grain = _best(same, different)[0], 3 / min(len(same), len(different))
    if max(_errors(same, different, threshold)) > wanted + grain:
        return "at this threshold the two kinds of error are not equally frequent"
    if abs(1 - rate - wanted) <= grain:
        return "the rate is the share of right answers; asked is the share of errors"
    return None if abs(rate - wanted) <= grain else "the rate is not that of this threshold"


def _all_errors(same: Tensor, different: Tensor) -> tuple[float, float]:
    n, m = len(same), len(different)
    return _best(same, different, lambda missed, accepted: (n * missed + m * accepted) / (n + m))


def _halfway(same: Tensor, different: Tensor) -> tuple[float, float]:
    threshold = float(same.mean() + different.mean()) / 2
    return max(_errors(same, different, threshold)), threshold


equal_error = Exercise(
    "equal_error",
    _best,
    {
        "as many of both kinds": Case(_draw_verification(400, 400), _equal_error_fault),
        "many more different pairs": Case(_draw_verification(200, 1000), _equal_error_fault),
    },
    [
        Mistake(_all_errors, "at this threshold the two kinds of error are not equally frequent"),
        Mistake(_halfway, "at this threshold the two kinds of error are not equally frequent"),
        Mistake(
            lambda s, d: (1 - _best(s, d)[0], _best(s, d)[1]),
            "the rate is the share of right answers; asked is the share of errors",
        ),
        Mistake(lambda s, d: (2 * _best(s, d)[0], _best(s, d)[1]), "the rate is not that of this threshold"),
    ],
)
