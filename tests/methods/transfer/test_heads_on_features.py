"""Heads on pretrained features against loops, other formulas and other solvers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import assert_close, feature_episode
from torch import nn
from torch.nn import functional as F

from fslbook import Episode
from fslbook.methods import (
    EmbeddingMethod,
    LogisticRegression,
    MetaBaseline,
    PrototypicalNetwork,
    RidgeRegression,
    SimpleShot,
    TrainedHead,
)

UNEVEN = feature_episode((1, 3, 2), batch=2, n_query=4, features=6)


def arrays(episode: Episode) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Support, labels and queries of each task in float64."""
    parts = (episode.support_x.double().numpy(), episode.support_y.numpy(), episode.query_x.double().numpy())
    return [*zip(*parts, strict=True)]


def loop_simple_shot(episode: Episode, centre: np.ndarray) -> np.ndarray:
    def unit(x: np.ndarray) -> np.ndarray:
        return (x - centre) / np.linalg.norm(x - centre)

    answers = []
    for support, y, queries in arrays(episode):
        means = [np.mean([unit(x) for x in support[y == n]], axis=0) for n in range(episode.n_way)]
        answers.append([[-np.sum((unit(q) - c) ** 2) for c in means] for q in queries])
    return np.array(answers)


@pytest.mark.parametrize("centred", [False, True])
def test_simple_shot_equals_the_loop(centred: bool) -> None:
    centre = torch.rand(6) if centred else torch.zeros(6)
    method = SimpleShot(nn.Identity(), centre if centred else None)
    assert_close(method(UNEVEN), loop_simple_shot(UNEVEN, centre.double().numpy()))


def test_the_centre_goes_with_the_weights() -> None:
    saved = SimpleShot(nn.Identity(), torch.rand(6)).state_dict()
    other = SimpleShot(nn.Identity(), torch.zeros(6))
    other.load_state_dict(saved)
    assert torch.equal(other.centre, saved["centre"])  # type: ignore[arg-type]


@pytest.mark.parametrize("centre", [torch.zeros(2, 6), torch.tensor([0.0, float("nan")])])
def test_a_centre_is_one_finite_vector(centre: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="centre must be one feature vector"):
        SimpleShot(nn.Identity(), centre)


def test_a_centre_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="features of length 6, but a centre of length 5"):
        SimpleShot(nn.Identity(), torch.zeros(5))(UNEVEN)


def test_meta_baseline_takes_the_cosine_to_the_mean_and_learns_its_scale() -> None:
    method = MetaBaseline(nn.Identity(), scale=4.0)
    logits = method(UNEVEN)
    for b, (support, y, queries) in enumerate(arrays(UNEVEN)):
        for n in range(3):
            c = support[y == n].mean(axis=0)
            cosine = queries @ c / np.linalg.norm(queries, axis=1) / np.linalg.norm(c)
            assert_close(logits[b, :, n], 4 * cosine)
    method.loss(UNEVEN).backward()
    assert method.scale.grad is not None and method.scale.grad != 0


@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
def test_ridge_regression_equals_the_other_formula(penalty: float) -> None:
    """With the D × D inverse, (XᵀX + λI)⁻¹XᵀY, in place of the S × S one."""
    expected = []
    for x, y, queries in arrays(UNEVEN):
        w = np.linalg.solve(x.T @ x + penalty * np.eye(6), x.T @ np.eye(3)[y])
        expected.append(queries @ w)
    assert_close(RidgeRegression(nn.Identity(), penalty)(UNEVEN), np.array(expected))


def test_an_encoder_can_be_trained_through_ridge_regression() -> None:
    layer = nn.Linear(6, 4).double()
    parts = [x.double() for x in (UNEVEN.support_x[:1], UNEVEN.query_x[:1])]
    episode = Episode(parts[0], UNEVEN.support_y[:1], parts[1], UNEVEN.query_y[:1], 3)  # type: ignore[index]

    def loss(weight: torch.Tensor) -> torch.Tensor:
        embedded = episode.map(lambda x: F.linear(x, weight, layer.bias))
        return F.cross_entropy(
            RidgeRegression(nn.Identity()).classify(embedded).flatten(0, 1), episode.targets.flatten()
        )

    assert torch.autograd.gradcheck(loss, layer.weight)


