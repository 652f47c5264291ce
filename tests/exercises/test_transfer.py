"""Exercises of chapter 11: correct versions that are written differently from the solution."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_accepted, by_name
from torch.nn import functional as F


def _simple_shot_by_product(support, labels, query, n_way):
    support, query = (x / x.norm(dim=1, keepdim=True) for x in (support, query))
    members = F.one_hot(labels, n_way).to(support.dtype)
    means = members.T @ support / members.sum(dim=0)[:, None]
    return 2 * query @ means.T - query.square().sum(1, keepdim=True) - means.square().sum(1)


def _centred_at_once(base, support, query):
    x = torch.cat([support, query]) - base.mean(dim=0)
    return (x / x.norm(dim=1, keepdim=True)).split([len(support), len(query)])


def _gradient_by_loop(x, labels, w, b):
    total = torch.zeros_like(w)
    for row, label in zip(x, labels, strict=True):
        p = (w @ row + b).softmax(0)
        p[label] -= 1
        total += torch.outer(p, row)
    return total / len(x)


VERSIONS = {
    "simple_shot_logits": [
        _simple_shot_by_product,
        lambda s, y, q, n: (
            -torch.cdist(F.normalize(q), torch.stack([F.normalize(s[y == c]).mean(0) for c in range(n)])).square()
        ),
    ],
    "centred_features": [_centred_at_once, lambda b, s, q: [F.normalize(x - b.mean(0, keepdim=True)) for x in (s, q)]],
    "surest_probability": [
        lambda r, n: 1 / (1 + (n - 1) * math.exp(-2 * r)),
        lambda r, n: torch.tensor([r] + [-r] * (n - 1), dtype=torch.float64).softmax(0)[0],
    ],
    "ridge_weights": [
        lambda x, y, p: x.T @ torch.linalg.inv(x @ x.T + p * torch.eye(len(x), dtype=x.dtype)) @ y,
        lambda x, y, p: (
            x.T @ torch.cholesky_solve(y, torch.linalg.cholesky(x @ x.T + p * torch.eye(len(x), dtype=x.dtype)))
        ),
    ],
    "head_gradient": [
        _gradient_by_loop,
        lambda x, y, w, b: ((x @ w.T + b).softmax(1) - F.one_hot(y, len(w))).T @ x / len(x),
    ],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
