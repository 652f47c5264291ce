"""Checks of chapter 14's exercises: the doubt of a margin."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# The margin


def _draw_rows(m: int, n: int, sharp: float = 1.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor]:
        return ((sharp * torch.randn(m, n, generator=generator)).softmax(dim=1),)

    return draw


def _leads(probabilities: Tensor) -> Tensor:
    rows = [sorted(row, reverse=True) for row in probabilities.tolist()]
    return torch.tensor([row[1] - row[0] for row in rows], dtype=probabilities.dtype)


margin_doubt = Exercise(
    "margin_doubt",
    _leads,
    {
        "five classes": Case(_draw_rows(8, 5)),
        "two classes": Case(_draw_rows(6, 2)),
        "one image": Case(_draw_rows(1, 4)),
        "very sure": Case(_draw_rows(8, 5, sharp=8.0)),
    },
    [
        Mistake(lambda p: -_leads(p), "the sign is turned round: the larger the lead, the smaller the doubt"),
        Mistake(lambda p: 1 - p.amax(1), "this is least confidence; the margin looks at the second answer as well"),
        Mistake(lambda p: torch.special.entr(p).sum(1), "this is the entropy; the margin looks at two answers only"),
        Mistake(lambda p: p[:, 1] - p[:, 0], "you took the first two columns; sort each row first"),
        Mistake(lambda p: p.amin(1) - p.amax(1), "you compared the first with the last; compare it with the second"),
        Mistake(
            lambda p: p.sort(1).values[:, 1] - p.sort(1).values[:, 0], "sorted upwards, these are the two smallest"
        ),
        Mistake(lambda p: p.topk(2).values[:, 1] / p.topk(2).values[:, 0], "this is a ratio; a margin is a difference"),
        Mistake(
            lambda p: (p.topk(2).values[:, 1] / p.topk(2).values[:, 0]).log(), "this is a difference of logarithms"
        ),
        Mistake(lambda p: _leads(p).square().neg(), "the lead is squared; take it as it is"),
        Mistake(
            lambda p: p.topk(2).indices.diff(dim=1)[:, 0].float(), "these are class numbers; take the probabilities"
        ),
        Mistake(lambda p: _leads(p).mean(), "one number for all; each image has a doubt of its own"),
        Mistake(lambda p: p.mean(1) - p.amax(1), "you compared the first with the mean; compare it with the second"),
        Mistake(lambda p: p.topk(2).values[:, 1], "this is the second probability alone; the first is missing"),
        Mistake(lambda p: -p.amax(1), "this is the first probability alone; the second is missing"),
        Mistake(lambda p: 1 + _leads(p), "there is a 1 too much: minus the lead alone is asked for"),
        Mistake(lambda p: _leads(p.softmax(1)), "these are probabilities already; a softmax more brings them together"),
        Mistake(lambda p: 1 - p.square().sum(1), "this adds up all squares; the margin looks at two answers only"),
        Mistake(lambda p: -p.std(1), "this is the spread of all answers; the margin looks at two"),
        Mistake(
            lambda p: p.sort(1, descending=True).values[:, 2] - p.sort(1, descending=True).values[:, 1],
            "you compared the second with the third; dimensions count from 0",
        ),
        Mistake(lambda p: _leads(p)[:, None], "one number per image, in one dimension: [M], not [M, 1]"),
    ],
)
