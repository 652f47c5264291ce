"""Exercises of chapter 3: correct versions that are written differently from the solution."""

from __future__ import annotations

import math
import statistics

import torch
from exercise_helpers import assert_accepted, by_name


def _interval_by_hand(right):
    accuracy = right.sum(dim=1).double() / right.shape[1]
    mean = accuracy.sum() / len(accuracy)
    variance = (accuracy - mean).square().sum() / (len(accuracy) - 1)
    return mean, 1.96 * (variance / len(accuracy)).sqrt()


def _needed_by_covariance(a, b, half_width):
    (var_a, cov), (_, var_b) = torch.cov(torch.stack([a, b])).tolist()
    return tuple(math.ceil(v * (1.96 / half_width) ** 2) for v in (var_a + var_b - 2 * cov, var_a + var_b))


def _interval_by_library(right):
    accuracy = [statistics.fmean(row) for row in right.long().tolist()]
    return torch.tensor(statistics.fmean(accuracy)), 1.96 * statistics.stdev(accuracy) / len(accuracy) ** 0.5


def _width_by_spread(half_width, n_episodes, wanted):
    s = half_width * math.sqrt(n_episodes) / 1.96
    return math.ceil((1.96 * s / wanted) ** 2)


def _paired_by_covariance(a, b):
    (var_a, cov), (_, var_b) = torch.cov(torch.stack([a, b])).tolist()
    return b.mean() - a.mean(), 1.96 * math.sqrt((var_a + var_b - 2 * cov) / len(a))


def _paired_by_loop(a, b):
    d = [float(y) - float(x) for x, y in zip(a, b, strict=True)]
    mean = sum(d) / len(d)
    return mean, 1.96 * (sum((x - mean) ** 2 for x in d) / (len(d) - 1) / len(d)) ** 0.5


VERSIONS = {
    "interval": [_interval_by_hand, _interval_by_library],
    "episodes_for_width": [
        _width_by_spread,
        lambda h, n, w: next(m for m in range(1, 10**9) if h * math.sqrt(n / m) <= w),
    ],
    "paired_interval": [_paired_by_covariance, _paired_by_loop],
    "luck_share": [
        lambda a, b: 1 - torch.corrcoef(torch.stack([a, b]))[0, 1],
        lambda a, b: float((a - b).var() / (a.var() + b.var())),
    ],
    "episodes_needed": [
        _needed_by_covariance,
        lambda a, b, h: [
            int((1.96 / h) ** 2 * v) + 1 for v in (statistics.variance((b - a).tolist()), a.var() + b.var())
        ],
    ],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
