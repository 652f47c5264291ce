"""A check of chapter 12's exercises: how evenly vectors lie on the sphere."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Uniformity


def _draw_features(n: int, spread: float) -> Any:
    return lambda generator: (1 + spread * torch.randn(n, 3, generator=generator),)


def _uniformity_by_loop(features: Tensor) -> Tensor:
    rows = [[a / math.hypot(*x) for a in x] for x in features.tolist()]
    pairs = [(i, j) for i in range(len(rows)) for j in range(i)]
    terms = [math.exp(-2 * math.dist(rows[i], rows[j]) ** 2) for i, j in pairs]
    return torch.tensor(math.log(sum(terms) / len(terms)), dtype=features.dtype)


def _far(x: Tensor) -> Tensor:
    return torch.pdist(F.normalize(x, dim=1))


def _all_pairs(x: Tensor) -> Tensor:
    z = F.normalize(x, dim=1)
    return (-2 * torch.cdist(z, z).square()).exp().mean().log()


def _kernel(x: Tensor) -> Tensor:
    return (-2 * _far(x).square()).exp().mean().log()


evenness = Exercise(
    "evenness",
    _uniformity_by_loop,
    {
        "four vectors": Case(_draw_features(4, 1.0)),
        "twenty vectors": Case(_draw_features(20, 1.5)),
        "vectors close together": Case(_draw_features(6, 0.5)),
    },
    [
        Mistake(_all_pairs, "each vector was paired with itself, too"),
        Mistake(lambda x: (-2 * torch.pdist(x).square()).exp().mean().log(), "the lengths were not divided out"),
        Mistake(lambda x: (-2 * _far(x)).exp().mean().log(), "the square of the distance is missing"),
        Mistake(lambda x: (-_far(x).square()).exp().mean().log(), "the factor 2 is missing"),
        Mistake(lambda x: (-2 * _far(x).square()).exp().mean(), "the logarithm is missing"),
        Mistake(lambda x: (-2 * _far(x).square()).mean(), "this is the mean of the exponents: exp and log are missing"),
        Mistake(lambda x: (2 * _far(x).square()).exp().mean().log(), "the sign of the exponent is wrong"),
        Mistake(lambda x: (-2 * _far(x).square()).exp().sum().log(), "this is the sum over all pairs, not the mean"),
        Mistake(lambda x: -(-2 * _far(x).square()).exp().mean().log(), "the sign is wrong: lower must mean more even"),
        Mistake(
            lambda x: (-2 * torch.pdist(F.normalize(x, dim=0)).square()).exp().mean().log(),
            "you divided each column by its length; a feature vector is a row",
        ),
        Mistake(
            lambda x: (-2 * torch.pdist(x / x.norm()).square()).exp().mean().log(),
            "one length was divided out of all; each vector has its own",
        ),
        Mistake(lambda x: (-4 * _far(x).square()).exp().mean().log(), "the 2 stands outside the square"),
        Mistake(
            lambda x: _kernel(x) + 4, "the squared distance of unit vectors is 2 minus twice the cosine: a 2 is missing"
        ),
        Mistake(
            lambda x: (-2 * (1 - _far(x).square() / 2)).exp().mean().log(),
            "this takes the cosine where the squared distance belongs",
        ),
        Mistake(
            lambda x: _kernel(x) + math.log((len(x) - 1) / len(x)),
            "each pair was counted in both orders, and M² is not their number: no vector pairs with itself",
        ),
        Mistake(lambda x: _kernel(x) + math.log(2), "each pair was counted in both orders, but divided out once"),
        Mistake(
            lambda x: _kernel(x) + math.log((len(x) - 1) / 2),
            "you divided by the number of vectors; divide by the number of pairs",
        ),
        Mistake(lambda x: _kernel(x) / math.log(10), "this is the logarithm to base 10; take the natural one"),
        Mistake(
            lambda x: (-2 * F.normalize(x, dim=1).diff(dim=0).square().sum(1)).exp().mean().log(),
            "only neighbours in the list were compared; take all pairs",
        ),
    ],
)
