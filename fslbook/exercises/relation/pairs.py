"""Checks of chapter 7's exercises: relation networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# The maps of a class


def _draw_maps(shots: list[int], shuffled: bool = True) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, int]:
        labels = torch.repeat_interleave(torch.arange(len(shots)), torch.tensor(shots))
        if shuffled:
            labels = labels[torch.randperm(len(labels), generator=generator)]
        return torch.rand(len(labels), 3, 2, 2, generator=generator), labels, len(shots)

    return draw


def _class_sums(maps: Tensor, labels: Tensor, n_way: int) -> Tensor:
    sums = [torch.zeros_like(maps[0]) for _ in range(n_way)]
    for image, label in zip(maps, labels.tolist(), strict=True):
        sums[label] = sums[label] + image
    return torch.stack(sums)


def _class_means(maps: Tensor, labels: Tensor, n_way: int) -> Tensor:
    return _class_sums(maps, labels, n_way) / labels.bincount(minlength=n_way)[:, None, None, None]


class_sums = Exercise(
    "class_sums",
    _class_sums,
    {
        "equal shots": Case(_draw_maps([3, 3, 3], shuffled=False)),
        "classes in any order": Case(_draw_maps([3, 3, 3, 3])),
        "uneven shots": Case(_draw_maps([5, 1, 3, 2])),
        "passes the gradient on": Case(_draw_maps([2, 2]), gradient=True),
    },
    [
        Mistake(_class_means, "these are means; the maps of a class are added up"),
        Mistake(
            lambda x, y, n: x.unflatten(0, (n, -1)).sum(dim=1),
            "you took the maps in order, as if the images were sorted by class; look at the labels",
        ),
        Mistake(
            lambda x, y, n: torch.stack([x[y == c].amax(dim=0) for c in range(n)]),
            "these are the largest values of each cell; the maps of a class are added up",
        ),
        Mistake(
            lambda x, y, n: _class_sums(x, y, n).flatten(1),
            "the maps were flattened; the relation module needs to know what is where",
        ),
        Mistake(
            lambda x, y, n: x.new_zeros(n, *x.shape[1:]).index_copy(0, y, x),
            "only one image of each class is left; an assignment overwrites where you want to add",
        ),
        Mistake(
            lambda x, y, n: torch.stack([x[y == c][0] for c in range(n)]),
            "this is one image of each class; add all of them up",
        ),
        Mistake(
            lambda x, y, n: x.unflatten(0, (-1, n)).sum(dim=0),
            "you added up over the classes, image by image; look at the labels",
        ),
        Mistake(
            lambda x, y, n: _class_sums(x, y, n) / len(x), "you divided by the number of all images; nothing is divided"
        ),
        Mistake(
            lambda x, y, n: torch.stack([x[y == c].prod(dim=0) for c in range(n)]),
            "the maps were multiplied; add them up",
        ),
    ],
)

# Pairs


def _draw_pairs(n_way: int, n_queries: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        return (
            torch.randn(n_way, 3, 2, 4, generator=generator),
            torch.randn(n_queries, 3, 2, 4, generator=generator),
        )

    return draw


def _pairs(classes: Tensor, queries: Tensor) -> Tensor:
    return torch.stack([torch.cat([c, q]) for q in queries for c in classes])


stacked_pairs = Exercise(
    "stacked_pairs",
    _pairs,
    {
        "five queries, three classes": Case(_draw_pairs(3, 5)),
        "as many queries as classes": Case(_draw_pairs(4, 4)),
        "passes the gradient on": Case(_draw_pairs(2, 3), gradient=True),
    },
    [
        Mistake(
            lambda c, q: torch.stack([torch.cat([b, a]) for b in q for a in c]),
            "in each pair the query stands before the class",
        ),
        Mistake(
            lambda c, q: torch.stack([torch.cat([a, b]) for a in c for b in q]),
            "the rows run through all queries of one class first; viewed as [Q, N] they would be mixed up",
        ),
        Mistake(
            lambda c, q: torch.cat([c.repeat(len(q), 1, 1, 1), q.repeat(len(c), 1, 1, 1)], dim=1),
            "some pairs occur twice and others never, or queries and classes run through in step",
        ),
        Mistake(
            lambda c, q: torch.stack([torch.cat([a, b], dim=-1) for b in q for a in c]),
            "the two maps stand side by side like two photographs; stack their channels",
        ),
        Mistake(
            lambda c, q: torch.stack([a - b for b in q for a in c]),
            "these are differences; which comparison is best, the module is to learn itself",
        ),
        Mistake(
            lambda c, q: torch.stack([torch.cat([a, b], dim=1) for b in q for a in c]),
            "the two maps stand one above the other; stack their channels",
        ),
        Mistake(
            lambda c, q: torch.stack([(a - b).abs() for b in q for a in c]),
            "these are absolute differences; which comparison is best, the module is to learn itself",
        ),
        Mistake(
            lambda c, q: torch.stack([a + b for b in q for a in c]), "these are sums; both maps must be there, unmixed"
        ),
        Mistake(
            lambda c, q: torch.stack([a * b for b in q for a in c]),
            "these are products; both maps must be there, unmixed",
        ),
        Mistake(
            lambda c, q: torch.stack([torch.stack([a, b], dim=1).flatten(0, 1) for b in q for a in c]),
            "the channels are interleaved; first come all of the class, then all of the query",
        ),
        Mistake(
            lambda c, q: torch.stack([torch.cat([a, a]) for b in q for a in c]),
            "this is the class alone, twice; the query is missing",
        ),
    ],
)
