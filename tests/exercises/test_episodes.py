"""Exercises of chapter 2: correct versions that are written differently from the solution."""

from __future__ import annotations

import math
import random

import torch
from exercise_helpers import assert_accepted, by_name


def _relabelled_by_comparison(support_ids, query_ids):
    first = (support_ids[:, None] == support_ids).int().argmax(dim=1)  # where each id appears first
    order = support_ids[first.unique()]
    return tuple((ids[:, None] == order).nonzero()[:, 1] for ids in (support_ids, query_ids))


def _split_by_sets(labels, n_novel):
    novel_ids = set(random.sample(sorted(set(labels.tolist())), n_novel))
    rows = range(len(labels))
    novel = [i for i in rows if labels[i].item() in novel_ids]
    return torch.tensor([i for i in rows if i not in set(novel)]), torch.tensor(novel)


def _episode_by_topk(labels, n_way, k_shot, n_query):
    classes = labels.unique()
    chosen = classes[torch.rand(len(classes)).topk(n_way).indices]
    noise = torch.rand(n_way, len(labels)).masked_fill(labels != chosen[:, None], -1)
    rows = noise.topk(k_shot + n_query).indices  # [N, K + q]
    y = torch.arange(n_way)[:, None]
    support, query = rows[:, :k_shot], rows[:, k_shot:]
    return support.flatten(), y.expand_as(support).flatten(), query.flatten(), y.expand_as(query).flatten()


def _episode_in_any_order(labels, n_way, k_shot, n_query):
    support, query = [], []
    for y, c in enumerate(random.sample(sorted(set(labels.tolist())), n_way)):
        rows = random.sample([i for i, label in enumerate(labels.tolist()) if label == c], k_shot + n_query)
        support += [(row, y) for row in rows[:k_shot]]
        query += [(row, y) for row in rows[k_shot:]]
    random.shuffle(support)
    random.shuffle(query)
    return [torch.tensor(column) for part in (support, query) for column in zip(*part, strict=True)]


def _leaks_by_sets(support_x, query_x):
    count = 0
    for support, query in zip(support_x, query_x, strict=True):
        known = {tuple(image.flatten().tolist()) for image in support}
        count += any(tuple(image.flatten().tolist()) in known for image in query)
    return count


def _interval_by_hand(right):
    accuracy = right.sum(dim=1).double() / right.shape[1]
    mean = accuracy.sum() / len(accuracy)
    variance = (accuracy - mean).square().sum() / (len(accuracy) - 1)
    return mean, 1.96 * (variance / len(accuracy)).sqrt()


def _needed_by_covariance(a, b, half_width):
    (var_a, cov), (_, var_b) = torch.cov(torch.stack([a, b])).tolist()
    return tuple(math.ceil(v * (1.96 / half_width) ** 2) for v in (var_a + var_b - 2 * cov, var_a + var_b))


VERSIONS = {
    "relabelled": [_relabelled_by_comparison],
    "split_by_class": [_split_by_sets],
    "draw_episode": [_episode_by_topk, _episode_in_any_order],
    "count_leaks": [_leaks_by_sets],
    "interval": [_interval_by_hand],
    "episodes_needed": [_needed_by_covariance],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
