"""Checks of chapter 16's exercises: weights that are written, and two numbers for each gradient."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Prototypes as a written layer


def _draw_means(n: int, d: int, away: float = 0.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor]:
        return (away + torch.randn(n, d, generator=generator),)

    return draw


def _head_by_loop(means: Tensor) -> Tensor:
    rows = [[2 * x for x in c] + [-sum(x * x for x in c)] for c in means.tolist()]
    return torch.tensor(rows, dtype=means.dtype)


def _squares(c: Tensor) -> Tensor:
    return c.square().sum(1, keepdim=True)


def _head(weights: Tensor, bias: Tensor) -> Tensor:
    return torch.cat([weights, bias], dim=1)


written_head = Exercise(
    "written_head",
    _head_by_loop,
    {
        "three classes": Case(_draw_means(3, 2)),
        "twenty classes": Case(_draw_means(20, 5)),
        "far from zero": Case(_draw_means(4, 3, away=9.0)),
        "passes the gradient on": Case(_draw_means(3, 4), gradient=True),
    },
    [
        Mistake(lambda c: _head(c, 0 * _squares(c)), "this is the point itself; a long point then wins everywhere"),
        Mistake(lambda c: _head(2 * c, 0 * _squares(c)), "the last number is missing, so a long point wins everywhere"),
        Mistake(lambda c: _head(2 * c, _squares(c)), "the last number has the wrong sign"),
        Mistake(lambda c: _head(-2 * c, _squares(c)), "these are distances: the farthest class would win"),
        Mistake(lambda c: _head(c, -_squares(c) / 2), "this is half of it: the same answers, but softer probabilities"),
        Mistake(lambda c: _head(c, -_squares(c)), "the weights are the mean itself; they have to be twice the mean"),
        Mistake(lambda c: _head(2 * c, -_squares(c).sqrt()), "the last number is a length; its square is needed"),
        Mistake(lambda c: _head(2 * c, -2 * _squares(c)), "the last number is twice what it should be"),
        Mistake(lambda c: _head(2 * c, -_squares(c) / 2), "the last number is half of what it should be"),
        Mistake(
            lambda c: _head(2 * c, -_squares(c) / c.shape[1]),
            "you took the mean over the features; a squared length is their sum",
        ),
        Mistake(lambda c: _head(-_squares(c), 2 * c), "the single number stands first; it comes behind the weights"),
        Mistake(lambda c: _head(2 * c, -_squares(c)).T, "there is a column per class; a row per class is asked for"),
        Mistake(lambda c: 2 * c, "there is no room for the last number: D + 1 numbers per class"),
        Mistake(
            lambda c: _head(2 * F.normalize(c, dim=1), -torch.ones_like(_squares(c))),
            "you divided the means by their lengths; take them as they are",
        ),
    ],
)

# Two numbers for one


def _draw_numbers(*shape: int, low: float, high: float) -> Any:
    def draw(generator: Generator) -> tuple[Tensor]:
        size = 10 ** (low + (high - low) * torch.rand(*shape, generator=generator))
        signs = 2.0 * torch.randint(2, shape, generator=generator) - 1
        signs.view(-1)[:2] = torch.tensor([1.0, -1.0])  # both signs are there
        return (signs * size,)

    return draw


def _with_zero(generator: Generator) -> tuple[Tensor]:
    (values,) = _draw_numbers(6, low=-5, high=1)(generator)
    values[2] = 0
    return (values,)


def _two_by_loop(gradients: Tensor) -> Tensor:
    pairs = []
    for v in gradients.flatten().tolist():
        large = abs(v) >= math.exp(-7)
        pairs.append((math.log(abs(v)) / 7, math.copysign(1, v)) if large else (-1.0, math.exp(7) * v))
    return torch.tensor(pairs, dtype=gradients.dtype).view(*gradients.shape, 2)


def _two(v: Tensor, p: float = 7.0, below: float = math.exp(7), small: float = -1.0) -> Tensor:
    large = v.abs() >= math.exp(-p)
    log = torch.where(large, v.abs().clamp_min(1e-30).log() / p, small)
    return torch.stack([log, torch.where(large, v.sign(), below * v)], dim=-1)


def _log(v: Tensor) -> Tensor:
    return v.abs().clamp_min(1e-30).log() / 7


two_numbers = Exercise(
    "two_numbers",
    _two_by_loop,
    {
        "large gradients": Case(_draw_numbers(7, low=-2, high=2)),
        "small gradients": Case(_draw_numbers(7, low=-7, high=-3.5)),
        "both, of any shape": Case(_draw_numbers(3, 4, 2, low=-6, high=1)),
        "with a zero": Case(_with_zero),
    },
    [
        Mistake(
            lambda v: _two(v) * torch.tensor([7.0, 1.0]).to(v), "the logarithm is not divided by 7, and -1 has grown"
        ),
        Mistake(
            lambda v: torch.stack(
                [torch.where(_log(v) >= -1, 7 * _log(v), -1.0), _two(v)[..., 1]],
                dim=-1,
            ),
            "the logarithm is not divided by 7",
        ),
        Mistake(
            lambda v: torch.stack([_two(v)[..., 0] / math.log(10), _two(v)[..., 1]], dim=-1),
            "this is a logarithm to base 10; take the natural one",
        ),
        Mistake(lambda v: _two(v.abs()), "the sign is lost: the second number says it for large and small ones"),
        Mistake(lambda v: _two(v, below=1.0), "a small gradient stays as it is; multiply it by e to the 7"),
        Mistake(
            lambda v: torch.stack([_two(v)[..., 0], v.sign()], dim=-1),
            "small gradients lose their size: the second number is a sign only for large ones",
        ),
        Mistake(
            lambda v: torch.stack([_log(v), v.sign()], dim=-1),
            "this is the rule for large gradients only; small ones have a rule of their own",
        ),
        Mistake(lambda v: _two(v, small=0.0), "the first number of a small gradient is -1, not 0"),
        Mistake(lambda v: _two(v, small=1.0), "the first number of a small gradient is -1, not 1"),
        Mistake(lambda v: _two(v, p=10.0, below=math.exp(10)), "you used 10 as in the optimiser's paper; here it is 7"),
        Mistake(
            lambda v: torch.stack(
                [torch.where(v >= math.exp(-7), _log(v), -1.0), torch.where(v >= math.exp(-7), 1.0, math.exp(7) * v)],
                dim=-1,
            ),
            "every negative gradient counts as small; compare its size",
        ),
        Mistake(lambda v: _two(v).flip(-1), "the two numbers have changed places"),
        Mistake(lambda v: _two(v).movedim(-1, 0), "the two numbers belong into the last dimension"),
        Mistake(lambda v: _two(v)[..., 0], "this is the first of the two numbers only"),
    ],
)
