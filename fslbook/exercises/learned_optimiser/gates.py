"""Checks of chapter 17's exercises: one gated step, and where a gate begins."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# One step


def _draw_step(size: int, forget: float = 0.0, step: float = 0.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, ...]:
        w, g, f, i = torch.randn(4, size, generator=generator)
        return w, g, f + forget, i + step

    return draw


def _step_by_loop(weights: Tensor, gradients: Tensor, forget: Tensor, step: Tensor) -> Tensor:
    rows = zip(*(x.tolist() for x in (weights, gradients, forget, step)), strict=True)
    moved = [w / (1 + math.exp(-f)) - g / (1 + math.exp(-i)) for w, g, f, i in rows]
    return torch.tensor(moved, dtype=weights.dtype)


def _s(x: Tensor) -> Tensor:
    return x.sigmoid()


gated_step = Exercise(
    "gated_step",
    _step_by_loop,
    {
        "nine weights": Case(_draw_step(9)),
        "gates as at the start of training": Case(_draw_step(9, forget=4.5, step=-3.0)),
        "one weight": Case(_draw_step(1)),
        "passes the gradient on": Case(_draw_step(5), gradient=True),
    },
    [
        Mistake(lambda w, g, f, i: f * w - i * g, "the gates come before their sigmoid; apply it"),
        Mistake(lambda w, g, f, i: _s(f) * w + _s(i) * g, "this steps along the gradient; the loss would rise"),
        Mistake(lambda w, g, f, i: w - _s(i) * g, "the forget gate is missing"),
        Mistake(lambda w, g, f, i: _s(f) * w - g, "the input gate is missing"),
        Mistake(lambda w, g, f, i: _s(i) * w - _s(f) * g, "the two gates have changed places"),
        Mistake(
            lambda w, g, f, i: _s(f) * w - (1 - _s(f)) * g,
            "one gate decides over both here; the input gate has a value of its own",
        ),
        Mistake(
            lambda w, g, f, i: _s(f) * (w - _s(i) * g),
            "the forget gate shrinks the step as well; it multiplies the old weight alone",
        ),
        Mistake(lambda w, g, f, i: -_s(i) * g, "this is the step alone; the old weight is missing"),
        Mistake(lambda w, g, f, i: _s(f) * w, "this is what is kept; the step is missing"),
        Mistake(
            lambda w, g, f, i: _s(f) * w - _s(i) * g.tanh(),
            "an LSTM squashes its new content by tanh; here the gradient comes in as it is",
        ),
        Mistake(lambda w, g, f, i: f * w - _s(i) * g, "the forget gate lacks its sigmoid"),
        Mistake(lambda w, g, f, i: _s(f) * w - i * g, "the input gate lacks its sigmoid"),
        Mistake(lambda w, g, f, i: _s(f) * w - _s(i) * g.sign(), "the size of the gradient counts, not only its sign"),
        Mistake(lambda w, g, f, i: _s(f) * w - i.exp() * g, "exp has no upper end; a gate is a sigmoid"),
        Mistake(lambda w, g, f, i: (1 - _s(f)) * w - _s(i) * g, "a forget gate of 1 keeps all; you made it forget all"),
        Mistake(lambda w, g, f, i: f.tanh() * w - i.tanh() * g, "a tanh may be negative; a gate is a sigmoid"),
        Mistake(lambda w, g, f, i: _s(f) * w - _s(i) * w, "the step goes against the gradient, not against the weight"),
        Mistake(
            lambda w, g, f, i: F.softmax(f, 0) * w - F.softmax(i, 0) * g,
            "a softmax lets the weights compete; each has gates of its own",
        ),
    ],
)

# Where a gate begins


def _draw_rate(low: float, high: float) -> Any:
    """Evenly on a logarithmic scale."""

    def draw(generator: Generator) -> tuple[float]:
        u = torch.rand((), generator=generator, dtype=torch.float64).item()
        return (low * (high / low) ** u,)

    return draw


def _halved(rate: float) -> Tensor:
    """The place where a sigmoid has this value, by halving an interval."""
    low, high = -60.0, 60.0
    for _ in range(120):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 / (1 + math.exp(-middle)) < rate else (low, middle)
    return torch.tensor(low, dtype=torch.float64)


bias_for_rate = Exercise(
    "bias_for_rate",
    _halved,
    {
        "a usual rate": Case(_draw_rate(0.003, 0.2)),
        "a large rate": Case(_draw_rate(0.6, 0.95)),
        "a tiny rate": Case(_draw_rate(1e-6, 1e-4)),
    },
    [
        Mistake(math.log, "exp of this is the rate; which number has the rate as its sigmoid?"),
        Mistake(lambda r: math.log((1 - r) / r), "the sigmoid of this is one minus the rate"),
        Mistake(lambda r: r, "this is the rate itself; the sigmoid is still to come"),
        Mistake(lambda r: 1 / (1 + math.exp(-r)), "this is the sigmoid of the rate; its inverse is asked for"),
        Mistake(lambda r: r / (1 - r), "the logarithm is missing"),
        Mistake(lambda r: math.log10(r / (1 - r)), "the sigmoid is made with e; take the natural logarithm"),
        Mistake(lambda r: math.log(r / (1 + r)), "check the sign below the line: a sigmoid and its rest add up to 1"),
        Mistake(lambda r: math.log(1 - r), "the rate above the line is missing"),
        Mistake(math.atanh, "this is the inverse of tanh; a gate is a sigmoid"),
        Mistake(lambda r: math.log2(r / (1 - r)), "the sigmoid is made with e; take the natural logarithm, not base 2"),
        Mistake(lambda r: -math.log(r), "this is minus the logarithm of the rate; which number has it as its sigmoid?"),
        Mistake(lambda r: r * (1 - r), "this is the slope of the sigmoid; its inverse is asked for"),
        Mistake(lambda r: -1 / r, "one over the rate is no inverse of the sigmoid"),
        Mistake(lambda r: 4.5, "this is about where forget gates begin; the rate decides here"),
        Mistake(lambda r: 0.5 * math.log(r / (1 - r)), "half of it belongs to tanh; a sigmoid needs it whole"),
    ],
)
