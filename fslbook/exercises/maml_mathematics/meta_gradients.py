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


def _without_one(hessians: Tensor, gradient: Tensor, alpha: float) -> Tensor:
    for one in hessians.flip(0):
        gradient = -alpha * one @ gradient
    return gradient


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
        Mistake(lambda H, g, a: _product(H[:1], g, a), "only the first step is in it"),
        Mistake(lambda H, g, a: _product(H, g, 1.0), "α is missing"),
        Mistake(_without_one, "in every factor the 1 is missing: the step keeps the old weights, too"),
        Mistake(
            lambda H, g, a: _product(torch.diag_embed(H.diagonal(dim1=1, dim2=2)), g, a),
            "you used the diagonals alone; the weights also act on each other",
        ),
        Mistake(
            lambda H, g, a: _product(H.mean(dim=0, keepdim=True).expand_as(H), g, a),
            "you took the mean of the Hessians; each step has its own",
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


def _of_both(rule: Any) -> Any:
    return lambda *arguments: rule(*_both(*arguments))


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
        Mistake(
            _of_both(lambda f, g: (f - g).norm()),
            "this is the length of the difference alone; divide by that of the full one",
        ),
        Mistake(
            _of_both(lambda f, g: (f.norm() - g.norm()).abs() / f.norm()),
            "this is a difference of the lengths; take the length of the difference",
        ),
        Mistake(
            _of_both(lambda f, g: (f - g).abs().sum() / f.abs().sum()),
            "these are sums of absolute values; a length is the root of a sum of squares",
        ),
        Mistake(
            lambda s, q, w, a, k: _share(*_both(s, q, w, a, 1)), "you took one step, whatever number was asked for"
        ),
        Mistake(
            _of_both(lambda f, g: g.norm() / f.norm()),
            "you took the first-order gradient for the whole difference; subtract it from the full one",
        ),
    ],
)
