"""A check of chapter 5's exercises: squared distances without a table of differences."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.watching import Work


def _draw_queries(generator: Generator) -> tuple[Tensor, Tensor]:
    return torch.randn(7, 5, generator=generator), torch.randn(3, 5, generator=generator)


def _far_from_zero(generator: Generator) -> tuple[Tensor, Tensor]:
    queries, centres = _draw_queries(generator)
    return queries, torch.cat([centres, queries[:2]])


def squares_by_loop(queries: Tensor, prototypes: Tensor) -> Tensor:
    """Squared Euclidean distances, number by number.

    Args:
        queries: [Q, D].
        prototypes: [N, D].

    Returns:
        float [Q, N].

    Example:
        >>> squares_by_loop(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]))
        tensor([[25.]])
    """
    rows = [
        [sum((a - b) ** 2 for a, b in zip(q, c, strict=True)) for c in prototypes.tolist()] for q in queries.tolist()
    ]
    return torch.tensor(rows, dtype=queries.dtype, device=queries.device)


def _many(generator: Generator) -> tuple[Tensor, Tensor]:
    return torch.randn(30, 40, generator=generator), torch.randn(20, 40, generator=generator)


def _built_differences(work: Work, queries: Tensor, prototypes: Tensor) -> str | None:
    if work.largest < queries.numel() * len(prototypes):
        return None
    return "you built the table of all differences, Q · N · D numbers; products of Q · N are enough"


squared_distances = Exercise(
    "squared_distances",
    squares_by_loop,
    {
        "seven queries, three prototypes": Case(_draw_queries),
        "a query that lies on a prototype": Case(_far_from_zero),
        "passes the gradient on": Case(_draw_queries, gradient=True),
        "without the table of differences": Case(_many, watch=_built_differences),
    },
    [
        Mistake(
            lambda q, c: (q * q).sum(1, keepdim=True) + (c * c).sum(1),
            "the product of query and prototype is missing: (a − b)² has three terms",
        ),
        Mistake(
            lambda q, c: (q * q).sum(1, keepdim=True) - q @ c.T + (c * c).sum(1),
            "the product in the middle counts twice: (a − b)² = a² − 2ab + b²",
        ),
        Mistake(
            lambda q, c: (q * q).sum(1, keepdim=True) + 2 * q @ c.T + (c * c).sum(1),
            "this is (a + b)²; the product in the middle has a minus",
        ),
        Mistake(
            lambda q, c: (c * c).sum(1) - 2 * q @ c.T,
            "the squared length of the query is missing; a softmax would not notice, a distance does",
        ),
        Mistake(lambda q, c: torch.cdist(q, c), "these are distances; the square is missing"),
        Mistake(lambda q, c: -(torch.cdist(q, c) ** 2), "the sign is wrong: a distance is never negative"),
        Mistake(lambda q, c: torch.cdist(q, c, p=1), "you added up absolute differences; take their squares"),
        Mistake(lambda q, c: ((q[:, None] - c) ** 2).mean(-1), "you took the mean over the features; take the sum"),
        Mistake(lambda q, c: q @ c.T, "these are inner products; they are similarities, not distances"),
        Mistake(
            lambda q, c: (q * q).sum(1, keepdim=True) - 2 * q @ c.T,
            "the squared length of the prototype is missing; it differs from class to class",
        ),
    ],
)
