"""Exercises of chapter 10: correct versions that are written differently from the solution."""

from __future__ import annotations

from copy import deepcopy

import torch
from exercise_helpers import assert_accepted, by_name
from torch.func import functional_call, grad
from torch.nn import functional as F


def _fomaml_by_a_copy(network, support_x, support_y, query_x, query_y, inner_lr, steps, loss):
    learner = deepcopy(network)
    inner = torch.optim.SGD(learner.parameters(), lr=inner_lr)
    for _ in range(steps):
        inner.zero_grad()
        loss(learner(support_x), support_y).backward()
        inner.step()
    learner.zero_grad()
    loss(learner(query_x), query_y).backward()
    return {name: w.grad for name, w in learner.named_parameters()}


def _reptile_in_place(network, x, y, inner_lr, steps, loss):
    theta = {name: w.detach().clone() for name, w in network.named_parameters()}
    total = {name: torch.zeros_like(w) for name, w in theta.items()}
    for task in range(len(x)):
        inner = torch.optim.SGD(network.parameters(), lr=inner_lr)
        for _ in range(steps):
            inner.zero_grad()
            loss(network(x[task]), y[task]).backward()
            inner.step()
        for name, w in network.named_parameters():
            total[name] += (theta[name] - w.detach()) / len(x)
        network.load_state_dict(theta)
    return total


def _rate_gradient_by_autograd(support, query, theta, rates):
    rates, slope = rates.detach().requires_grad_(), grad(support)(theta)
    return torch.autograd.grad(query(theta - rates * slope), rates)[0]


def _anil_by_func(network, weights, x, y, inner_lr):
    head = {name: w for name, w in weights.items() if name.startswith("head.")}
    slopes = grad(lambda w: F.cross_entropy(functional_call(network, {**weights, **w}, (x,)), y))(head)
    return {**weights, **{name: w - inner_lr * slopes[name] for name, w in head.items()}}


def _cka_by_kernels(a, b):
    centring = torch.eye(len(a), dtype=a.dtype) - 1 / len(a)
    k, m = (centring @ x @ x.T @ centring for x in (a, b))
    return float((k * m).sum() / (k.norm() * m.norm()))


VERSIONS = {
    "epsilon_at": [lambda i, n, e: e * (n - i) / n],
    "fomaml_gradient": [_fomaml_by_a_copy],
    "reptile_gradient": [_reptile_in_place],
    "rate_gradient": [_rate_gradient_by_autograd],
    "anil_step": [_anil_by_func],
    "linear_cka": [_cka_by_kernels],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
