"""Exercises of chapter 4: correct versions that are written differently from the solution."""

from __future__ import annotations

import torch
from exercise_helpers import assert_accepted, by_name
from torch.nn import functional as F


def _pairs_by_loops(labels):
    found = [(j, i, bool(labels[i] != labels[j])) for i in range(len(labels)) for j in range(i + 1, len(labels))]
    return [torch.tensor(column) for column in zip(*found, strict=True)]


def _logits_by_scatter(query, support, labels, n_way):
    logits = torch.full((len(query), n_way), -torch.inf, dtype=query.dtype)
    for z, y in zip(support, labels.tolist(), strict=True):
        logits[:, y] = torch.maximum(logits[:, y], -(query - z).norm(dim=1))
    return logits


def _contrastive_by_formula(distances, different, margin):
    y = different.to(distances.dtype)
    return ((1 - y) * distances**2 / 2 + y * F.relu(margin - distances) ** 2 / 2).mean()


def _contrastive_by_loop(distances, different, margin):
    total = 0
    for d, y in zip(distances, different, strict=True):
        total = total + 0.5 * (max(0 * d, margin - d) ** 2 if y else d**2)
    return total / len(distances)


def _gradient_pair_by_pair(x1, x2, different, margin):
    rows = []
    for a, b, y in zip(x1, x2, different.tolist(), strict=True):
        d = (a - b).norm().item()
        factor = 1 if not y else (0 if d >= margin or d == 0 else (d - margin) / d)
        rows.append(factor * (a - b))
    return torch.stack(rows)


def _negatives_by_loop(distances, labels):
    negatives = torch.full(distances.shape, -1)
    for a, p in (labels[:, None] == labels).nonzero().tolist():
        other = (labels != labels[a]).nonzero()[:, 0]
        beyond = other[distances[a, other] > distances[a, p]]
        if a != p:
            best = beyond[distances[a, beyond].argmin()] if len(beyond) else other[distances[a, other].argmax()]
            negatives[a, p] = best
    return negatives


def _equal_error_by_bisection(same, different):
    low, high = 0.0, float(different.max())
    for _ in range(60):
        middle = (low + high) / 2
        missed, accepted = (same >= middle).double().mean(), (different < middle).double().mean()
        low, high = (middle, high) if missed > accepted else (low, middle)
    return (missed + accepted) / 2, high


def _gradient_by_autograd(x1, x2, different, margin):
    x1 = x1.clone().requires_grad_()
    d = ((x1 - x2).square().sum(1) + 1e-12).sqrt()
    y = different.to(d)
    (((1 - y) * d**2 + y * F.relu(margin - d) ** 2) / 2).sum().backward()
    return x1.grad


def _negatives_at_once(distances, labels):
    other = (labels[:, None] != labels)[:, None]  # [A, 1, N]
    row = distances[:, None].expand(-1, len(labels), -1)  # [A, P, N]
    beyond = other & (row > distances[:, :, None])
    nearest = row.where(beyond, torch.inf).argmin(2)
    farthest = row.where(other, -torch.inf).argmax(2)
    table = torch.where(beyond.any(2), nearest, farthest)
    return table.where((labels[:, None] == labels).fill_diagonal_(False), -1)


def _equal_error_by_sorting(same, different):
    candidates = torch.cat([same, different]).sort().values
    missed = (same >= candidates[:, None]).double().mean(1)
    accepted = (different < candidates[:, None]).double().mean(1)
    best = (missed - accepted).abs().argmin()
    return (missed + accepted)[best] / 2, candidates[best]


VERSIONS = {
    "pairs": [_pairs_by_loops, lambda y: (*(ij := torch.combinations(torch.arange(len(y))).T), y[ij[0]] != y[ij[1]])],
    "siamese_logits": [
        _logits_by_scatter,
        lambda q, s, y, n: torch.stack([(-torch.cdist(q, s[y == c])).amax(1) for c in range(n)], 1),
    ],
    "contrastive": [_contrastive_by_formula, _contrastive_by_loop],
    "contrastive_gradient": [_gradient_pair_by_pair, _gradient_by_autograd],
    "semi_hard_negatives": [_negatives_by_loop, _negatives_at_once],
    "equal_error": [_equal_error_by_bisection, _equal_error_by_sorting],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
