"""Exercises of chapter 2: correct versions that are written differently from the solution."""

from __future__ import annotations

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


def _relabelled_by_list(support_ids, query_ids):
    order = []
    for i in support_ids.tolist():
        order += [i] * (i not in order)
    return [torch.tensor([order.index(i) for i in ids.tolist()]) for ids in (support_ids, query_ids)]


def _split_by_sorting_noise(labels, n_novel):
    classes, place = labels.unique(return_inverse=True)
    rank = torch.rand(len(classes)).argsort().argsort()
    return (rank[place] >= n_novel).nonzero().flatten(), (rank[place] < n_novel).nonzero().flatten()


def _leaks_by_distance(support_x, query_x):
    leaky = 0
    for support, query in zip(support_x.flatten(2), query_x.flatten(2), strict=True):
        leaky += bool(((query[:, None] - support).abs().amax(dim=2) == 0).any())
    return leaky


VERSIONS = {
    "relabelled": [_relabelled_by_comparison, _relabelled_by_list],
    "split_by_class": [_split_by_sets, _split_by_sorting_noise],
    "draw_episode": [_episode_by_topk, _episode_in_any_order],
    "count_leaks": [_leaks_by_sets, _leaks_by_distance],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
