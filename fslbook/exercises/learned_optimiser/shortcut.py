"""Checks of chapter 17's exercises: what the input gates are told."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_walk(steps: int, size: int, closed: bool = False, open_: bool = False) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        forget = torch.rand(steps, size, generator=generator)
        if closed:
            forget[steps // 2] = 0
        forget = torch.ones_like(forget) if open_ else forget
        return forget, torch.randn(steps, size, generator=generator), torch.randn(size, generator=generator)

    return draw


def _by_autograd(forget: Tensor, gradients: Tensor, end: Tensor) -> Tensor:
    step = torch.zeros_like(forget, requires_grad=True)
    theta = torch.zeros_like(end)
    for t in range(len(forget)):
        theta = forget[t].detach() * theta - step[t] * gradients[t].detach()
    return torch.autograd.grad((theta * end.detach()).sum(), step)[0]


def _kept(forget: Tensor) -> Tensor:
    """Of each step, the share that is left at the end: the product of all later forget gates, [T, P]."""
    rows = [forget[t + 1 :].prod(dim=0) for t in range(len(forget))]
    return torch.stack(rows)


def _before(forget: Tensor) -> Tensor:
    return torch.stack([forget[:t].prod(dim=0) for t in range(len(forget))])


def _next(forget: Tensor) -> Tensor:
    return torch.cat([forget[1:], torch.ones_like(forget[:1])])


told_to_steps = Exercise(
    "told_to_steps",
    _by_autograd,
    {
        "four steps": Case(_draw_walk(4, 3)),
        "one step": Case(_draw_walk(1, 5)),
        "two steps": Case(_draw_walk(2, 4)),
        "forget gates at 1": Case(_draw_walk(3, 4, open_=True)),
        "a closed forget gate": Case(_draw_walk(5, 3, closed=True)),
    },
    [
        Mistake(
            lambda f, g, q: g * _kept(f) * q, "the sign is turned round: the step is subtracted, so its gate gets -g"
        ),
        Mistake(lambda f, g, q: -g * q, "later forget gates shrink what a step has done; multiply by them"),
        Mistake(
            lambda f, g, q: -g * _kept(f) * f * q,
            "the gate of the same step shrinks the old weight only; begin with the next one",
        ),
        Mistake(lambda f, g, q: -g * f.prod(0) * q, "the gates of earlier steps do not touch this step"),
        Mistake(lambda f, g, q: -g * _before(f) * q, "these are the gates of the steps before; take those after"),
        Mistake(lambda f, g, q: -g * _next(f) * q, "all later gates count, not only that of the next step"),
        Mistake(lambda f, g, q: -g * _kept(f), "the gradient at the end is missing"),
        Mistake(lambda f, g, q: -_kept(f) * q, "the gradient of the step itself is missing"),
        Mistake(lambda f, g, q: -g * f.cumprod(0) * q, "these are the gates up to this step; take those after it"),
        Mistake(
            lambda f, g, q: -g * f.prod(0) / f.cumprod(0) * q,
            "this divides by a product that may be 0; multiply the later gates themselves",
        ),
        Mistake(
            lambda f, g, q: -g * torch.stack([f[t + 1 :].sum(0) for t in range(len(f))]) * q,
            "the gates act one after the other: multiply them, do not add them",
        ),
        Mistake(lambda f, g, q: -g * _kept(f) * q / len(f), "there is no mean over the steps"),
        Mistake(lambda f, g, q: (-g * _kept(f) * q).sum(0), "one number per step and weight; you added up the steps"),
        Mistake(lambda f, g, q: (-g * _kept(f) * q).sum(1), "one number per step and weight; you added up the weights"),
        Mistake(
            lambda f, g, q: -g.flip(0) * _kept(f) * q, "the gradients are in the order of the steps; leave them so"
        ),
        Mistake(lambda f, g, q: -g * f * q, "the gate of the same step does not touch it; the later ones do"),
        Mistake(
            lambda f, g, q: _kept(f) * f * q, "this is told to the weights before each step, not to the input gates"
        ),
    ],
)
