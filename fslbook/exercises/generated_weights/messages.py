"""Check of a chapter 16 exercise: the gradient that each support example sends as its message."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_layer(s: int, h: int, n: int, size: float = 1.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        hidden = torch.randn(s, h, generator=generator).relu()
        hidden[:, 0] += 0.5  # no example is silent
        labels = torch.arange(s) % n
        labels = labels[torch.randperm(s, generator=generator)]
        return hidden, size * torch.randn(s, n, generator=generator), labels

    return draw


def _messages_by_loop(hidden: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    found = []
    for h, z, y in zip(hidden.tolist(), logits.tolist(), labels.tolist(), strict=True):
        e = [math.exp(x - max(z)) for x in z]
        error = [x / sum(e) - (n == y) for n, x in enumerate(e)]
        found.append([[one * x for x in h] for one in error])
    return torch.tensor(found, dtype=hidden.dtype)


def _own(z: Tensor, y: Tensor) -> Tensor:
    return F.one_hot(y, z.shape[1]).to(z.dtype)


def _outer(error: Tensor, h: Tensor) -> Tensor:
    return error[:, :, None] * h[:, None]


loss_messages = Exercise(
    "loss_messages",
    _messages_by_loop,
    {
        "one example per class": Case(_draw_layer(4, 5, 4)),
        "several per class": Case(_draw_layer(9, 3, 3)),
        "two classes, six examples": Case(_draw_layer(6, 4, 2)),
        "large logits": Case(_draw_layer(5, 4, 3, size=60.0)),
    },
    [
        Mistake(
            lambda h, z, y: _outer(z.softmax(1) - _own(z, y), h) / len(h),
            "you divided by the number of examples; each has a loss of its own",
        ),
        Mistake(
            lambda h, z, y: (z.softmax(1) - _own(z, y)).T @ h / len(h),
            "this is one gradient for all; each example sends its own message",
        ),
        Mistake(
            lambda h, z, y: (z.softmax(1) - _own(z, y)).T @ h,
            "this is the sum of all messages; each example sends its own",
        ),
        Mistake(
            lambda h, z, y: _outer(_own(z, y) - z.softmax(1), h),
            "the sign is turned round: this is the way down, not the gradient",
        ),
        Mistake(lambda h, z, y: _outer(-_own(z, y), h), "the label is in it, the network's own belief is not"),
        Mistake(lambda h, z, y: _outer(z.softmax(1), h), "the label is missing: such a message says nothing new"),
        Mistake(lambda h, z, y: _outer(z - _own(z, y), h), "the logits stand where probabilities belong"),
        Mistake(
            lambda h, z, y: _outer(z.sigmoid() - _own(z, y), h),
            "this is a sigmoid for each class; the classes of one example compete",
        ),
        Mistake(lambda h, z, y: _outer(z.softmax(0) - _own(z, y), h), "the softmax runs over the examples"),
        Mistake(lambda h, z, y: _outer(z.log_softmax(1) - _own(z, y), h), "these are logarithms of probabilities"),
        Mistake(
            lambda h, z, y: _outer(2 * (z.softmax(1) - _own(z, y)), h),
            "there is a factor 2 as in a squared error; this is a cross-entropy",
        ),
        Mistake(
            lambda h, z, y: _outer(z.softmax(1) - _own(z, y), (h > 0).to(h.dtype)),
            "you used whether a unit is active; its value is needed",
        ),
        Mistake(
            lambda h, z, y: _outer(z.softmax(1) - _own(z, y), h).mT,
            "the last two dimensions have changed places: a row per class",
        ),
        Mistake(lambda h, z, y: z.softmax(1) - _own(z, y), "this is the error alone; it has to meet the hidden layer"),
    ],
)
