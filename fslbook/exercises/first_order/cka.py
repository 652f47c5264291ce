"""A check of chapter 10's exercises: how alike features are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_features(n: int, d1: int, d2: int, shared: float = 0.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        a, b = torch.randn(n, d1, generator=generator), torch.randn(n, d2, generator=generator)
        return a + 2, b + shared * a @ torch.randn(d1, d2, generator=generator) - 1

    return draw


def _rotated(generator: Generator) -> tuple[Tensor, Tensor]:
    a = torch.randn(12, 4, generator=generator) + 2
    return a, 3 * a @ torch.linalg.qr(torch.randn(4, 4, generator=generator)).Q + 1


def _cka(a: Tensor, b: Tensor, centred: bool = True) -> Tensor:
    """By way of the products between images, [M, M]."""
    kernels = [(x - x.mean(dim=0) if centred else x) for x in (a.double(), b.double())]
    kernels = [x @ x.T for x in kernels]
    cross = (kernels[0] * kernels[1]).sum()
    return (cross / (kernels[0].square().sum() * kernels[1].square().sum()).sqrt()).to(a)


def _in_norm(norm: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The ratio with another norm of the matrices in it."""

    def version(a: Tensor, b: Tensor) -> Tensor:
        a, b = a - a.mean(dim=0), b - b.mean(dim=0)
        return norm(a.T @ b) ** 2 / (norm(a.T @ a) * norm(b.T @ b))

    return version


def _by_lengths(a: Tensor, b: Tensor) -> Tensor:
    """Below the line the features themselves."""
    a, b = a - a.mean(dim=0), b - b.mean(dim=0)
    return (a.T @ b).square().sum() / (a.square().sum() * b.square().sum())


def _ratio(rule: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A wrong ratio of the lengths of aᵀb, aᵀa and bᵀb."""

    def version(a: Tensor, b: Tensor) -> Tensor:
        a, b = a - a.mean(dim=0), b - b.mean(dim=0)
        return rule((a.T @ b).norm(), (a.T @ a).norm(), (b.T @ b).norm())

    return version


linear_cka = Exercise(
    "linear_cka",
    _cka,
    {
        "features that share something": Case(_draw_features(20, 4, 6, shared=1.0)),
        "features that share nothing": Case(_draw_features(20, 4, 6)),
        "a rotated and rescaled copy": Case(_rotated),
        "more features than images": Case(_draw_features(5, 30, 40)),
    },
    [
        Mistake(lambda a, b: _cka(a, b, centred=False), "you did not take the mean of each feature away first"),
        Mistake(
            lambda a, b: _cka(a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True), centred=False),
            "you took away the mean over the features of an image; take that over the images",
        ),
        Mistake(lambda a, b: _cka(a, b).sqrt(), "a square is missing somewhere"),
        Mistake(lambda a, b: _cka(a, b) ** 2, "there is one square too many"),
        Mistake(lambda a, b: 1 - _cka(a, b), "this is a distance: 0 where the two agree"),
        Mistake(
            _ratio(lambda ab, aa, bb: ab**2 / (aa * bb).sqrt()),
            "you took the root of the product below; take the product",
        ),
        Mistake(_ratio(lambda ab, aa, bb: ab**2), "nothing is divided: yours grows with the size of the features"),
        Mistake(_ratio(lambda ab, aa, bb: ab**2 / aa**2), "you divided by one of the two twice; each counts once"),
        Mistake(_ratio(lambda ab, aa, bb: ab**2 / bb**2), "you divided by one of the two twice; each counts once"),
        Mistake(_ratio(lambda ab, aa, bb: ab / (aa * bb)), "the numerator is not squared"),
        Mistake(
            _ratio(lambda ab, aa, bb: 2 * ab**2 / (aa**2 + bb**2)),
            "you divided by a sum of the two; a product makes it blind to size",
        ),
        Mistake(
            _in_norm(lambda x: torch.linalg.matrix_norm(x, 2)),
            "you took the spectral norm, the largest singular value; wanted is the Frobenius norm, over all entries",
        ),
        Mistake(
            _in_norm(lambda x: torch.linalg.matrix_norm(x, "nuc")),
            "you took the nuclear norm, the sum of the singular values; wanted is the Frobenius norm, over all entries",
        ),
        Mistake(
            _in_norm(lambda x: x.abs().sum()),
            "you added up the absolute values of the entries; the Frobenius norm adds up their squares",
        ),
        Mistake(
            _by_lengths,
            "below the line you took the norms of the features; wanted are those of their products with themselves",
        ),
        Mistake(
            lambda a, b: _cka(F.normalize(a - a.mean(dim=0)), F.normalize(b - b.mean(dim=0))),
            "the features of each image were brought to length 1; take them as they are",
        ),
    ],
)
