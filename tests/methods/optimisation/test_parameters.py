"""Batch norm, buffers, frozen and shared parameters."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from adapting import FORMS, assert_all_close, meta_gradient, mlp, small_conv
from helpers import assert_close, feature_episode, image_episode
from torch import Tensor, nn
from torch.func import replace_all_batch_norm_modules_
from torch.nn import functional as F

from fslbook import MAML


def test_running_statistics_are_updated_by_the_loop_and_used_in_evaluation_mode() -> None:
    tracking, episode = small_conv(track=True), image_episode()
    method = MAML(tracking, 0.4, 2)
    assert_close(method(episode), MAML(small_conv(), 0.4, 2)(episode))  # in training mode: statistics of the batch
    assert int(tracking[1].num_batches_tracked) == episode.batch_size * 3
    query = method.eval()(episode)
    alone = [
        method(replace(episode, query_x=episode.query_x[:, [q]], query_y=episode.query_y[:, [q]])) for q in range(3)
    ]
    assert_close(torch.cat(alone, dim=1), query[:, :3])


@pytest.mark.parametrize("options", [{"form": "vmap"}, {"recompute": True}])
def test_running_statistics_are_refused_where_they_cannot_be_served(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"Sequential keeps running statistics.*replace_all_batch_norm_modules_"):
        MAML(small_conv(track=True), **options)
    MAML(replace_all_batch_norm_modules_(small_conv(track=True)), **options)


@pytest.mark.parametrize("form", FORMS)
def test_frozen_parameters_neither_adapt_nor_learn(form: str) -> None:
    network, episode = mlp(), feature_episode((2, 1, 3))
    network[0].requires_grad_(False)
    method = MAML(network, 0.4, 2, form=form)
    assert [*method.adapt(episode.support_x[0], episode.support_y[0])] == ["2.weight", "2.bias"]
    assert_close(method(episode), MAML(mlp(), 0.4, 2, form=form, adapted=("2.",))(episode))
    method.loss(episode).backward()
    assert network[0].weight.grad is None
    assert network[2].weight.grad.any()


class Tied(nn.Module):
    """One matrix used twice, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(5, 5, bias=False).double(), nn.Linear(5, 5, bias=False).double()
        self.second.weight = self.first.weight
        self.register_buffer("shift", torch.arange(5.0).double())

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.tanh(self.first(x) + self.shift))[:, :3]


@pytest.mark.parametrize("form", FORMS)
def test_shared_parameters_stay_shared_while_they_adapt(form: str) -> None:
    network, episode = Tied(), feature_episode((2, 1, 3), batch=1)
    weight = network.first.weight
    logits = lambda w, x: (torch.tanh(x @ w.T + network.shift) @ w.T)[:, :3]  # noqa: E731
    (gradient,) = torch.autograd.grad(
        F.cross_entropy(logits(weight, episode.support_x[0]), episode.support_y[0]), weight, create_graph=True
    )
    expected = logits(weight - 0.4 * gradient, episode.query_x[0])
    method = MAML(network, 0.4, form=form)
    assert_close(method(episode)[0], expected)
    (oracle,) = torch.autograd.grad(F.cross_entropy(expected, episode.query_y[0]), weight)
    assert_all_close(meta_gradient(method, episode), [oracle])


class WithSpare(nn.Module):
    """A parameter that no output depends on."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.spare = mlp(), nn.Parameter(torch.ones(2).double())

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x)


@pytest.mark.parametrize("form", FORMS)
def test_a_parameter_without_influence_is_no_obstacle(form: str) -> None:
    episode = feature_episode((2, 1, 3))
    method = MAML(WithSpare(), 0.4, 2, form=form)
    assert_close(method(episode), MAML(mlp(), 0.4, 2, form=form)(episode))
    assert not meta_gradient(method, episode)[0].any()
