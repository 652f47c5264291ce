"""Checks of chapter 5's exercises: a prototype that meets one more image."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_update(generator: Generator) -> tuple[Tensor, int, Tensor]:
    count = int(torch.randint(2, 9, (), generator=generator))
    return torch.randn(6, generator=generator), count, torch.randn(6, generator=generator)


def _draw_first_update(generator: Generator) -> tuple[Tensor, int, Tensor]:
    return torch.randn(6, generator=generator), 1, torch.randn(6, generator=generator)


def _updated(prototype: Tensor, count: int, embedding: Tensor) -> Tensor:
    pairs = zip(prototype.tolist(), embedding.tolist(), strict=True)
    return torch.tensor([(c * count + x) / (count + 1) for c, x in pairs]).to(prototype)


updated_prototype = Exercise(
    "updated_prototype",
    _updated,
    {"several images so far": Case(_draw_update), "one image so far": Case(_draw_first_update)},
    [
        Mistake(lambda c, k, x: (c + x) / 2, "you gave the new image as much weight as all the old ones together"),
        Mistake(lambda c, k, x: c + (x - c) / k, "you divided by the old number of images; there is one more now"),
        Mistake(lambda c, k, x: (c + x) / (k + 1), "the old prototype stands for `count` images; weigh it so"),
        Mistake(lambda c, k, x: c + x / k, "you added a share of the new image and took nothing of the old mean away"),
        Mistake(lambda c, k, x: c + x / (k + 1), "the old mean must shrink before the new share is added"),
        Mistake(lambda c, k, x: c + x, "you added the new image to a mean; the old images count `count` times"),
        Mistake(lambda c, k, x: c * k + x, "this is the sum of all images; divide it by their number"),
        Mistake(lambda c, k, x: c - (x - c) / (k + 1), "the prototype moved away from the new image, the wrong way"),
        Mistake(lambda c, k, x: c, "nothing has changed; the new image must move the prototype"),
        Mistake(lambda c, k, x: x, "this is the new image alone; the old ones count as well"),
        Mistake(
            lambda c, k, x: (c + k * x) / (k + 1),
            "the new image counts once, the old mean `count` times: yours does the reverse",
        ),
    ],
)
