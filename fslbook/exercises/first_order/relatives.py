"""Checks of chapter 10's exercises: Meta-SGD, ANIL, and how alike features are."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.func import grad

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import (
    CurveLoss,
)

# What Meta-SGD's rates are told


def _draw_rates(generator: Generator) -> tuple[nn.Module, nn.Module, Tensor, Tensor]:
    theta, rates = torch.randn(10, generator=generator), 0.3 * torch.randn(10, generator=generator)
    return CurveLoss(generator), CurveLoss(generator), theta, rates


def _rate_gradient(support: nn.Module, query: nn.Module, theta: Tensor, rates: Tensor) -> Tensor:
    slope = grad(support)(theta)
    return grad(lambda r: query(theta - r * slope))(rates)


def _slopes(support: nn.Module, query: nn.Module, theta: Tensor, rates: Tensor) -> tuple[Tensor, Tensor]:
    slope = grad(support)(theta)
    return slope, grad(query)(theta - rates * slope)


rate_gradient = Exercise(
    "rate_gradient",
    _rate_gradient,
    {"ten weights, ten rates": Case(_draw_rates)},
    [
        Mistake(
            lambda *z: -_rate_gradient(*z), "the sign: would a longer step have made the query loss smaller or larger?"
        ),
        Mistake(lambda s, q, w, r: -grad(s)(w) * grad(q)(w), "the query loss is that of the adapted weights"),
        Mistake(lambda *z: _slopes(*z)[1], "this is what the weights are told; the rates act on them through the step"),
        Mistake(
            lambda *z: -(_slopes(*z)[0] @ _slopes(*z)[1]), "one number for all: every weight has a rate of its own"
        ),
        Mistake(lambda s, q, w, r: _rate_gradient(q, s, w, r), "support and query changed places"),
        Mistake(
            lambda s, q, w, r: _rate_gradient(s, q, w, r.abs()),
            "you made the rates positive; they may well be negative",
        ),
        Mistake(lambda s, q, w, r: grad(s)(w), "this is the slope of the support loss alone"),
        Mistake(lambda s, q, w, r: -grad(s)(w), "this is the slope of the support loss alone"),
        Mistake(
            lambda s, q, w, r: r * _rate_gradient(s, q, w, r),
            "you multiplied by the rates; in a derivative they are gone",
        ),
        Mistake(lambda s, q, w, r: -_rate_gradient(s, q, w, -r) * -1, "the inner step goes uphill"),
        Mistake(
            lambda *z: -(_slopes(*z)[0] ** 2), "these are squares of the support's slopes; the query's must meet them"
        ),
        Mistake(
            lambda *z: -(_slopes(*z)[1] ** 2),
            "these are the queries' slopes squared; the support's must meet them",
        ),
    ],
)
