"""Exercises of chapter 17: correct versions that are written differently from the solution."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_accepted, by_name


def _told_by_loop(f, g, q):
    rows, left = [], q
    for t in reversed(range(len(f))):
        rows.insert(0, -g[t] * left)
        left = left * f[t]
    return torch.stack(rows)


def _number_in_two_cases(pairs, p):
    large = pairs[:, 0] > -1
    return torch.where(large, pairs[:, 1].sign() * torch.exp(p * pairs[:, 0]), pairs[:, 1] * math.exp(-p))


def _losses_by_loop(curvatures, start, steps, rates):
    losses = []
    for rate in rates:
        end = start * (1 - rate * curvatures) ** steps
        losses.append((0.5 * curvatures * end.square()).sum())
    return torch.stack(losses)


VERSIONS = {
    "gated_step": [
        lambda w, g, f, i: w / (1 + torch.exp(-f)) - g / (1 + torch.exp(-i)),
        lambda w, g, f, i: torch.addcmul(torch.sigmoid(f) * w, torch.sigmoid(i), g, value=-1),
    ],
    "bias_for_rate": [
        lambda r: math.log(r) - math.log1p(-r),
        lambda r: torch.logit(torch.tensor(r, dtype=torch.float64)),
    ],
    "told_to_steps": [
        _told_by_loop,
        lambda f, g, q: -g * torch.cat([f[1:].flip(0).cumprod(0).flip(0), torch.ones_like(f[:1])]) * q,
    ],
    "number_behind": [
        _number_in_two_cases,
        lambda pairs, p: torch.stack([second * math.e ** (p * first) for first, second in pairs]),
    ],
    "losses_at_rates": [
        _losses_by_loop,
        lambda c, x, t, r: (c * ((1 - torch.tensor(r)[:, None].to(c) * c) ** t * x) ** 2).sum(dim=1) / 2,
    ],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
