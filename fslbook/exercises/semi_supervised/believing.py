"""Check of a chapter 13 exercise: which pseudo-labels to believe."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_logits(u: int, n: int, per_class: int, size: float = 2.0, empty: bool = False) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, int]:
        logits = size * torch.randn(u, n, generator=generator)
        if empty:
            logits[:, 1] -= 20 * size
        return logits, per_class

    return draw


def _believed_by_loop(logits: Tensor, per_class: int) -> Tensor:
    rows, believed = logits.tolist(), torch.zeros(logits.shape, dtype=torch.bool)
    sure: dict[int, list[tuple[float, int]]] = {}
    for image, row in enumerate(rows):
        answer = row.index(max(row))
        others = [value for n, value in enumerate(row) if n != answer]
        rest = max(others) + math.log(sum(math.exp(value - max(others)) for value in others))
        sure.setdefault(answer, []).append((rest - row[answer], image))
    for answer, images in sure.items():
        for _, image in sorted(images)[:per_class]:
            believed[image, answer] = True
    return believed


def _answers(z: Tensor) -> Tensor:
    return F.one_hot(z.argmax(1), z.shape[1]).bool()


def _odds(z: Tensor) -> Tensor:
    others = z.masked_fill(_answers(z), -torch.inf).logsumexp(1)  # [U]
    return z.amax(1) - others


def _best(z: Tensor, certainty: Tensor, k: int, within: Tensor | None = None) -> Tensor:
    """The k most certain of each column; `certainty` is [U] or [U, N]."""
    allowed = _answers(z) if within is None else within
    column = certainty if certainty.ndim == 2 else certainty[:, None].expand_as(z)
    rank = column.masked_fill(~allowed, -torch.inf).argsort(dim=0, descending=True, stable=True).argsort(dim=0)
    return allowed & (rank < k)


def _overall(z: Tensor, k: int) -> Tensor:
    rank = _odds(z).argsort(descending=True).argsort()
    return _answers(z) & (rank < k * z.shape[1])[:, None]


def _lead(z: Tensor) -> Tensor:
    return -z.topk(2, dim=1).values.diff(dim=1)[:, 0]


believed_images = Exercise(
    "believed_images",
    _believed_by_loop,
    {
        "three per class": Case(_draw_logits(60, 5, 3, size=1.0)),
        "one per class": Case(_draw_logits(40, 4, 1, size=1.0)),
        "a class that is answered nowhere": Case(_draw_logits(12, 3, 2, empty=True)),
        "more than there are": Case(_draw_logits(6, 3, 6)),
        "so sure that probabilities round to 1": Case(_draw_logits(24, 3, 2, size=200.0)),
    },
    [
        *(
            Mistake(
                lambda z, k, chance=chance: _best(z, chance(z).amax(1), k),
                "two images whose probabilities both round to 1 have no order any more; compare log odds",
            )
            for chance in (lambda z: z.softmax(1), lambda z: z.log_softmax(1))
        ),
        Mistake(lambda z, k: _answers(z), "all images are believed here, not the surest of each class"),
        Mistake(lambda z, k: _best(z, -_odds(z), k), "these are the least sure images of each class"),
        Mistake(_overall, "these are the surest of all images together; each class has its own"),
        Mistake(
            lambda z, k: _best(z, z.softmax(1), k, torch.ones_like(z, dtype=torch.bool)),
            "some images are believed for a class that is not their most likely one",
        ),
        Mistake(lambda z, k: _best(z, _lead(z), k), "you ranked by the lead over the second class; all others count"),
        Mistake(
            lambda z, k: _best(z, z.amax(1), k),
            "you ranked by the largest logit; a logit means nothing without the others",
        ),
        Mistake(
            lambda z, k: _best(z.softmax(0), z.softmax(0).amax(1), k),
            "the softmax runs over the images; the classes of one image compete",
        ),
        Mistake(lambda z, k: _best(z, _odds(z), k + 1), "there is one image too many per class"),
        Mistake(lambda z, k: _best(z, _odds(z), k - 1), "there is one image too few per class"),
        Mistake(
            lambda z, k: _answers(z) & (z.softmax(1) > 0.9), "this is a threshold; a number per class is asked for"
        ),
        Mistake(
            lambda z, k: _best(z, -torch.special.entr(z.softmax(1)).sum(1), k),
            "you ranked by the entropy; the probability of the answer is asked for",
        ),
        Mistake(lambda z, k: _best(z, _odds(z), k).any(1), "one truth value per image; say for which class as well"),
    ],
)
