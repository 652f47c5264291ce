"""Checks of chapter 12's exercises: views, their partners, and the two measures."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Who is whose partner


def _draw_number(n_images: int) -> Any:
    return lambda generator: (n_images,)


def _ring(m: int, by: int) -> Tensor:
    return (torch.arange(2 * m) + by) % (2 * m)


partners = Exercise(
    "partners",
    lambda m: torch.tensor([i + m if i < m else i - m for i in range(2 * m)]),
    {
        "three images": Case(_draw_number(3)),
        "five images": Case(_draw_number(5)),
        "sixty-four images": Case(_draw_number(64)),
    },
    [
        Mistake(lambda m: torch.arange(2 * m), "each view has itself as partner"),
        Mistake(lambda m: torch.arange(2 * m) ^ 1, "this is right where the two views of an image stand side by side"),
        Mistake(lambda m: torch.arange(m) + m, "the second half has partners, too: 2M numbers are asked for"),
        Mistake(lambda m: torch.arange(2 * m) + m, "the second half points beyond the last view"),
        Mistake(lambda m: torch.arange(2 * m).flip(0), "the order is turned round"),
        Mistake(lambda m: _ring(m, 1), "each view has its right-hand neighbour as partner"),
        Mistake(lambda m: torch.arange(m).repeat(2), "the first half has itself as partner"),
        Mistake(lambda m: torch.arange(m, 2 * m).repeat(2), "the second half has itself as partner"),
        Mistake(lambda m: _ring(m, m + 1), "each view has the neighbour of its partner; you are one place too far"),
        Mistake(lambda m: _ring(m, m - 1), "each view has the neighbour of its partner; you are one place short"),
    ],
)

# NT-Xent


def _draw_views(n_images: int, temperature: float) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, float]:
        first = torch.randn(n_images, 4, generator=generator)
        return 3 * first, first + torch.randn(n_images, 4, generator=generator), temperature

    return draw


def _loss_by_loop(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    z = [x / x.norm() for x in [*first, *second]]
    losses = []
    for i, own in enumerate(z):
        others = torch.stack([own @ z[j] / temperature for j in range(len(z)) if j != i])
        losses.append(others.logsumexp(0) - own @ z[(i + len(first)) % len(z)] / temperature)
    return torch.stack(losses).mean()


def _nt_xent(
    first: Tensor,
    second: Tensor,
    temperature: float,
    *,
    unit: bool = True,
    keep: bool = False,
    shift: int = 0,
    reduction: str = "mean",
) -> Tensor:
    z = torch.cat([first, second])
    z = F.normalize(z, dim=1) if unit else z
    logits = z @ z.T / temperature
    logits = logits if keep else logits - torch.diag(torch.full((len(z),), 1e5, dtype=z.dtype))
    return F.cross_entropy(logits, torch.arange(len(z)).roll(len(first) + shift), reduction=reduction)


def _without_partner(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    z = F.normalize(torch.cat([first, second]), dim=1)
    logits, partner = z @ z.T / temperature, torch.arange(len(z)).roll(len(first))
    right = logits[torch.arange(len(z)), partner]
    gone = torch.eye(len(z), dtype=torch.bool) | F.one_hot(partner, len(z)).bool()
    return (logits.masked_fill(gone, -torch.inf).logsumexp(1) - right).mean()


def _across(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    logits = F.normalize(first, dim=1) @ F.normalize(second, dim=1).T / temperature
    return F.cross_entropy(logits, torch.arange(len(first)))


contrastive_loss = Exercise(
    "contrastive_loss",
    _loss_by_loop,
    {
        "three images": Case(_draw_views(3, 0.5)),
        "eight images, another temperature": Case(_draw_views(8, 0.2)),
        "passes the gradient on": Case(_draw_views(4, 0.5), gradient=True),
    },
    [
        Mistake(lambda a, b, t: _nt_xent(a, b, t, keep=True), "a view may pick itself here; take the diagonal out"),
        Mistake(lambda a, b, t: _nt_xent(a, b, t, unit=False), "the vectors were not divided by their lengths"),
        Mistake(lambda a, b, t: _nt_xent(a, b, 1 / t), "you multiplied by the temperature; divide by it"),
        Mistake(lambda a, b, t: _nt_xent(a, b, 1.0), "the temperature is missing"),
        Mistake(lambda a, b, t: 2 * _nt_xent(a, b, t), "this is twice the mean: the two halves were added"),
        Mistake(lambda a, b, t: _nt_xent(a, b, t, reduction="sum"), "this is the sum over all views, not the mean"),
        Mistake(lambda a, b, t: -_nt_xent(a, b, t), "the sign is wrong: a loss is minus the logarithm"),
        Mistake(lambda a, b, t: _nt_xent(a, b, t, shift=1), "the right answer is the neighbour of the partner here"),
        Mistake(_without_partner, "the partner is missing in the sum below"),
        Mistake(_across, "you compared only across the two halves; views of the same half are others, too"),
    ],
)

# Uniformity


def _draw_features(n: int, spread: float) -> Any:
    return lambda generator: (1 + spread * torch.randn(n, 3, generator=generator),)


def _uniformity_by_loop(features: Tensor) -> Tensor:
    rows = [[a / math.hypot(*x) for a in x] for x in features.tolist()]
    pairs = [(i, j) for i in range(len(rows)) for j in range(i)]
    terms = [math.exp(-2 * math.dist(rows[i], rows[j]) ** 2) for i, j in pairs]
    return torch.tensor(math.log(sum(terms) / len(terms)), dtype=features.dtype)


def _far(x: Tensor) -> Tensor:
    return torch.pdist(F.normalize(x, dim=1))


def _all_pairs(x: Tensor) -> Tensor:
    z = F.normalize(x, dim=1)
    return (-2 * torch.cdist(z, z).square()).exp().mean().log()


evenness = Exercise(
    "evenness",
    _uniformity_by_loop,
    {
        "four vectors": Case(_draw_features(4, 1.0)),
        "twenty vectors": Case(_draw_features(20, 1.5)),
        "vectors close together": Case(_draw_features(6, 0.5)),
    },
    [
        Mistake(_all_pairs, "each vector was paired with itself, too"),
        Mistake(lambda x: (-2 * torch.pdist(x).square()).exp().mean().log(), "the lengths were not divided out"),
        Mistake(lambda x: (-2 * _far(x)).exp().mean().log(), "the square of the distance is missing"),
        Mistake(lambda x: (-_far(x).square()).exp().mean().log(), "the factor 2 is missing"),
        Mistake(lambda x: (-2 * _far(x).square()).exp().mean(), "the logarithm is missing"),
        Mistake(lambda x: (-2 * _far(x).square()).mean(), "this is the mean of the exponents: exp and log are missing"),
        Mistake(lambda x: (2 * _far(x).square()).exp().mean().log(), "the sign of the exponent is wrong"),
        Mistake(lambda x: (-2 * _far(x).square()).exp().sum().log(), "this is the sum over all pairs, not the mean"),
        Mistake(lambda x: -(-2 * _far(x).square()).exp().mean().log(), "the sign is wrong: lower must mean more even"),
        Mistake(
            lambda x: (-2 * torch.pdist(F.normalize(x, dim=0)).square()).exp().mean().log(),
            "you divided each column by its length; a feature vector is a row",
        ),
    ],
)
