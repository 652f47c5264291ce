"""Label propagation: the closed form, the iteration, and a graph built by loops in NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import assert_close, feature_episode
from torch import nn

from fslbook import Episode, LabelPropagation
from fslbook.methods.unlabelled.label_propagation import affinities, normalised, propagate, propagate_in_steps

TASK = feature_episode((1, 3, 2), batch=2, n_query=5, features=4)
UNLABELLED = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def loop_graph(x: np.ndarray, width: float, k: int | None) -> np.ndarray:
    m = len(x)
    d = [[np.sum((a - b) ** 2) for b in x] for a in x]
    pairs = sorted(d[i][j] for i in range(m) for j in range(i))
    median = pairs[(len(pairs) - 1) // 2]
    w = np.array([[0 if i == j else np.exp(-d[i][j] / (2 * width * median)) for j in range(m)] for i in range(m)])
    if k is not None:
        near = [{*sorted((j for j in range(m) if j != i), key=lambda j: d[i][j])[:k]} for i in range(m)]
        w = np.array([[w[i, j] if j in near[i] or i in near[j] else 0 for j in range(m)] for i in range(m)])
    degree = w.sum(axis=1)
    return np.array([[w[i, j] / np.sqrt(degree[i] * degree[j]) for j in range(m)] for i in range(m)])


@pytest.mark.parametrize("with_unlabelled", [False, True])
@pytest.mark.parametrize("k", [None, 3])
@pytest.mark.parametrize(("alpha", "width"), [(0.5, 1.0), (0.8, 0.25), (0.99, 0.1)])
def test_it_equals_the_loop(alpha: float, width: float, k: int | None, with_unlabelled: bool) -> None:
    task = replace(TASK, unlabelled_x=UNLABELLED if with_unlabelled else None)
    logits = LabelPropagation(nn.Identity(), alpha, width, k)(task)
    for b in range(2):
        parts = [TASK.support_x[b], TASK.query_x[b], *([UNLABELLED[b]] if with_unlabelled else [])]
        x = torch.cat(parts).numpy()
        y = np.zeros((len(x), 3))
        for i, label in enumerate(TASK.support_y[b].tolist()):
            y[i, label] = 1
        f = np.linalg.inv(np.eye(len(x)) - alpha * loop_graph(x, width, k)) @ y
        assert_close(logits[b], f[6:11])


@pytest.mark.parametrize("alpha", [0.3, 0.8, 0.99])
def test_the_iteration_tends_to_the_closed_form(alpha: float) -> None:
    smooth = normalised(affinities(UNLABELLED, 0.3))
    labels = torch.eye(3, dtype=torch.float64)[torch.tensor([0, 1, 2])].repeat(2, 1, 1)
    labels = torch.cat([labels, torch.zeros_like(labels)], dim=1)
    exact = propagate(smooth, labels, alpha)
    gaps = [float((propagate_in_steps(smooth, labels, alpha, n) - exact).abs().max()) for n in (1, 10, 100, 3000)]
    assert gaps == sorted(gaps, reverse=True) and gaps[0] > 1e-3
    assert gaps[-1] < 1e-9


def test_labels_reach_along_a_chain_what_distances_give_to_another() -> None:
    x, y = torch.tensor([[[0.0], [9.0]]]), torch.tensor([[0, 1]])
    chain = torch.arange(1.0, 7).view(1, 6, 1)
    task = Episode(x, y, chain, None, 2)
    assert LabelPropagation(nn.Identity(), 0.8, 0.05)(task).argmax(dim=-1).tolist() == [[0] * 6]


def test_a_wide_kernel_makes_all_rows_alike() -> None:
    rows = LabelPropagation(nn.Identity(), 0.99, 50.0)(TASK)
    shares = rows / rows.sum(dim=-1, keepdim=True)
    assert (shares - shares[:, :1]).abs().max() < 1e-2
    narrow = LabelPropagation(nn.Identity(), 0.8, 0.05)(TASK)
    shares = narrow / narrow.sum(dim=-1, keepdim=True)
    assert (shares - shares[:, :1]).abs().max() > 0.3


def test_an_image_without_any_neighbour_gets_no_label_and_no_nan() -> None:
    x, y = torch.tensor([[[0.0], [1.0]]]), torch.tensor([[0, 1]])
    task = Episode(x, y, torch.tensor([[[0.1], [1e6]]]), None, 2)
    logits = LabelPropagation(nn.Identity(), 0.8, 1e-9)(task)
    assert logits.isfinite().all() and logits[0, 1].tolist() == [0, 0]


def test_it_is_transductive_and_the_order_of_queries_does_not_matter() -> None:
    method = LabelPropagation(nn.Identity(), 0.8, 0.2)
    assert method.queries_see_each_other
    assert not torch.allclose(method.one_at_a_time(TASK), method(TASK))
    order = torch.tensor([3, 0, 4, 1, 2])
    turned = replace(TASK, query_x=TASK.query_x[:, order], query_y=None)
    assert_close(method(turned), method(TASK)[:, order])
    assert_close(method(turned.map(lambda x: 10 * x)), method(turned))  # the width is relative
