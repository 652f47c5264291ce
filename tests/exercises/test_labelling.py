"""Exercises of chapter 14: correct versions that are written differently from the solution."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_accepted, by_name

VERSIONS = {
    "margin_doubt": [
        lambda p: p.topk(2, dim=1).values.diff(dim=1)[:, 0],
        lambda p: p.sort(dim=1).values[:, -2] - p.amax(dim=1),
    ],
    "expected_coverage": [
        lambda n, m, b: 1 - math.comb(n * m - m, b) / math.comb(n * m, b),
        lambda n, m, b: (
            1 - math.exp(sum(math.log((n * m - m - i) / (n * m - i)) for i in range(b))) if b <= n * m - m else 1.0
        ),
    ],
    "distance_to_labels": [
        lambda x, y: torch.cdist(x, x[y]).amin(dim=1),
        lambda x, y: torch.stack([(x - x[j]).norm(dim=1) for j in y]).min(dim=0).values,
    ],
    "typical_score": [
        lambda x, k: 1 / torch.cdist(x, x).sort(dim=1).values[:, 1 : k + 1].mean(dim=1),
        lambda x, k: 1 / torch.cdist(x, x).fill_diagonal_(torch.inf).topk(k, largest=False).values.mean(dim=1),
    ],
    "wrong_label_shift": [lambda k, d: d / (k + 1), lambda k, d: d - d * k / (k + 1)],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
