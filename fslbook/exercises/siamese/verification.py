"""Checks of chapter 4's exercises, continued: what the losses do to distances, and how to judge them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

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
        Mistake(
            lambda *a: -_gradient(*a),
            "the sign is wrong: this is the direction of a step, downhill, or the gradient with respect to x2",
        ),
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
        Mistake(
            lambda a, b, y, m: torch.where(y[:, None], -_gradient(a, b, y, m), _gradient(a, b, y, m)),
            "for pairs of two classes the sign is wrong: a step downhill would bring them together",
        ),
        Mistake(
            lambda a, b, y, m: torch.where(y[:, None], F.normalize(_gradient(a, b, y, m)), _gradient(a, b, y, m)),
            "for pairs of two classes yours has always length 1; the nearer they are, the harder the push",
        ),
        Mistake(
            lambda a, b, y, m: torch.where(y[:, None], _gradient(a, b, y, m), F.normalize(a - b)),
            "for pairs of one class this is a unit vector; the farther they are, the harder the pull",
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
    if max(_errors(same, different, rate)) <= wanted + grain and abs(threshold - wanted) <= grain:
        return "the two numbers have changed places: first the rate, then the threshold"
    if max(_errors(same, different, threshold)) > wanted + grain:
        return "at this threshold the two kinds of error are not equally frequent"
    if abs(1 - rate - wanted) <= grain:
        return "the rate is the share of right answers; asked is the share of errors"
    if abs(rate / 100 - wanted) <= grain:
        return "the rate is in percent; asked is a share between 0 and 1"
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
