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
        Mistake(
            lambda c, s, n: n * 9 * c * (2 * s**2 + (s // 2) ** 2),
            "each of the channels that come out looks at every channel that goes in",
        ),
        Mistake(
            lambda c, s, n: int(_with(c, n, s, 0) + n * 9 * c**2 * (s / 2) ** 2),
            "pooling rounds down: of an odd size the last row is dropped",
        ),
        Mistake(
            lambda c, s, n: _with(c, n, s, (s + 1) // 2), "you rounded up; pooling drops the last row of an odd size"
        ),
        Mistake(lambda c, s, n: _with(c, n, s, 0), "the second block is missing"),
        Mistake(lambda c, s, n: _with(c, n, 0, s // 2), "this is the second block alone"),
        Mistake(
            lambda c, s, n: n * 9 * c**2 * 2 * (s**2 + (s // 2) ** 2),
            "you let the second block have two stacks of maps as well; the first has made one of them",
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


def _at_the_score(logits: Tensor, targets: Tensor) -> Tensor:
    score = logits.sigmoid()
    return 2 * (score - targets) * score.sigmoid() * (1 - score.sigmoid())


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
        Mistake(
            lambda z, t: 2 * (z.sigmoid() - t) * (1 - z.sigmoid()),
            "the derivative of the sigmoid is incomplete: it must vanish at both ends",
        ),
        Mistake(
            lambda z, t: z.sigmoid() * (1 - z.sigmoid()), "this is the slope of the sigmoid alone; the error is missing"
        ),
        Mistake(lambda z, t: (z.sigmoid() - t).square(), "this is the loss; asked is its slope"),
        Mistake(lambda z, t: 2 * (z - t), "you compared the logit itself with the target; the score is its sigmoid"),
        Mistake(_at_the_score, "the derivative of the sigmoid was taken at the score; take it at the logit"),
    ],
)
