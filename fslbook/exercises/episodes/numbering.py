"""A check of chapter 2's exercises: numbers that hold in one game only."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_ids(n_way: int, shuffled: bool) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        classes = torch.randperm(400, generator=generator)[:n_way]
        support = classes.repeat_interleave(2)
        query = classes.repeat_interleave(3)[torch.randperm(3 * n_way, generator=generator)]
        return support[torch.randperm(len(support), generator=generator)] if shuffled else support, query

    return draw


def _numbered(support_ids: Tensor, query_ids: Tensor, order: list[int] | None = None) -> list[Tensor]:
    order = list(dict.fromkeys(support_ids.tolist())) if order is None else order
    ids = support_ids, query_ids
    return [torch.tensor([order.index(i) for i in x.tolist()], device=x.device) for x in ids]


relabelled = Exercise(
    "relabelled",
    _numbered,
    {
        "class after class": Case(_draw_ids(7, shuffled=False)),
        "support in any order": Case(_draw_ids(7, shuffled=True)),
        "twenty ways": Case(_draw_ids(20, shuffled=True)),
    },
    [
        Mistake(
            lambda s, q: _numbered(s, q, sorted(set(s.tolist()))),
            "you numbered the classes by the size of their ids, not in order of appearance",
        ),
        Mistake(
            lambda s, q: (_numbered(s, s)[0], _numbered(q, q)[0]),
            "support and query were numbered separately; one number means two classes now",
        ),
        Mistake(lambda s, q: [y + 1 for y in _numbered(s, q)], "the numbers start at 1; they must start at 0"),
        Mistake(lambda s, q: (_numbered(s, q)[0], q), "the queries still have their old ids"),
        Mistake(lambda s, q: (s, q), "these are the old ids; the classes must be numbered 0, 1, 2, ..."),
        Mistake(
            lambda s, q: _numbered(s, q, list(dict.fromkeys(q.tolist()))),
            "you numbered the classes as they appear in the queries; the support decides",
        ),
        Mistake(
            lambda s, q: _numbered(s, q, list(dict.fromkeys(s.flip(0).tolist()))),
            "you numbered the classes from the end of the support",
        ),
        Mistake(
            lambda s, q: _numbered(s, q, sorted(set(s.tolist()), reverse=True)),
            "you numbered the classes by the size of their ids, from the largest down",
        ),
        Mistake(
            lambda s, q: (s % len(s.unique()), q % len(s.unique())),
            "these are remainders: two classes can have the same one",
        ),
        Mistake(
            lambda s, q: [torch.tensor([s.tolist().index(i) for i in x.tolist()]) for x in (s, q)],
            "these are the places of images in the support; count classes, not images",
        ),
    ],
)
