"""TIM: its objective against a loop, its steps against finite differences, and what a missing class does to it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import assert_close, feature_episode
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook import TIM, Episode, SimpleShot
from fslbook.methods.unlabelled.tim import tsallis_entropy

TASK = replace(
    feature_episode((1, 3, 2), batch=2, n_query=4, features=5),
    unlabelled_x=torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(5), dtype=torch.float64),
)


def loop_objective(method: TIM, w: np.ndarray, support: np.ndarray, y: np.ndarray, unlabelled: np.ndarray) -> float:
    def p(x: np.ndarray) -> np.ndarray:
        e = np.exp([-method.scale / 2 * np.sum((x - c) ** 2) for c in w])
        return e / e.sum()

    def entropy(q: np.ndarray) -> float:
        if method.alpha == 1:
            return -sum(a * math.log(a) for a in q)
        return (1 - sum(a**method.alpha for a in q)) / (method.alpha - 1)

    known = -np.mean([math.log(p(x)[n]) for x, n in zip(support, y, strict=True)])
    answers = [p(x) for x in unlabelled]
    doubt = np.mean([entropy(q) for q in answers])
    return method.support_weight * known - entropy(np.mean(answers, axis=0)) + method.doubt * doubt


@pytest.mark.parametrize("alpha", [1.0, 2.0, 0.5, 7.0])
def test_the_objective_equals_the_loop(alpha: float) -> None:
    method = TIM(nn.Identity(), alpha=alpha, scale=3.0, support_weight=0.3, doubt=0.7)
    w = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert TASK.unlabelled_x is not None
    support, unlabelled = (F.normalize(x, dim=-1) for x in (TASK.support_x, TASK.unlabelled_x))
    got = method.objective(w, support, TASK.support_y, unlabelled)
    parts = (w, support, TASK.support_y, unlabelled)
    assert_close(got, np.array([loop_objective(method, *(x[b].numpy() for x in parts)) for b in range(2)]))
    assert torch.autograd.gradcheck(
        lambda v: method.objective(v, support, TASK.support_y, unlabelled), w.requires_grad_()
    )


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_the_steps_are_adam_on_the_objective_task_by_task(alpha: float) -> None:
    method = TIM(nn.Identity(), alpha=alpha, steps=6, lr=0.05)
    logits = method(TASK)
    assert TASK.unlabelled_x is not None
    for b, task in enumerate(TASK.tasks()):
        assert task.unlabelled_x is not None
        unit = [F.normalize(x[0], dim=-1) for x in (task.support_x, task.query_x, task.unlabelled_x)]
        expected = by_differences(method, *unit, task.support_y[0])
        assert_close(logits[b].float(), expected)  # differences give seven digits


def by_differences(method: TIM, support: Tensor, query: Tensor, unlabelled: Tensor, y: Tensor) -> Tensor:
    """Adam written out, its gradients from central differences of the loop."""
    w = np.array([support[y == n].mean(dim=0).numpy() for n in range(3)])
    m, v, h = np.zeros_like(w), np.zeros_like(w), 1e-6
    arrays = support.numpy(), y.numpy(), unlabelled.numpy()
    for t in range(1, method.steps + 1):
        g = np.zeros_like(w)
        for i in np.ndindex(w.shape):
            up, down = w.copy(), w.copy()
            up[i] += h
            down[i] -= h
            g[i] = (loop_objective(method, up, *arrays) - loop_objective(method, down, *arrays)) / (2 * h)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - method.lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    logits = [[-method.scale / 2 * np.sum((q - c) ** 2) for c in w] for q in query.numpy()]
    return torch.tensor(logits)


def test_no_step_is_simple_shot_and_gradients_are_not_needed() -> None:
    plain = SimpleShot(nn.Identity())(TASK)
    assert_close(TIM(nn.Identity(), steps=0, scale=2.0)(TASK), plain)
    expected = TIM(nn.Identity(), steps=4)(TASK)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert_close(TIM(nn.Identity(), steps=4)(TASK), expected)


@pytest.mark.parametrize("alpha", [1.0, 1.0 + 1e-6])
def test_shannon_is_the_limit(alpha: float) -> None:
    p = torch.rand(4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    p = p / p.sum(dim=1, keepdim=True)
    assert torch.allclose(tsallis_entropy(p, alpha), -(p * p.log()).sum(dim=1), atol=1e-5)


def lopsided() -> Episode:
    """Three classes; the unlabelled images are of the first two only, and one side of class 0 lies towards class 2."""
    angles = torch.tensor([0.0, 2.0, 4.0])
    support = torch.stack([angles.cos(), angles.sin()], dim=1)[None]  # [1, 3, 2]
    spread = torch.linspace(-0.9, 0.9, 30)
    own = torch.cat([angles[0] + spread, angles[1] + spread])
    unlabelled = torch.stack([own.cos(), own.sin()], dim=1)[None]  # [1, 60, 2]
    return Episode(support, torch.tensor([[0, 1, 2]]), unlabelled, None, 3, unlabelled_x=unlabelled)


def test_where_a_class_is_missing_tim_answers_it_all_the_same_and_alpha_less_often() -> None:
    share = {}
    for alpha in (1.0, 2.0):
        weights = {} if alpha == 1 else {"support_weight": 1.0, "doubt": 1.0}
        answers = TIM(nn.Identity(), alpha=alpha, steps=300, lr=0.02, **weights)(lopsided()).argmax(dim=-1)
        share[alpha] = (answers == 2).float().mean().item()
    assert share[1.0] > 0.2 > share[2.0]
