"""A check of chapter 6's exercises: cosines that survive an empty image."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_vectors(generator: Generator) -> tuple[Tensor, Tensor]:
    lengths = 0.5 + 3 * torch.rand(6, 1, generator=generator)
    return torch.randn(6, 5, generator=generator) * lengths, torch.randn(4, 5, generator=generator)


def _with_an_empty_image(generator: Generator) -> tuple[Tensor, Tensor]:
    queries, support = _draw_vectors(generator)
    return torch.cat([queries, torch.zeros(1, 5)]), torch.cat([torch.zeros(1, 5), support])


def _cosines(queries: Tensor, support: Tensor) -> Tensor:
    rows = [[_cosine(f, g) for g in support.tolist()] for f in queries.tolist()]
    return torch.tensor(rows, dtype=queries.dtype, device=queries.device)


def _cosine(f: list[float], g: list[float]) -> float:
    lengths = math.hypot(*f) * math.hypot(*g)
    return sum(a * b for a, b in zip(f, g, strict=True)) / lengths if lengths else 0.0


def _unsafe_cosines(queries: Tensor, support: Tensor) -> Tensor:
    return queries @ support.T / (queries.norm(dim=1)[:, None] * support.norm(dim=1))


cosine_similarities = Exercise(
    "cosine_similarities",
    _cosines,
    {
        "vectors of any length": Case(_draw_vectors),
        "a vector of zeros": Case(_with_an_empty_image),
        "passes the gradient on": Case(_draw_vectors, gradient=True),
        "passes it on beside a vector of zeros": Case(_with_an_empty_image, gradient=True),
    },
    [
        Mistake(_unsafe_cosines, "a vector of zeros gives NaN: something is divided by its length, which is 0"),
        Mistake(lambda f, g: f @ g.T, "these are inner products: longer vectors get larger numbers"),
        Mistake(lambda f, g: f @ F.normalize(g, dim=1).T, "the numbers still grow with the length of the queries"),
        Mistake(lambda f, g: F.normalize(f, dim=1) @ g.T, "the numbers still grow with the length of the support"),
        Mistake(lambda f, g: 1 - _cosines(f, g), "these are distances: smaller where vectors are alike"),
        Mistake(
            lambda f, g: -torch.cdist(F.normalize(f, dim=1), F.normalize(g, dim=1)),
            "these are minus distances of vectors of length 1; their cosine is an inner product",
        ),
        Mistake(
            lambda f, g: F.normalize(f, dim=0) @ F.normalize(g, dim=0).T,
            "you scaled each feature over all images; scale each image over its features",
        ),
        Mistake(lambda f, g: _cosines(f, g).abs(), "the cosines lost their sign; opposite vectors have −1"),
        Mistake(lambda f, g: _cosines(f, g).clamp(-1, 1).acos(), "these are angles; hand back their cosines"),
        Mistake(
            lambda f, g: F.normalize(f, p=1, dim=1) @ F.normalize(g, p=1, dim=1).T,
            "you divided by the sum of absolute values; the length is the root of the sum of squares",
        ),
        Mistake(
            lambda f, g: _cosines(f - f.mean(1, keepdim=True), g - g.mean(1, keepdim=True)),
            "you took the mean of the features away first, which is a correlation",
        ),
    ],
)