@pytest.mark.parametrize("unit_length", [False, True])
def test_logistic_regression_ends_where_its_penalised_loss_is_flat(unit_length: bool) -> None:
    """Cross-entropy (a sum) plus ‖W‖²/2C, made small by another solver."""
    method = LogisticRegression(nn.Identity(), c=2.0, unit_length=unit_length)
    for b, (x, y, queries) in enumerate(arrays(UNEVEN)):
        if unit_length:
            x, queries = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, queries))
        expected = _newton(torch.tensor(x), torch.tensor(y), torch.tensor(queries), c=2.0)
        assert np.abs(method(UNEVEN)[b].numpy() - expected).max() < 2e-3


def _newton(x: torch.Tensor, y: torch.Tensor, queries: torch.Tensor, c: float) -> np.ndarray:
    w = torch.zeros(3, x.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [w], max_iter=2000, tolerance_grad=1e-12, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(x @ w[:, :-1].T + w[:, -1], y, reduction="sum") + w[:, :-1].square().sum() / (2 * c)
        loss.backward()
        return loss

    optimizer.step(closure)
    return (queries @ w[:, :-1].T + w[:, -1]).log_softmax(dim=1).detach().numpy()


def loop_head(support: torch.Tensor, y: torch.Tensor, queries: torch.Tensor, steps: int, lr: float) -> torch.Tensor:
    """Gradient descent with momentum by the formula of softmax regression, for one task."""
    w, b = torch.zeros(3, 6).double(), torch.zeros(3).double()
    vw, vb = torch.zeros_like(w), torch.zeros_like(b)
    for _ in range(steps):
        error = (support @ w.T + b).softmax(dim=1) - F.one_hot(y, 3)  # [S, N]
        vw, vb = 0.9 * vw + error.T @ support / len(y), 0.9 * vb + error.mean(dim=0)
        w, b = w - lr * vw, b - lr * vb
    return queries @ w.T + b


@pytest.mark.parametrize("steps", [0, 1, 25])
def test_a_trained_head_equals_the_loop_task_by_task(steps: int) -> None:
    logits = TrainedHead(nn.Identity(), steps=steps, lr=0.05)(UNEVEN)
    for b, task in enumerate(UNEVEN.tasks()):
        expected = loop_head(task.support_x[0].double(), task.support_y[0], task.query_x[0].double(), steps, 0.05)
        assert_close(logits[b], expected)


def test_a_cosine_head_ignores_length_and_learns() -> None:
    head, plain = TrainedHead(nn.Identity(), cosine=True, lr=1.0), TrainedHead(nn.Identity(), cosine=True, steps=0)
    longer = UNEVEN.map(lambda x: 3 * x)
    assert torch.allclose(head(UNEVEN), head(longer), atol=1e-4)
    asked = Episode(UNEVEN.support_x, UNEVEN.support_y, UNEVEN.support_x, UNEVEN.support_y, 3)
    assert plain(asked).std(dim=-1).max() < 1e-5  # all classes begin alike
    assert (head(asked).argmax(dim=-1) == UNEVEN.support_y).float().mean() == 1


@pytest.mark.parametrize("grad", [torch.no_grad, torch.inference_mode])
def test_heads_can_be_asked_where_nothing_is_differentiated(grad: type) -> None:
    head = TrainedHead(nn.Identity(), steps=5)
    expected = head(UNEVEN)
    with grad():
        assert torch.allclose(head(UNEVEN), expected)


@pytest.mark.parametrize(
    "method", [SimpleShot, MetaBaseline, RidgeRegression, LogisticRegression, TrainedHead, PrototypicalNetwork]
)
def test_well_separated_classes_are_told_apart(method: type[EmbeddingMethod]) -> None:
    support = 10 * torch.eye(4)[None].repeat_interleave(2, dim=1)
    y = torch.arange(4).repeat_interleave(2)[None]
    assert torch.equal(method(nn.Identity())(Episode(support, y, support + 0.1, None, 4)).argmax(dim=-1), y)
