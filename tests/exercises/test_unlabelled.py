"""Exercises of chapter 12: correct versions that are written differently from the solution."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_accepted, by_name
from torch.nn import functional as F


def _loss_by_lists(first, second, temperature):
    z = F.normalize(torch.cat([first, second]), dim=1)
    cosines, m, total = z @ z.T, len(first), 0.0
    for i in range(2 * m):
        below = sum((cosines[i, j] / temperature).exp() for j in range(2 * m) if j != i)
        total = total - ((cosines[i, (i + m) % (2 * m)] / temperature).exp() / below).log()
    return total / (2 * m)


def _loss_in_two_blocks(first, second, temperature):
    a, b = F.normalize(first, dim=1), F.normalize(second, dim=1)
    own = torch.eye(len(a), dtype=torch.bool)
    across = a @ b.T / temperature  # [M, M]
    within = [(x @ x.T / temperature).masked_fill(own, -torch.inf) for x in (a, b)]
    below = [torch.cat([across, within[0]], 1), torch.cat([across.T, within[1]], 1)]  # [M, 2M] each
    return torch.stack([z.logsumexp(1) - across.diagonal() for z in below]).mean()


def _even_over_ordered_pairs(x):
    z = F.normalize(x, dim=1)
    kernel = (-2 * torch.cdist(z, z) ** 2).exp().fill_diagonal_(0)  # [M, M]
    return torch.log(kernel.sum() / (len(z) * (len(z) - 1)))


def _even_by_cosines(x):
    z = F.normalize(x, dim=1)
    i, j = torch.triu_indices(len(z), len(z), offset=1)
    return (4 * (z[i] * z[j]).sum(1) - 4).exp().mean().log()


VERSIONS = {
    "partners": [
        lambda m: torch.arange(2 * m).roll(m),
        lambda m: (torch.arange(2 * m) + m) % (2 * m),
    ],
    "contrastive_loss": [_loss_by_lists, _loss_in_two_blocks],
    "evenness": [_even_by_cosines, _even_over_ordered_pairs],
    "made_up_queries": [
        lambda x, q: (x[:, None].expand(-1, q, -1, -1, -1).flatten(0, 1), torch.arange(len(x) * q) // q),
        lambda x, q: tuple(torch.stack([y[i // q] for i in range(len(x) * q)]) for y in (x, torch.arange(len(x)))),
    ],
    "no_twins": [
        lambda c, k, n: math.comb(c, n) * k**n / math.comb(c * k, n),
        lambda c, k, n: math.prod(1 - i * (k - 1) / (c * k - i) for i in range(1, n)),
    ],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
