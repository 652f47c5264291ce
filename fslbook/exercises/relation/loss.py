"""A check of chapter 7's exercises: the squared error over all pairs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_relations(n_queries: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        return (
            0.05 + 0.9 * torch.rand(n_queries, 5, generator=generator),
            torch.randint(5, (n_queries,), generator=generator),
        )

    return draw


def _squared_errors(scores: Tensor, query_y: Tensor) -> Tensor:
    errors = [
        (score - (n == right)) ** 2
        for row, right in zip(scores.tolist(), query_y.tolist(), strict=True)
        for n, score in enumerate(row)
    ]
    return torch.tensor(sum(errors) / len(errors)).to(scores)


def _one_hot(scores: Tensor, query_y: Tensor) -> Tensor:
    return F.one_hot(query_y, scores.shape[1]).to(scores)


relation_loss = Exercise(
    "relation_loss",
    _squared_errors,
    {
        "seven queries": Case(_draw_relations(7)),
        "as many queries as classes": Case(_draw_relations(5)),
        "passes the gradient on": Case(_draw_relations(3), gradient=True),
    },
    [
        Mistake(
            lambda r, y: (r - _one_hot(r, y)).square().sum(dim=1).mean(),
            "this is a mean over queries of sums over classes; each pair counts alike",
        ),
        Mistake(lambda r, y: (r - _one_hot(r, y)).square().sum(), "this is a sum over all pairs; take the mean"),
        Mistake(
            lambda r, y: (r.gather(1, y[:, None]) - 1).square().mean(),
            "only the right class of each query has a say; the wrong ones must be pushed to 0",
        ),
        Mistake(
            lambda r, y: F.mse_loss(r.sigmoid(), _one_hot(r, y)),
            "the scores lie in 0..1 already; a sigmoid was applied a second time",
        ),
        Mistake(lambda r, y: F.mse_loss(r, 1 - _one_hot(r, y)), "right and wrong are swapped: 1 means the right class"),
        Mistake(lambda r, y: F.cross_entropy(r, y), "this is a cross-entropy; the task asks for squared errors"),
        Mistake(
            lambda r, y: (r - y[:, None]).square().mean(),
            "you compared scores with the numbers of the classes; the labels are names, no quantities",
        ),
        Mistake(
            lambda r, y: (r - _one_hot(r, y)).abs().mean(), "these are absolute errors; the task asks for squared ones"
        ),
        Mistake(
            lambda r, y: F.binary_cross_entropy(r, _one_hot(r, y)),
            "this is a binary cross-entropy; the task asks for squared errors",
        ),
        Mistake(
            lambda r, y: F.mse_loss(r.softmax(dim=1), _one_hot(r, y)),
            "a softmax lets the classes compete; each score stands for itself",
        ),
        Mistake(
            lambda r, y: (r * (1 - _one_hot(r, y))).square().mean(),
            "only the wrong classes have a say; the right one must be pulled to 1",
        ),
        Mistake(
            lambda r, y: F.mse_loss(r, 2 * _one_hot(r, y) - 1), "your targets are −1 and 1; scores lie between 0 and 1"
        ),
    ],
)
