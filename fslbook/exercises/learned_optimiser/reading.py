"""Checks of chapter 17's exercises: back from what the gate cell reads, and losses at several rates."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.networks.fast_weights import log_and_sign

# Back from logarithm and sign


def _draw_pairs(size: int, p: float, low: float, high: float, zero: bool = False) -> Any:
    """What is read of numbers of both signs, sizes from e^low to e^high; the first may be 0."""

    def draw(generator: Generator) -> tuple[Tensor, float]:
        sizes = (low + (high - low) * torch.rand(size, generator=generator)).exp()
        x = sizes * (2 * torch.randint(2, (size,), generator=generator) - 1)
        if zero:
            x[0] = 0
        return log_and_sign(x, p), p

    return draw


def _back_by_loop(pairs: Tensor, p: float) -> Tensor:
    numbers = []
    for first, second in pairs.tolist():
        numbers.append(math.copysign(math.exp(p * first), second) if first > -1 else second / math.exp(p))
    return torch.tensor(numbers, dtype=pairs.dtype)


def _back(large: Any = None, small: Any = None) -> Any:
    """A version with these two cases, by default the right ones; each takes the two columns and p."""

    def version(pairs: Tensor, p: float) -> Tensor:
        first, second = pairs[:, 0], pairs[:, 1]
        right = second * (p * first).exp()
        above = right if large is None else large(first, second, p)
        return torch.where(first > -1, above, right if small is None else small(first, second, p))

    return version


number_behind = Exercise(
    "number_behind",
    _back_by_loop,
    {
        "large numbers": Case(_draw_pairs(9, 10.0, -3.0, 2.0)),
        "small numbers": Case(_draw_pairs(8, 2.0, -4.0, -2.1)),
        "both": Case(_draw_pairs(16, 2.0, -4.0, 1.0)),
        "a zero": Case(_draw_pairs(3, 3.0, -2.5, 1.0, zero=True)),
        "one number": Case(_draw_pairs(1, 3.0, -2.0, 1.0)),
    },
    [
        Mistake(_back(lambda f, s, p: s * f.exp()), "the logarithm was divided by p; multiply by it first"),
        Mistake(_back(lambda f, s, p: s * (f / p).exp()), "the logarithm was divided by p; you divided once more"),
        Mistake(_back(lambda f, s, p: s * 10 ** (p * f)), "it was a natural logarithm, not one to base 10"),
        Mistake(_back(lambda f, s, p: s * 2 ** (p * f)), "it was a natural logarithm, not one to base 2"),
        Mistake(_back(lambda f, s, p: s * (-p * f).exp()), "the sign of the logarithm is turned round"),
        Mistake(_back(lambda f, s, p: (p * f).exp()), "the sign of the large numbers is lost"),
        Mistake(_back(lambda f, s, p: s * p * f), "this is the logarithm still; undo it"),
        Mistake(lambda x, p: (p * x[:, 0]).exp(), "the second number is not used at all"),
        Mistake(
            lambda x, p: x[:, 1].sign() * (p * x[:, 0]).exp(),
            "below the threshold, the second number holds more than a sign",
        ),
        Mistake(_back(None, lambda f, s, p: s), "small numbers were multiplied by e^p; undo that"),
        Mistake(_back(None, lambda f, s, p: s * math.exp(p)), "small numbers were multiplied by e^p; you did it again"),
        Mistake(_back(None, lambda f, s, p: s / p), "small numbers were multiplied by e^p, not by p"),
        Mistake(_back(None, lambda f, s, p: 0 * s), "small numbers are not lost: the second number holds them"),
        Mistake(_back(None, lambda f, s, p: -s * math.exp(-p)), "small numbers come out with the wrong sign"),
        Mistake(_back(None, lambda f, s, p: s.abs() * math.exp(-p)), "the sign of the small numbers is lost"),
        Mistake(_back(lambda f, s, p: -s * (p * f).exp()), "large numbers come out with the wrong sign"),
        Mistake(lambda x, p: _back()(x.flip(1), p), "the two numbers have changed places: the logarithm comes first"),
        Mistake(lambda x, p: _back()(x, p)[:, None], "one number per row, in one dimension: [M], not [M, 1]"),
        Mistake(lambda x, p: x.prod(1), "this is the product of the pair; the logarithm must be undone"),
        Mistake(lambda x, p: x[:, 1] + (p * x[:, 0]).exp(), "you added the sign; multiply by it"),
    ],
)

# Losses at several rates


def _draw_valley(size: int, steps: int, steep: float) -> Any:
    """Curvatures from 1 to `steep`; rates from small to half as much again as the steepest direction bears."""

    def draw(generator: Generator) -> tuple[Tensor, Tensor, int, list[float]]:
        curvatures = 1 + (steep - 1) * torch.rand(size, generator=generator)
        curvatures[0] = steep
        start = torch.randn(size, generator=generator)
        start[0] = start[0].sign() * (0.5 + start[0].abs())  # so that the largest rate is seen to climb
        return curvatures, start, steps, (torch.tensor([0.05, 0.4, 0.9, 1.5, 3.0]) / steep).tolist()

    return draw


def _walked(curvatures: Tensor, start: Tensor, steps: int, rates: list[float]) -> Tensor:
    losses = []
    for rate in rates:
        theta = start
        for _ in range(steps):
            theta = theta - rate * curvatures * theta
        losses.append((curvatures * theta**2).sum() / 2)
    return torch.stack(losses)


def _valley(end: Any = lambda c, x, t, r: (1 - r * c) ** t * x, loss: Any = lambda c, e: (c * e**2).sum(1) / 2) -> Any:
    def version(curvatures: Tensor, start: Tensor, steps: int, rates: list[float]) -> Tensor:
        r = torch.tensor(rates, dtype=start.dtype, device=start.device)[:, None]  # [R, 1]
        return loss(curvatures, end(curvatures, start, steps, r))

    return version


def _all_losses(c: Tensor, x: Tensor, t: int, r: list[float]) -> Tensor:
    return torch.stack([_walked(c, x, k, r) for k in range(1, t + 1)])


losses_at_rates = Exercise(
    "losses_at_rates",
    _walked,
    {
        "three steps": Case(_draw_valley(4, 3, 8.0)),
        "one step": Case(_draw_valley(3, 1, 5.0)),
        "a steep valley": Case(_draw_valley(6, 5, 30.0)),
        "two steps, one weight": Case(_draw_valley(1, 2, 4.0)),
    },
    [
        Mistake(_valley(lambda c, x, t, r: (1 - r * c) * x), "this is the loss after one step"),
        Mistake(lambda c, x, t, r: _walked(c, x, t + 1, r), "there is one step too many"),
        Mistake(lambda c, x, t, r: _walked(c, x, t - 1, r), "there is one step too few"),
        Mistake(_valley(loss=lambda c, e: (c * e**2).sum(1)), "the half of the loss is missing"),
        Mistake(_valley(loss=lambda c, e: (e**2).sum(1) / 2), "the curvatures are missing in the loss"),
        Mistake(_valley(loss=lambda c, e: (c * e**2).mean(1) / 2), "this is a mean over the weights; take their sum"),
        Mistake(_valley(lambda c, x, t, r: (1 - r) ** t * x), "the gradient is curvature times weight"),
        Mistake(_valley(lambda c, x, t, r: (1 + r * c) ** t * x), "this climbs: step against the gradient"),
        Mistake(_valley(lambda c, x, t, r: (1 - r * t * c) * x), "this is one step of all rates together"),
        Mistake(
            _valley(lambda c, x, t, r: (-r * c * t).exp() * x),
            "this is the limit of very many very small steps; the steps are finite",
        ),
        Mistake(lambda c, x, t, r: _all_losses(c, x, t, r).sum(0), "these are sums over the steps; take the last loss"),
        Mistake(
            lambda c, x, t, r: _all_losses(c, x, t, r).mean(0), "these are means over the steps; take the last loss"
        ),
        Mistake(
            lambda c, x, t, r: _all_losses(c, x, t, r).amin(0), "these are the lowest losses on the way; take the last"
        ),
        Mistake(_valley(loss=lambda c, e: (c * e).sum(1) / 2), "the weight is not squared in the loss"),
        Mistake(_valley(loss=lambda c, e: (c * e).abs().sum(1)), "this adds up sizes of gradients, not the loss"),
        Mistake(
            lambda c, x, t, r: _walked(c, x, t, r).min(), "this is the lowest of all losses; one per rate is asked for"
        ),
        Mistake(lambda c, x, t, r: _walked(c, x, t, [r[0]] * len(r)), "every rate got the answer of the first one"),
        Mistake(
            _valley(lambda c, x, t, r: (1 - r * c / 2) ** t * x),
            "the half of the loss is gone in the gradient: it is curvature times weight",
        ),
        Mistake(
            _valley(lambda c, x, t, r: (1 - 2 * r * c) ** t * x),
            "the 2 of the derivative and the half of the loss cancel",
        ),
    ],
)
