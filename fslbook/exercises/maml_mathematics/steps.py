"""Checks of chapter 8's exercises: the mathematics of MAML, on weight vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import grad, jacrev

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import CurveLoss
from fslbook.exercises.engine.watching import Work

# Steps in a valley


def _draw_valley(steps: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor, float, int]:
        root = torch.randn(4, 4, generator=generator)
        curvature = root @ root.T / 4 + 0.1 * torch.eye(4)
        theta, minimum = torch.randn(2, 4, generator=generator)
        return theta, curvature, 2 * minimum, 0.2, steps

    return draw


def _valley_steps(theta: Tensor, curvature: Tensor, minimum: Tensor, alpha: float, steps: int) -> Tensor:
    factor = torch.eye(len(theta)).to(theta) - alpha * curvature
    return minimum + torch.linalg.matrix_power(factor, steps) @ (theta - minimum)


valley_steps = Exercise(
    "valley_steps",
    _valley_steps,
    {"one step": Case(_draw_valley(1)), "four steps": Case(_draw_valley(4)), "no step": Case(_draw_valley(0))},
    [
        Mistake(lambda w, H, t, a, k: _valley_steps(w, H, t, -a, k), "you went uphill; look at the sign"),
        Mistake(lambda w, H, t, a, k: _valley_steps(w, H, 0 * t, a, k), "you walk to 0, not to the minimum t"),
        Mistake(
            lambda w, H, t, a, k: _valley_steps(w, H, t, a * k, 1),
            "every step used the slope of the start; the slope changes on the way",
        ),
        Mistake(lambda w, H, t, a, k: _valley_steps(w, H, t, a, 1), "you took one step, whatever number was asked for"),
        Mistake(lambda w, H, t, a, k: _valley_steps(w, H, t, a, max(k - 1, 0)), "you took one step too few"),
        Mistake(lambda w, H, t, a, k: _valley_steps(w, H, t, a, k + 1), "you took one step too many"),
        Mistake(
            lambda w, H, t, a, k: _valley_steps(w, H.diagonal().diag(), t, a, k),
            "you used the diagonal of H alone; the weights also act on each other",
        ),
        Mistake(
            lambda w, H, t, a, k: _valley_steps(w, torch.eye(len(w)).to(w), t, a, k),
            "yours is without H; the slope is H times the distance from the minimum",
        ),
        Mistake(lambda w, H, t, a, k: _valley_steps(w, H, t, 1.0, k), "α is missing"),
        Mistake(
            lambda w, H, t, a, k: _valley_steps(w, H, t, 2 * a, k), "twice the slope: the ½ of the loss cancels the 2"
        ),
        Mistake(
            lambda *z: _valley_steps(*z) - z[2], "this is the distance from the minimum; asked is the point itself"
        ),
        Mistake(lambda w, H, t, a, k: t, "this is the minimum itself; so few steps do not get there"),
        Mistake(lambda w, H, t, a, k: w, "nothing has moved"),
    ],
)

# A Hessian times a vector


def _draw_vector(generator: Generator) -> tuple[nn.Module, Tensor, Tensor]:
    theta, vector = torch.randn(2, 10, generator=generator)
    return CurveLoss(generator), theta, vector


def _draw_long_vector(generator: Generator) -> tuple[nn.Module, Tensor, Tensor]:
    loss = CurveLoss(generator, hidden=20)
    theta, vector = torch.randn(2, 61, generator=generator) / 2
    return loss, theta, vector


_LONGEST = 300
"""Operations: two backward passes through the loss take about 60, one for each of 61 weights many more."""


def _built_hessian(work: Work, loss: nn.Module, theta: Tensor, vector: Tensor) -> str | None:
    n = len(theta)
    if work.largest >= n * n:
        return f"you built the Hessian: a tensor of {n} × {n} entries occurs on the way"
    if len(work.steps) > _LONGEST:
        return "you made a backward pass for each weight, which is the Hessian row by row; two passes are enough"
    return None


def _draw_axis(generator: Generator) -> tuple[nn.Module, Tensor, Tensor]:
    loss, theta, _ = _draw_vector(generator)
    return loss, theta, torch.eye(10)[int(torch.randint(3, (), generator=generator))]


hessian_vector_product = Exercise(
    "hessian_vector_product",
    lambda loss, theta, v: jacrev(grad(loss))(theta) @ v,
    {
        "a vector in any direction": Case(_draw_vector),
        "a vector along an axis": Case(_draw_axis),
        "without building the Hessian": Case(_draw_long_vector, watch=_built_hessian),
    },
    [
        Mistake(
            lambda loss, theta, v: jacrev(grad(loss))(theta).sum(0) * v,
            "you multiplied entry by entry at the end; the vector comes in before the second derivative",
        ),
        Mistake(
            lambda loss, theta, v: jacrev(grad(loss))(theta).diagonal() * v,
            "you used the diagonal of the Hessian alone; the weights also act on each other",
        ),
        Mistake(lambda loss, theta, v: grad(loss)(theta) * v, "this holds first derivatives only"),
        Mistake(lambda loss, theta, v: grad(loss)(theta) @ v, "this is the slope along v, one number: go on from here"),
        Mistake(lambda loss, theta, v: grad(loss)(theta + v) - grad(loss)(theta), "a step of length v is not small"),
        Mistake(lambda loss, theta, v: grad(loss)(theta), "this is the gradient, and no Hessian is in it"),
        Mistake(lambda loss, theta, v: jacrev(grad(loss))(v) @ theta, "θ and the vector have changed places"),
        Mistake(
            lambda loss, theta, v: jacrev(grad(loss))(theta) @ (jacrev(grad(loss))(theta) @ v),
            "the Hessian was applied twice",
        ),
    ],
)
