"""Checks of chapter 5's exercises: how far a query is from another answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_queries(n_way: int, shift: float = 0.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        queries, prototypes = torch.randn(9, 6, generator=generator), torch.randn(n_way, 6, generator=generator)
        return queries + shift, prototypes * (1 + torch.arange(n_way)[:, None] / 2) + shift

    return draw


def _draw_far_second(generator: Generator) -> tuple[Tensor, Tensor]:
    """The second nearest prototype lies beside the nearest, so its boundary is farther than that of the third."""
    prototypes = torch.zeros(3, 6)
    prototypes[:, :2] = torch.tensor([[1.0, 0.0], [1.5, 1.5], [-2.2, 0.0]])
    return torch.randn(9, 6, generator=generator) / 20, prototypes


def _walk(queries: Tensor, own: Tensor, others: Tensor) -> Tensor:
    """By halving: how far each query [Q, 1, D] goes until others [Q, M, D] are as near as its own [Q, 1, D]."""
    direction = nn.functional.normalize(others - own, dim=2)  # [Q, M, D]
    low, high = torch.zeros_like(others[..., :1]), torch.full_like(others[..., :1], 1e3)  # [Q, M, 1]
    for _ in range(60):
        middle = (low + high) / 2
        x = queries + middle * direction
        nearer = (x - own).norm(dim=2, keepdim=True) < (x - others).norm(dim=2, keepdim=True)
        low, high = middle.where(nearer, low), high.where(nearer, middle)
    return low[..., 0]


def _boundary(queries: Tensor, prototypes: Tensor, choose: Callable[..., Tensor] = torch.amin) -> Tensor:
    x, c = queries.double()[:, None], prototypes.double()
    own = (x - c).norm(dim=2).argmin(1)  # [Q]
    others = torch.stack([torch.cat([c[:n], c[n + 1 :]]) for n in own.tolist()])  # [Q, M, D]
    return choose(_walk(x, c[own][:, None], others), 1).to(queries)


def _two_nearest(queries: Tensor, prototypes: Tensor) -> tuple[Tensor, Tensor]:
    """Plain distances to the nearest two prototypes [Q, 2], and how far these lie apart [Q]."""
    near = torch.cdist(queries, prototypes).topk(2, largest=False)
    return near.values, (prototypes[near.indices[:, 0]] - prototypes[near.indices[:, 1]]).norm(dim=1)


def _second_nearest(queries: Tensor, prototypes: Tensor) -> Tensor:
    d, apart = _two_nearest(queries, prototypes)
    return (d[:, 1] ** 2 - d[:, 0] ** 2) / (2 * apart)


def _by_square(queries: Tensor, prototypes: Tensor) -> Tensor:
    d, own = torch.cdist(queries, prototypes), torch.cdist(queries, prototypes).argmin(dim=1)
    lead = d.square() - d.gather(1, own[:, None]).square()  # [Q, N]
    ways = lead / (2 * torch.cdist(prototypes, prototypes)[own].square())
    return ways.masked_fill(ways.isnan(), torch.inf).amin(dim=1)


distance_to_boundary = Exercise(
    "distance_to_boundary",
    _boundary,
    {
        "two classes": Case(_draw_queries(2)),
        "five classes": Case(_draw_queries(5)),
        "far from zero": Case(_draw_queries(5, shift=3.0)),
        "a second prototype beside the nearest": Case(_draw_far_second),
    },
    [
        Mistake(lambda q, c: 2 * _boundary(q, c), "twice too far: the boundary lies half-way between two prototypes"),
        Mistake(
            lambda q, c: _two_nearest(q, c)[0].diff(dim=1)[:, 0],
            "this is how much farther the second prototype is; how far must the query move until both are equally far?",
        ),
        Mistake(
            lambda q, c: _two_nearest(q, c)[0].square().diff(dim=1)[:, 0],
            "this is the lead in squared distance, which is no way in the space yet; divide it by how fast it falls",
        ),
        Mistake(
            _second_nearest,
            "you looked at the second nearest prototype alone; the boundary to another one may be nearer",
        ),
        Mistake(
            lambda q, c: _two_nearest(q, c)[1] / 2,
            "this is half of the way between two prototypes; where is the query?",
        ),
        Mistake(
            lambda q, c: _two_nearest(q, c)[0][:, 0],
            "this is the distance to the nearest prototype, not to the boundary",
        ),
        Mistake(
            lambda q, c: _boundary(q, c, torch.amax), "this is the farthest boundary; the answer changes at the nearest"
        ),
        Mistake(lambda q, c: -_boundary(q, c), "the sign is turned round: a distance is not negative"),
        Mistake(lambda q, c: _boundary(q, c).square(), "this is the square of the distance"),
        Mistake(
            lambda q, c: _two_nearest(q, c)[0].diff(dim=1)[:, 0] / 2,
            "this is half of how much farther the second prototype is; the way to the boundary is not that",
        ),
        Mistake(
            lambda q, c: _two_nearest(q, c)[0][:, 1],
            "this is the distance to the second nearest prototype, not to the boundary",
        ),
        Mistake(
            _by_square, "you divided by the square of the way between two prototypes; divide by twice the way itself"
        ),
    ],
)
