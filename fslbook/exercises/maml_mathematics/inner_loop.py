"""A check of chapter 8's exercises: an inner loop that stays a formula."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import grad

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import CurveLoss, gradients, uneven_sum


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
        Mistake(lambda loss, w, a, k: _adapted(loss, w, 1.0, k), "α is missing"),
        Mistake(lambda loss, w, a, k: _adapted(loss, w, a, 1), "you took one step, whatever number was asked for"),
        Mistake(lambda loss, w, a, k: _adapted(loss, w, a, k + 1), "you took one step too many"),
        Mistake(lambda loss, w, a, k: 1 * w, "nothing has moved"),
        Mistake(
            lambda loss, w, a, k: grad(loss)(_adapted(loss, w, a, k - 1)), "this is the slope at the last step, not θ′"
        ),
        Mistake(lambda loss, w, a, k: _adapted(loss, w, a / k, k), "α was divided by the number of steps"),
    ],
)
