"""A check of chapter 2's exercises: query images that are support images too."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_batch(n_leaky: int, across: bool = False, look_alikes: bool = False, nearly: bool = False) -> Any:
    """Of nine episodes so many leak; in others a query differs from a support image in one pixel, by a little."""

    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        support = torch.randint(1, 8, (9, 4, 1, 5, 5), generator=generator) / 8
        query = torch.randint(1, 8, (9, 6, 1, 5, 5), generator=generator) / 8
        if across:  # what is a support image elsewhere is no leak
            query[:, 0] = support[:, 0].roll(1, 0)
        if look_alikes:  # as much ink, in other places
            query[:, 1] = support[:, 1].flip(-1).roll(1, -2)
        if nearly:
            query[:, 4] = support[:, 1]
            query[:, 4, 0, 0, 0] += 0.01
        for n, episode in enumerate(torch.randperm(9, generator=generator)[:n_leaky]):
            support[episode, 3] = support[episode, 1]  # one query can be the same as two support images
            query[episode, 4] = query[episode, 5] = support[episode, 1]
            for q, s in ((2, 2), (5, 0), (0, 1))[: max(0, 3 - n)]:  # in some episodes more leak than in others
                query[episode, q] = support[episode, s]
        return support, query

    return draw


def _leaky(support_x: Tensor, query_x: Tensor, same: Any = lambda a, b: a == b) -> list[int]:
    """How many pairs of equal images each episode has."""
    batches = ([[image.flatten().tolist() for image in task] for task in x] for x in (support_x, query_x))
    return [sum(same(a, b) for a in s for b in q) for s, q in zip(*batches, strict=True)]


def _leaky_queries(support_x: Tensor, query_x: Tensor) -> int:
    return sum(
        sum(_leaky(s[None], q[None])) > 0 for s, task in zip(support_x, query_x, strict=True) for q in task[:, None]
    )


def _in_step(support_x: Tensor, query_x: Tensor) -> int:
    n = min(support_x.shape[1], query_x.shape[1])
    return int((support_x[:, :n] == query_x[:, :n]).flatten(2).all(dim=2).any(dim=1).sum())


def _leaky_anywhere(support_x: Tensor, query_x: Tensor) -> int:
    known = support_x.flatten(0, 1)
    return sum(any(torch.equal(image, other) for image in task for other in known) for task in query_x)


count_leaks = Exercise(
    "count_leaks",
    lambda support, query: sum(n > 0 for n in _leaky(support, query)),
    {
        "some episodes leak": Case(_draw_batch(4)),
        "none leaks": Case(_draw_batch(0)),
        "equal to an image of another episode": Case(_draw_batch(3, across=True)),
        "as much ink, another drawing": Case(_draw_batch(2, look_alikes=True)),
        "a single pixel that differs a little": Case(_draw_batch(4, nearly=True)),
    },
    [
        Mistake(
            lambda s, q: sum(n > 0 for n in _leaky(s, q, lambda a, b: math.dist(a, b) < 0.1)),
            "images that are almost the same are not the same; every pixel must agree",
        ),
        Mistake(lambda s, q: sum(_leaky(s, q)), "these are pairs of images; count the episodes"),
        Mistake(_leaky_anywhere, "a support image of another episode is no leak"),
        Mistake(
            lambda s, q: sum(n > 0 for n in _leaky(s, q, lambda a, b: any(map(float.__eq__, a, b)))),
            "images that agree in some pixels are not yet the same; every pixel must agree",
        ),
        Mistake(lambda s, q: sum(n == 0 for n in _leaky(s, q)), "these are the episodes without a leak"),
        Mistake(_leaky_queries, "these are query images; count the episodes"),
        Mistake(
            lambda s, q: sum(n > 0 for n in _leaky(s[:, :1], q)),
            "you looked at the first support image alone; a query can be the same as any of them",
        ),
        Mistake(
            lambda s, q: sum(n > 0 for n in _leaky(s, q[:, :1])), "you looked at the first query alone; any can leak"
        ),
        Mistake(
            _in_step, "you compared the first with the first and so on; compare each query with each support image"
        ),
        Mistake(
            lambda s, q: sum(n > 0 for n in _leaky(s, q, lambda a, b: abs(sum(a) - sum(b)) < 1e-6)),
            "two images with equally much ink need not be the same",
        ),
    ],
)
