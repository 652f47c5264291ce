"""Checks of chapter 14's exercises: doubt, and how many classes a few labels reach."""

from __future__ import annotations

import math
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
    ],
)

# Coverage by chance


def _draw_sizes(n_way: int, per_class: int, low: int, high: int) -> Any:
    def draw(generator: Generator) -> tuple[int, int, int]:
        return n_way, per_class, int(torch.randint(low, high + 1, (), generator=generator))

    return draw


def _reached(n_way: int, per_class: int, n_labels: int) -> Tensor:
    """One minus the chance that all labels fall outside a class, drawn without replacement."""
    missed = 1.0
    for i in range(n_labels):
        missed *= (n_way * per_class - per_class - i) / (n_way * per_class - i)
    return torch.tensor(1 - max(missed, 0.0), dtype=torch.float64)


def _one_draw_each(n: int, m: int, labels: int) -> float:
    return 1 - (1 - 1 / n) ** labels


expected_coverage = Exercise(
    "expected_coverage",
    _reached,
    {
        "twenty classes, as many labels": Case(_draw_sizes(20, 15, 18, 22)),
        "few images per class": Case(_draw_sizes(5, 2, 3, 6)),
        "many labels": Case(_draw_sizes(6, 10, 20, 40)),
        "one label": Case(_draw_sizes(7, 4, 1, 1)),
    },
    [
        Mistake(_one_draw_each, "this is right if an image could be drawn again; here each is asked for once"),
        Mistake(lambda n, m, b: min(1.0, b / n), "one label each on average is not one each: some classes get two"),
        Mistake(lambda n, m, b: 1 - _reached(n, m, b), "this is the share of classes that are missed"),
        Mistake(lambda n, m, b: n * _reached(n, m, b), "this is a number of classes; a share of 0 to 1 is asked for"),
        Mistake(lambda n, m, b: (1 - 1 / n) ** b, "this is the chance to miss a class, and with replacement"),
        Mistake(lambda n, m, b: b / (n * m), "this is the share of the images that get a label"),
        Mistake(lambda n, m, b: 1 - math.exp(-b / n), "this is the limit of very many classes and images"),
        Mistake(
            lambda n, m, b: 1 - (1 - 1 / m) ** b,
            "you divided by the images of a class; a label falls into one of n_way classes",
        ),
        Mistake(lambda n, m, b: 1 - (1 - 1 / n) ** (b - 1), "the first label counts as well"),
        Mistake(
            lambda n, m, b: _reached(n, m, b) ** n, "this asks for all classes at once; the mean share is asked for"
        ),
        Mistake(lambda n, m, b: 1.0, "some classes stay without a label unless there are very many"),
        Mistake(lambda n, m, b: _reached(m, n, b), "n_way and per_class have changed places"),
    ],
)
