"""Meta-SGD and ANIL, which change one line of MAML each."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from adapting import FORMS, assert_all_close, meta_gradient, mlp, quadratic_task, small_conv
from helpers import assert_close, feature_episode, image_episode, regression_episode
from torch import nn
from torch.nn import functional as F

from fslbook import MAML, MetaSGD


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_meta_sgd_with_equal_rates_is_maml(form: str, first_order: bool) -> None:
    network, episode, options = small_conv(), image_episode(), {"form": form, "first_order": first_order}
    maml, meta_sgd = MAML(network, 0.3, 2, **options), MetaSGD(network, 0.3, 2, **options)
    assert_close(meta_sgd(episode), maml(episode))
    n = len([*network.parameters()])
    assert_all_close(meta_gradient(meta_sgd, episode)[:n], meta_gradient(maml, episode))
    assert [r.shape for r in meta_sgd.rates] == [p.shape for p in network.parameters()]


@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_of_a_rate_is_minus_the_product_of_both_gradients(form: str) -> None:
    episode = regression_episode(features=4)
    torch.manual_seed(0)
    method = MetaSGD(nn.Linear(4, 1, bias=False).double(), 0.1, loss=F.mse_loss, form=form)
    rates = torch.tensor([[0.05, 0.1, -0.02, 0.2]], dtype=torch.float64)
    method.rates[0].data.copy_(rates)
    w, expected = method.network.weight[0].detach().numpy(), []
    for task in range(episode.batch_size):
        h, b = quadratic_task(episode.support_x[task], episode.support_y[task])
        h_query, b_query = quadratic_task(episode.query_x[task], episode.query_y[task])
        inner = h @ w - b
        expected.append(-(h_query @ (w - rates[0].numpy() * inner) - b_query) * inner)
    assert_close(meta_gradient(method, episode)[1][0], np.mean(expected, axis=0))


@pytest.mark.parametrize("adapted", [("2.",), ["2."], lambda name: name.startswith("2")])
def test_with_the_head_alone_adapted_the_body_stays(adapted: object) -> None:
    network, episode = mlp(), feature_episode((2, 1, 3))
    method = MAML(network, 0.4, 2, adapted=adapted)
    weights = method.adapt(episode.support_x[0], episode.support_y[0])
    assert [*weights] == ["2.weight", "2.bias"]
    assert all(not torch.equal(w, network.get_parameter(name)) for name, w in weights.items())
    features = network[:2](episode.support_x[0]).detach()  # the head alone, by hand
    head = [p.detach().requires_grad_() for p in network[2].parameters()]
    for _ in range(2):
        loss = F.cross_entropy(features @ head[0].T + head[1], episode.support_y[0])
        gradients = torch.autograd.grad(loss, head)
        head = [(w - 0.4 * g).detach().requires_grad_() for w, g in zip(head, gradients, strict=True)]
    assert_all_close([*weights.values()], head)
    assert all(g.any() for g in meta_gradient(method, episode))  # yet the body is meta-learned
