"""Checks of chapter 5's exercises: prototypical networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.watching import Work

# Prototypes


def draw_support(shots: list[int], shuffled: bool = True) -> Any:
    """How a support set is drawn: embeddings [S, 6], labels [S], number of classes.

    Args:
        shots: how many images each class has.
        shuffled: in any order, instead of class after class.

    Example:
        >>> embeddings, labels, n_way = draw_support([1, 3])(torch.Generator())
        >>> embeddings.shape, labels.sort().values, n_way
        (torch.Size([4, 6]), tensor([0, 1, 1, 1]), 2)
    """

    def draw(generator: Generator) -> tuple[Tensor, Tensor, int]:
        labels = torch.repeat_interleave(torch.arange(len(shots)), torch.tensor(shots))
        if shuffled:
            labels = labels[torch.randperm(len(labels), generator=generator)]
        return torch.randn(len(labels), 6, generator=generator), labels, len(shots)

    return draw


def prototypes_by_loop(embeddings: Tensor, labels: Tensor, n_way: int) -> Tensor:
    """The mean embedding of each class, number by number; Snell, Swersky and Zemel (2017), equation 1.

    Args:
        embeddings: [S, D].
        labels: int64 [S] in 0..n_way-1, each class at least once.
        n_way: number of classes N.

    Returns:
        float [N, D].

    Example:
        >>> prototypes_by_loop(torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([0, 1, 1]), 2)
        tensor([[1.],
                [3.]])
    """
    means = []
    for n in range(n_way):
        rows = [x for x, y in zip(embeddings.tolist(), labels.tolist(), strict=True) if y == n]
        means.append([sum(column) / len(rows) for column in zip(*rows, strict=True)])
    return torch.tensor(means, dtype=embeddings.dtype, device=embeddings.device)


def _sums(embeddings: Tensor, labels: Tensor, n_way: int) -> Tensor:
    return torch.stack([embeddings[labels == n].sum(dim=0) for n in range(n_way)])


def _divided_by_the_mean_shot(embeddings: Tensor, labels: Tensor, n_way: int) -> Tensor:
    return _sums(embeddings, labels, n_way) / (len(labels) / n_way)


def _says_divisor(embeddings: Tensor, labels: Tensor, n_way: int) -> str:
    counts = labels.bincount()
    odd = int((counts - len(labels) / n_way).abs().argmax())
    return f"class {odd} has {counts[odd]} images, you divided by {len(labels) / n_way:g} (S / n_way)"


prototypes = Exercise(
    "prototypes",
    prototypes_by_loop,
    {
        "equal shots": Case(draw_support([3, 3, 3], shuffled=False)),
        "classes in any order": Case(draw_support([3, 3, 3, 3])),
        "uneven shots": Case(draw_support([5, 1, 3, 2])),
        "passes the gradient on": Case(draw_support([2, 2]), gradient=True),
    },
    [
        Mistake(_divided_by_the_mean_shot, _says_divisor),
        Mistake(_sums, "these are sums; a prototype is a mean"),
        Mistake(
            lambda x, y, n: x.view(n, -1, x.shape[1]).mean(dim=1),
            "you took the rows in order, as if the images were sorted by class; look at the labels",
        ),
        Mistake(
            lambda x, y, n: x.view(-1, n, x.shape[1]).mean(dim=0),
            "you averaged over the classes instead of over the shots of one class",
        ),
        Mistake(
            lambda x, y, n: torch.stack([x[y == c].median(dim=0).values for c in range(n)]),
            "these are medians; a prototype is a mean",
        ),
    ],
)

# Distances


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
    ],
)
