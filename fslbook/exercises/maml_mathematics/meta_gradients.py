"""Checks of chapter 8's exercises: meta-gradients in closed form."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import grad, jacrev

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import CurveLoss
from fslbook.exercises.engine.watching import Work

# Back through the steps


def _draw_factors(steps: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, float]:
        roots = torch.randn(steps, 4, 4, generator=generator)
        return roots @ roots.mT / 4, torch.randn(4, generator=generator), 0.3

    return draw


def _product(hessians: Tensor, gradient: Tensor, alpha: float, order: int = 1) -> Tensor:
    result = torch.eye(len(gradient)).to(gradient)
    for one in [*hessians][::order]:
        factor = torch.eye(len(gradient)).to(gradient) - alpha * one
        result = (result[:, :, None] * factor).sum(dim=1)  # rows times columns
    return result @ gradient


def _matrix_products(work: Work, hessians: Tensor, gradient: Tensor, alpha: float) -> str | None:
    many = work.count("mm", "bmm", "addmm", "baddbmm", at_least=len(gradient) ** 2)
    return f"you multiplied matrices with each other ({many} times); let each act on the vector at once" * bool(many)


back_through_steps = Exercise(
    "back_through_steps",
    _product,
    {
        "one step": Case(_draw_factors(1)),
        "two steps": Case(_draw_factors(2)),
        "five steps": Case(_draw_factors(5)),
        "no step": Case(lambda g: (torch.zeros(0, 4, 4), torch.randn(4, generator=g), 0.3)),
        "matrices times vectors alone": Case(_draw_factors(3), watch=_matrix_products),
    },
    [
        Mistake(lambda H, g, a: _product(H, g, a, -1), "the factors stand in the wrong order: which acts on g first?"),
        Mistake(lambda H, g, a: _product(H, g, -a), "the sign of αH is wrong"),
        Mistake(lambda H, g, a: g - a * H.sum(0) @ g, "you added the steps up; their factors must be multiplied"),
        Mistake(lambda H, g, a: _product(H[-1:], g, a), "only the last step is in it"),
        Mistake(lambda H, g, a: g, "this is the first-order gradient: the Hessians have no influence on yours"),
        Mistake(lambda H, g, a: -a * H[0] @ g, "this is the Hessian term alone; the first-order part is missing"),
    ],
)

# The best start


def _draw_valleys(alpha: float, steps: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, float, int]:
        curvatures = 0.5 + 4 * torch.rand(5, generator=generator)
        return curvatures, 3 * torch.randn(5, generator=generator), alpha, steps

    return draw


def _best_start(curvatures: Tensor, minima: Tensor, alpha: float, steps: int) -> Tensor:
    """The vertex of the parabola through the meta-loss at -1, 0 and 1."""
    heights = []
    for start in (-1.0, 0.0, 1.0):
        theta = torch.full_like(curvatures, start, dtype=torch.float64)
        for _ in range(steps):
            theta = theta - alpha * curvatures * (theta - minima)
        heights.append((curvatures * (theta - minima) ** 2 / 2).mean())
    left, middle, right = heights
    return ((left - right) / (2 * (left - 2 * middle + right))).to(curvatures)


def _vote(factors: int) -> Any:
    def wrong(curvatures: Tensor, minima: Tensor, alpha: float, steps: int) -> Tensor:
        weights = curvatures * (1 - alpha * curvatures) ** (factors * steps)
        return (weights * minima).sum() / weights.sum()

    return wrong


best_start = Exercise(
    "best_start",
    _best_start,
    {
        "one step": Case(_draw_valleys(0.15, 1)),
        "three steps": Case(_draw_valleys(0.1, 3)),
        "no step": Case(_draw_valleys(0.1, 0)),
    },
    [
        Mistake(_vote(0), "this is the best compromise before adapting; the inner steps play no part in it"),
        Mistake(_vote(1), "this is where the first-order gradient settles, not the meta-gradient"),
        Mistake(
            lambda c, t, a, k: t.mean(),
            "every task got the same vote; steep and flat ones must not weigh alike",
        ),
        Mistake(
            lambda c, t, a, k: ((1 - a * c) ** (2 * k) * t).sum() / ((1 - a * c) ** (2 * k)).sum(),
            "the votes know how far a step gets, but not how steep a task's loss is",
        ),
        Mistake(
            lambda c, t, a, k: _vote(2)(c, t, a, k) * (c * (1 - a * c) ** (2 * k)).mean(),
            "the votes must add up to 1",
        ),
    ],
)

# What first order drops


def _draw_task(steps: int) -> Any:
    def draw(generator: Generator) -> tuple[nn.Module, nn.Module, Tensor, float, int]:
        losses = CurveLoss(generator), CurveLoss(generator)
        return *losses, torch.randn(10, generator=generator), 0.2, steps

    return draw


def _both(support: nn.Module, query: nn.Module, theta: Tensor, alpha: float, steps: int) -> tuple[Tensor, Tensor]:
    hessians = []
    for _ in range(steps):
        hessians.append(jacrev(grad(support))(theta))
        theta = theta - alpha * grad(support)(theta)
    first = grad(query)(theta)
    return _product(torch.stack(hessians), first, alpha), first


def _share(full: Tensor, first: Tensor) -> Tensor:
    return (full - first).norm() / full.norm()


hessian_share = Exercise(
    "hessian_share",
    lambda *arguments: _share(*_both(*arguments)),
    {"one step": Case(_draw_task(1)), "three steps": Case(_draw_task(3))},
    [
        Mistake(
            lambda *z: _share(*_both(*z)[::-1]), "you compared with the first-order gradient; compare with the full"
        ),
        Mistake(lambda *z: _share(*_both(*z)) ** 2, "these are squared lengths; take lengths"),
        Mistake(
            lambda *z: torch.cosine_similarity(*_both(*z), dim=0), "this is the cosine; wanted is a ratio of lengths"
        ),
        Mistake(
            lambda s, q, w, a, k: _share(_both(s, q, w, a, k)[0], grad(q)(w)),
            "the first-order gradient is not the one at the start: where is it taken?",
        ),
        Mistake(
            lambda s, q, w, a, k: _share(*_both(s, s, w, a, k)),
            "you took the support loss for the outer one",
        ),
    ],
)
