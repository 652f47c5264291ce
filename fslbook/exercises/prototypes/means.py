"""Checks of chapter 5's exercises: prototypical networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

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
        Mistake(
            lambda x, y, n: _sums(x, y, n) / len(y),
            "you divided by the number of all images; divide by those of the class",
        ),
        Mistake(
            lambda x, y, n: F.normalize(prototypes_by_loop(x, y, n)),
            "these have length 1; a mean is left as it is",
        ),
        Mistake(
            lambda x, y, n: prototypes_by_loop(F.normalize(x), y, n),
            "the embeddings were brought to length 1 first; take them as they are",
        ),
        Mistake(
            lambda x, y, n: torch.stack([x[y == c][0] for c in range(n)]),
            "this is one image of each class; take their mean",
        ),
        Mistake(
            lambda x, y, n: torch.stack([x[y == c].amax(dim=0) for c in range(n)]),
            "these are the largest values; a prototype is a mean",
        ),
    ],
)
