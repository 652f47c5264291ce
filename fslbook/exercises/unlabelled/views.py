"""Checks of chapter 12's exercises: views and their partners."""

from __future__ import annotations

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
        Mistake(lambda m: _ring(m, 1), "each view has its right-hand neighbour as partner"),
        Mistake(lambda m: torch.arange(m).repeat(2), "the first half has itself as partner"),
        Mistake(lambda m: torch.arange(m, 2 * m).repeat(2), "the second half has itself as partner"),
        Mistake(lambda m: _ring(m, m + 1), "each view has the neighbour of its partner; you are one place too far"),
        Mistake(lambda m: _ring(m, m - 1), "each view has the neighbour of its partner; you are one place short"),
        Mistake(
            lambda m: torch.arange(2 * m) - m, "−1 means the last view to Python; here numbers from 0 are asked for"
        ),
        Mistake(
            lambda m: (torch.arange(2 * m) - m).abs(), "a sign was dropped: the partners of the first half run down"
        ),
        Mistake(
            lambda m: (torch.arange(2 * m) + m).clamp(max=2 * m - 1),
            "all of the second half have the last view; past the end, begin again at 0",
        ),
        Mistake(
            lambda m: (torch.arange(2 * m) + m) % (2 * m - 1), "there are 2M views: the count begins again after 2M"
        ),
        Mistake(lambda m: torch.arange(2 * m) ^ m, "this is right only where M is a power of two"),
        Mistake(lambda m: torch.arange(2 * m).flip(0), "the right half for each view, but in reverse order"),
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
    own: float | None = -torch.inf,
    shift: int = 0,
    reduction: str = "mean",
) -> Tensor:
    z = torch.cat([first, second])
    z = F.normalize(z, dim=1) if unit else z
    logits = z @ z.T / temperature
    logits = logits if own is None else logits.masked_fill(torch.eye(len(z), dtype=torch.bool), own)
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


def _of_chances(first: Tensor, second: Tensor, temperature: float, loss: Any) -> Tensor:
    z = F.normalize(torch.cat([first, second]), dim=1)
    logits = (z @ z.T / temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), -torch.inf)
    return loss(logits.softmax(1), torch.arange(len(z)).roll(len(first)))


def _first_asks(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    z = F.normalize(torch.cat([first, second]), dim=1)
    logits = (z @ z.T / temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), -torch.inf)
    return F.cross_entropy(logits[: len(first)], torch.arange(len(first)) + len(first))


def _of_columns(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    z = F.normalize(torch.cat([first, second]), dim=0)
    return _nt_xent(z[: len(first)], z[len(first) :], temperature, unit=False)


contrastive_loss = Exercise(
    "contrastive_loss",
    _loss_by_loop,
    {
        "three images": Case(_draw_views(3, 0.5)),
        "eight images, another temperature": Case(_draw_views(8, 0.2)),
        "passes the gradient on": Case(_draw_views(4, 0.5), gradient=True),
    },
    [
        Mistake(lambda a, b, t: _nt_xent(a, b, t, own=None), "a view may pick itself here; take the diagonal out"),
        Mistake(lambda a, b, t: _nt_xent(a, b, t, unit=False), "the vectors were not divided by their lengths"),
        Mistake(lambda a, b, t: _nt_xent(a, b, 1 / t), "you multiplied by the temperature; divide by it"),
        Mistake(lambda a, b, t: _nt_xent(a, b, 1.0), "the temperature is missing"),
        Mistake(lambda a, b, t: 2 * _nt_xent(a, b, t), "this is twice the mean: the two halves were added"),
        Mistake(lambda a, b, t: _nt_xent(a, b, t, reduction="sum"), "this is the sum over all views, not the mean"),
        Mistake(lambda a, b, t: -_nt_xent(a, b, t), "the sign is wrong: a loss is minus the logarithm"),
        Mistake(lambda a, b, t: _nt_xent(a, b, t, shift=1), "the right answer is the neighbour of the partner here"),
        Mistake(_without_partner, "the partner is missing in the sum below"),
        Mistake(_across, "you compared only across the two halves; views of the same half are others, too"),
        Mistake(
            lambda a, b, t: (_across(a, b, t) + _across(b, a, t)) / 2,
            "you compared only across the two halves, once in each direction; views of the same half are others, too",
        ),
        Mistake(_first_asks, "only the first views ask for their partners here; the second ones ask as well"),
        Mistake(lambda a, b, t: _nt_xent(a, b, t, own=0.0), "a diagonal of 0 is still an answer, for exp(0) is 1"),
        Mistake(
            lambda a, b, t: _of_chances(a, b, t, F.cross_entropy),
            "F.cross_entropy has a softmax inside; you took a second one",
        ),
        Mistake(lambda a, b, t: _of_chances(a, b, t, F.nll_loss), "the logarithm of the probability is missing"),
        Mistake(lambda a, b, t: _nt_xent(a, b, t * t), "the temperature counts twice; divide by it once"),
        Mistake(
            lambda a, b, t: _nt_xent(a, b, t / 2),
            "minus the squared distance of unit vectors is twice their cosine, less 2; take the cosine",
        ),
        Mistake(
            lambda a, b, t: _nt_xent(F.normalize(a, dim=0), F.normalize(b, dim=0), t, unit=False),
            "you divided columns by their lengths; a view is a row",
        ),
        Mistake(
            _of_columns,
            "you divided columns by their lengths; a view is a row",
        ),
    ],
)
