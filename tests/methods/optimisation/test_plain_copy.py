"""MAML of a convolutional network against a copy of nothing but autograd and loops."""

from __future__ import annotations

import pytest
import torch
from adapting import FORMS, VARIANTS, assert_all_close, meta_gradient, small_conv
from helpers import assert_close, devices, image_episode
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from fslbook import MAML, Episode


def plain_forward(weights: list[Tensor], x: Tensor) -> Tensor:
    """`small_conv` written out: batch norm from elementary operations, biased variance, ε = 1e-5."""
    for block in range(2):
        weight, bias, gamma, beta = weights[4 * block : 4 * block + 4]
        x = F.conv2d(x, weight, bias, stride=2 - block)
        mean = x.mean((0, 2, 3), keepdim=True)
        variance = (x - mean).square().mean((0, 2, 3), keepdim=True)
        x = torch.tanh((x - mean) / (variance + 1e-5).sqrt() * gamma.view(-1, 1, 1) + beta.view(-1, 1, 1))
    return x.flatten(1) @ weights[8].T + weights[9]


def plain_maml(weights: list[Tensor], episode: Episode, lr: float, steps: int) -> tuple[Tensor, Tensor]:
    """Logits [B, Q, N] and the mean query loss, by nothing but autograd and loops."""
    logits, losses = [], []
    for sx, sy, qx, qy in zip(episode.support_x, episode.support_y, episode.query_x, episode.query_y, strict=True):
        fast = weights
        for _ in range(steps):
            log_p = plain_forward(fast, sx).log_softmax(1)
            loss = -torch.stack([log_p[i, label] for i, label in enumerate(sy)]).mean()
            fast = [w - lr * g for w, g in zip(fast, torch.autograd.grad(loss, fast, create_graph=True), strict=True)]
        logits.append(plain_forward(fast, qx))
        log_p = logits[-1].log_softmax(1)
        losses.append(-torch.stack([log_p[i, label] for i, label in enumerate(qy)]).mean())
    return torch.stack(logits), torch.stack(losses).mean()


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("device", devices())
def test_a_convolutional_net_with_batch_norm_equals_a_plain_copy(
    variant: dict[str, object], steps: int, device: str
) -> None:
    network, episode = small_conv().to(device), image_episode().to(device)
    method = MAML(network, 0.4, steps, **variant)
    logits, loss = plain_maml([*network.parameters()], episode, 0.4, steps)
    assert_close(method(episode), logits)
    assert_close(method.loss(episode), loss)
    assert_all_close(meta_gradient(method, episode), [*torch.autograd.grad(loss, [*network.parameters()])])


@pytest.mark.parametrize("form", FORMS)
def test_the_first_order_gradient_is_that_at_the_adapted_weights(form: str) -> None:
    network, episode = small_conv(), image_episode()
    method = MAML(network, 0.4, 2, first_order=True, form=form)
    oracle = [torch.zeros_like(p) for p in network.parameters()]
    for task in episode.tasks():
        adapted = method.adapt(task.support_x[0], task.support_y[0])
        leaves = {name: w.detach().requires_grad_() for name, w in adapted.items()}
        loss = F.cross_entropy(functional_call(network, leaves, (task.query_x[0],)), task.query_y[0])
        for total, gradient in zip(oracle, torch.autograd.grad(loss, [*leaves.values()]), strict=True):
            total += gradient / episode.batch_size
    assert_all_close(meta_gradient(method, episode), oracle)
    second_order = meta_gradient(MAML(network, 0.4, 2, form=form), episode)
    assert any((a - b).norm() > 0.05 * b.norm() for a, b in zip(oracle, second_order, strict=True))
