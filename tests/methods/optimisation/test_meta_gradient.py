"""The meta-gradient against closed forms and finite differences."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from adapting import FORMS, VARIANTS, meta_gradient, mlp, quadratic_task
from helpers import assert_close, feature_episode, image_episode, regression_episode
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook import MAML, Episode, conv_classifier


def closed_form(w: np.ndarray, episode: Episode, lr: float, steps: int, first_order: bool = False) -> np.ndarray:
    """(I - αH)ᵏᵀ (H_Q w_k - b_Q), averaged over tasks, with w_k = (I - αH)ᵏ w + α Σ_j (I - αH)ʲ b."""
    gradients = []
    for task in range(episode.batch_size):
        h, b = quadratic_task(episode.support_x[task], episode.support_y[task])
        h_query, b_query = quadratic_task(episode.query_x[task], episode.query_y[task])
        shrink = np.eye(len(w)) - lr * h
        powers = [np.linalg.matrix_power(shrink, j) for j in range(steps + 1)]
        adapted = powers[steps] @ w + lr * sum(powers[j] @ b for j in range(steps))
        slope = h_query @ adapted - b_query
        gradients.append(slope if first_order else powers[steps].T @ slope)
    return np.mean(gradients, axis=0)


def linear_maml(**options: object) -> MAML:
    torch.manual_seed(0)
    return MAML(nn.Linear(4, 1, bias=False).double(), 0.15, loss=F.mse_loss, **options)


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("variant", VARIANTS)
def test_meta_gradient_of_quadratic_tasks_equals_the_closed_form(
    variant: dict[str, object], steps: int, first_order: bool
) -> None:
    episode = regression_episode(features=4)
    method = linear_maml(inner_steps=steps, first_order=first_order, **variant)
    w = method.network.weight[0].detach().numpy()
    (gradient,) = meta_gradient(method, episode)
    assert_close(gradient[0], closed_form(w, episode, 0.15, steps, first_order))
    other = closed_form(w, episode, 0.15, steps, not first_order)
    assert np.linalg.norm(gradient[0].numpy() - other) > 0.05 * np.linalg.norm(other)


class DeepCopied(MAML):
    """The mistake that circulates: a copy of the learner adapts, and the graph back to the initialisation is cut."""

    def adapt(self, x: Tensor, y: Tensor, steps: int | None = None, *, n_way: int | None = None) -> dict[str, Tensor]:
        copy = deepcopy(self.network)
        optimizer = torch.optim.SGD(copy.parameters(), self.inner_lr)
        with torch.enable_grad():
            for _ in range(self.inner_steps):
                optimizer.zero_grad()
                self.loss_function(copy(x), y).backward()
                optimizer.step()
        return dict(copy.named_parameters())


def test_a_deep_copied_learner_is_caught() -> None:
    episode = regression_episode(features=4)
    honest = linear_maml(form="loop", inner_steps=2)
    copied = DeepCopied(honest.network, 0.15, 2, loss=F.mse_loss, form="loop")
    assert_close(copied(episode), honest(episode))  # it predicts the same, so that no accuracy betrays it
    w = honest.network.weight[0].detach().numpy()
    (gradient,) = meta_gradient(copied, episode)
    assert not gradient.any()
    with pytest.raises(AssertionError):
        assert_close(gradient[0], closed_form(w, episode, 0.15, 2))


@pytest.mark.slow
@pytest.mark.parametrize("adapted", [None, ("2.",)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_meta_gradient_equals_finite_differences(variant: dict[str, object], adapted: tuple[str, ...] | None) -> None:
    method, episode = MAML(mlp(), 0.4, 3, adapted=adapted, **variant), feature_episode((2, 1, 3), n_query=7, batch=2)
    for parameter, gradient in zip(method.parameters(), meta_gradient(method, episode), strict=True):
        slopes, flat = [], parameter.data.view(-1)
        for i in range(len(flat)):
            losses = []
            for step in (1e-5, -1e-5):
                flat[i] += step
                losses.append(method.loss(episode).item())
                flat[i] -= step
            slopes.append((losses[0] - losses[1]) / 2e-5)
        np.testing.assert_allclose(gradient.numpy().ravel(), slopes, rtol=1e-6, atol=1e-6 * np.abs(slopes).max())


@pytest.mark.parametrize("first_order", [False, True])
def test_loop_and_vmap_agree_in_float32(first_order: bool) -> None:
    torch.manual_seed(0)
    network, episode = conv_classifier(3, channels=8), image_episode(size=28, dtype=torch.float32)
    loop, at_once = (
        meta_gradient(MAML(network, inner_steps=2, form=form, first_order=first_order), episode) for form in FORMS
    )
    difference, size = (
        torch.cat([g.flatten() for g in parts]).norm()
        for parts in ([a - b for a, b in zip(loop, at_once, strict=True)], loop)
    )
    assert difference < 1e-4 * size
