"""A check of chapter 11's exercises: how sure a classifier with short weights can be."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _surest(length: float, n_way: int) -> Tensor:
    best, other = math.exp(length), math.exp(-length)
    return torch.tensor(best / (best + (n_way - 1) * other), dtype=torch.float64)


def _draw_bound(low: float, high: float, n_way: int) -> Any:
    def draw(generator: Generator) -> tuple[float, int]:
        return low + (high - low) * torch.rand((), generator=generator).item(), n_way

    return draw


surest_probability = Exercise(
    "surest_probability",
    _surest,
    {
        "two classes": Case(_draw_bound(0.3, 2.0, 2)),
        "five classes": Case(_draw_bound(0.3, 2.0, 5)),
        "twenty classes, short weights": Case(_draw_bound(0.1, 0.5, 20)),
        "twenty classes, long weights": Case(_draw_bound(2.0, 3.0, 20)),
    },
    [
        Mistake(
            lambda r, n: math.exp(r) / (math.exp(r) + n - 1),
            "here the logits of the other classes are 0; they can be as low as minus the length",
        ),
        Mistake(lambda r, n: 1 / (1 + math.exp(-2 * r)), "this is right for two classes; there are n_way − 1 others"),
        Mistake(
            lambda r, n: math.exp(r) / (math.exp(r) + n * math.exp(-r)),
            "you counted n_way others; the right class is not one of them",
        ),
        Mistake(
            lambda r, n: math.exp(r) / (n * math.exp(r)),
            "all logits are equal here; how far apart can they be at most?",
        ),
        Mistake(
            lambda r, n: math.exp(-r) / (math.exp(-r) + (n - 1) * math.exp(r)),
            "this is the least probability, not the largest: the signs are turned round",
        ),
        Mistake(
            lambda r, n: 1 - math.exp(r) / (math.exp(r) + (n - 1) * math.exp(-r)),
            "this is the probability of being wrong; one minus it is asked for",
        ),
        Mistake(
            lambda r, n: math.exp(2 * r) / (math.exp(2 * r) + (n - 1) * math.exp(-2 * r)),
            "the logit of a unit vector is at most the length of the weights, not twice that",
        ),
        Mistake(
            lambda r, n: math.exp(r * r) / (math.exp(r * r) + (n - 1) * math.exp(-r * r)),
            "you squared the length; a product with a unit vector is at most the length itself",
        ),
        Mistake(lambda r, n: r / (r + (n - 1) * -r), "the exponential function of the softmax is missing"),
        Mistake(lambda r, n: math.exp(r) / (math.exp(r) + (n - 1)) ** 2, lambda r, n: _of(r, n)),
    ],
)


def _of(length: float, n_way: int) -> str:
    return f"with length {length:.2f} and {n_way} classes the logits are {length:.2f} once and −{length:.2f} otherwise"
