"""Checks of chapter 7's exercises, continued: what a relation score costs, what it teaches, and when to say nothing."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.networks.relation import RelationModule

# What a comparison costs


_SIZES = ((2, 12), (4, 9), (5, 25))


def _draw_sizes(generator: Generator) -> tuple[int, int, int]:
    channels, size, n_way = (int(torch.randint(low, high, (), generator=generator)) for low, high in _SIZES)
    return channels, size, n_way


def _multiplications(channels: int, size: int, n_way: int) -> int:
    """By walking through the module and looking at what comes out of each layer."""
    with torch.device("meta"):  # shapes alone, without numbers
        blocks, x = [*RelationModule(channels).eval().children()][:2], torch.zeros(1, 2 * channels, size, size)
    total = 0
    for layer in [inner for block in blocks for inner in block.children()]:
        x = layer(x)
        if isinstance(layer, nn.Conv2d):
            total += layer.weight.numel() * x.shape[-1] * x.shape[-2]
    return n_way * total


def _with(channels: int, n_way: int, first: int, second: int, stacked: int = 2) -> int:
    return n_way * 9 * channels**2 * (stacked * first**2 + second**2)


relation_cost = Exercise(
    "relation_cost",
    _multiplications,
    {"small maps": Case(_draw_sizes), "the maps of the chapter": Case(lambda generator: (64, 5, 20))},
    [
        Mistake(lambda c, s, n: _with(c, n, s, s), "after the first block the maps are smaller"),
        Mistake(lambda c, s, n: _with(c, n, s, s // 2, 1), "two stacks of maps go into the first convolution"),
        Mistake(
            lambda c, s, n: _with(c, n, s // 2, s // 4),
            "you pooled before the convolution; each block convolves first and pools afterwards",
        ),
        Mistake(lambda c, s, n: _with(c, n, s - 2, (s - 2) // 2), "the convolutions are padded: maps keep their size"),
        Mistake(lambda c, s, n: _multiplications(c, s, 1), "this is the cost of one pair; a query meets every class"),
        Mistake(
            lambda c, s, n: n * 9 * 3 * c * c,
            "these are the weights; each is used once in every cell of the map that comes out",
        ),
    ],
    tolerance=0.0,
)

# The slope of the squared error


def _draw_logits(spread: float) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        targets = torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
        return spread * torch.randn(6, generator=generator), targets

    return draw


def _slopes(logits: Tensor, targets: Tensor) -> Tensor:
    with torch.enable_grad():
        z = logits.detach().double().requires_grad_()
        (slope,) = torch.autograd.grad((z.sigmoid() - targets).square().sum(), z)
    return slope.to(logits)


squared_error_slope = Exercise(
    "squared_error_slope",
    _slopes,
    {"logits near zero": Case(_draw_logits(1.5)), "logits far from zero": Case(_draw_logits(8.0))},
    [
        Mistake(
            lambda z, t: 2 * (z.sigmoid() - t),
            "this is the slope with respect to the score; the score itself depends on the logit",
        ),
        Mistake(lambda z, t: z.sigmoid() - t, "this is the slope of another loss, the binary cross-entropy"),
        Mistake(lambda z, t: _slopes(z, t) / 2, "half of what it must be: the derivative of a square"),
        Mistake(lambda z, t: -_slopes(z, t), "the sign is wrong: yours points downhill"),
        Mistake(lambda z, t: _slopes(z, 1 - t), "right and wrong are swapped: 1 means they belong together"),
        Mistake(lambda z, t: _slopes(z, t) / len(z), "each pair has its own loss here; nothing is averaged"),
        Mistake(
            lambda z, t: 2 * (z.sigmoid() - t) * z.sigmoid(),
            "the derivative of the sigmoid is incomplete: it must vanish at both ends",
        ),
    ],
)

# An answer, or none


def _draw_scores(n_queries: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, float]:
        scores = torch.rand(n_queries, 5, generator=generator)
        scores[0] *= 0.3  # one query fits nothing
        scores[1] *= 0.05  # one fits a single class
        scores[1, 2] = 0.99
        scores[2] = 0.85 + 0.1 * scores[2]  # and one fits them all
        return scores, 0.6 + 0.2 * float(torch.rand((), generator=generator))

    return draw


def _all_fit(generator: Generator) -> tuple[Tensor, float]:
    return torch.rand(8, 5, generator=generator), 0.0


def _none_fits(generator: Generator) -> tuple[Tensor, float]:
    return torch.rand(8, 5, generator=generator), 1.1


def _just_reached(generator: Generator) -> tuple[Tensor, float]:
    scores = torch.randint(48, (8, 5), generator=generator) / 64
    scores[torch.arange(4), torch.arange(4)] = 0.75  # exact in every floating-point format
    scores[4:6, 0] = 0.875  # and two that lie above it
    return scores, 0.75


def _answers(scores: Tensor, threshold: float) -> Tensor:
    answers = []
    for row in scores.tolist():
        best = max(range(len(row)), key=row.__getitem__)
        answers.append(best if row[best] >= threshold else -1)
    return torch.tensor(answers, device=scores.device)


def _sum_to_one(scores: Tensor, threshold: float) -> Tensor:
    return _answers(scores / scores.sum(dim=1, keepdim=True), threshold)


answer_or_none = Exercise(
    "answer_or_none",
    _answers,
    {
        "some queries fit nothing": Case(_draw_scores(20)),
        "a highest score equal to the threshold": Case(_just_reached),
        "a threshold that all pass": Case(_all_fit),
        "a threshold that none passes": Case(_none_fits),
    },
    [
        Mistake(lambda r, t: r.argmax(dim=1), "a query that fits nothing got a class all the same"),
        Mistake(lambda r, t: torch.where(r.amax(1) < t, r.argmax(1), -1), "you kept the unsure and dropped the sure"),
        Mistake(
            lambda r, t: torch.where(r.amax(1) >= t, r.argmax(1), 0),
            "a query that fits nothing looks like one of class 0",
        ),
        Mistake(
            lambda r, t: torch.where(r.amax(1) >= t, r.argmax(1), r.shape[1]),
            "a query that fits nothing got the number N; the task wants another one",
        ),
        Mistake(
            lambda r, t: torch.where(r.mean(1) >= t, r.argmax(1), -1),
            "you compared the mean score with the threshold; one class that fits is enough",
        ),
        Mistake(
            lambda r, t: (r >= t).long().argmax(dim=1).where(r.amax(1) >= t, -1),
            "you took the first class above the threshold; there may be a better one",
        ),
        Mistake(
            lambda r, t: torch.where(r.amax(1) > t, r.argmax(1), -1),
            "a score that equals the threshold reaches it: compare with >=",
        ),
        Mistake(_sum_to_one, "you made the scores add up to one; they need not, and now none means what it meant"),
    ],
)
