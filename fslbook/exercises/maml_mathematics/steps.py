"""Checks of chapter 8's exercises: the mathematics of MAML, on weight vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import grad, jacrev

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import CurveLoss, gradients, uneven_sum
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
    ],
)

# An inner loop that stays a formula


def _draw_loop(steps: int) -> Any:
    def draw(generator: Generator) -> tuple[nn.Module, Tensor, float, int]:
        return CurveLoss(generator), torch.randn(10, generator=generator), 0.3, steps

    return draw


def _through(adapted: Tensor, loss: nn.Module, theta: Tensor, alpha: float, steps: int) -> dict[str, Tensor]:
    return {"θ′": adapted, "gradient through θ′": gradients(uneven_sum(adapted), [theta])[0]}


def _adapted(loss: nn.Module, theta: Tensor, alpha: float, steps: int, cut: str = "") -> Tensor:
    start = theta
    for step in range(steps):
        slope = grad(loss)(start if cut == "lazy" else theta)
        slope = slope.detach() if cut == "slope" else slope
        theta = (theta.detach() if cut == "between" and step else theta) - alpha * slope
    return theta.detach() if cut == "all" else theta


adapted = Exercise(
    "adapted",
    _adapted,
    {
        "one step": Case(_draw_loop(1), probe=_through),
        "three steps": Case(_draw_loop(3), probe=_through),
    },
    [
        Mistake(lambda loss, w, a, k: _adapted(loss, w, -a, k), "you went uphill; look at the sign"),
        Mistake(
            lambda loss, w, a, k: _adapted(loss, w, a, k, "slope"),
            "θ′ is right, but its slopes are mere numbers, as if they did not depend on θ",
        ),
        Mistake(
            lambda loss, w, a, k: _adapted(loss, w, a, k, "all"),
            "θ′ is right, but no path leads back from it to θ: it is a copy",
        ),
        Mistake(
            lambda loss, w, a, k: _adapted(loss, w, a, k, "between"),
            "θ′ is right, but only the last step remembers where it came from",
        ),
        Mistake(
            lambda loss, w, a, k: _adapted(loss, w, a, k, "lazy"),
            "every step used the slope of the start; the slope changes on the way",
        ),
    ],
)
