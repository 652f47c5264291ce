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


def _fomaml_by_func(network, support_x, support_y, query_x, query_y, inner_lr, steps, loss):
    weights = {name: w.detach() for name, w in network.named_parameters()}
    for k in range(steps + 1):
        x, y = (support_x, support_y) if k < steps else (query_x, query_y)
        slopes = grad(lambda w, x=x, y=y: loss(functional_call(network, w, (x,)), y))(weights)
        weights = {name: w - inner_lr * slopes[name] for name, w in weights.items()}
    return slopes


def _reptile_by_copies(network, x, y, inner_lr, steps, loss):
    ends = []
    for task_x, task_y in zip(x, y, strict=True):
        learner = deepcopy(network)
        for _ in range(steps):
            slopes = torch.autograd.grad(loss(learner(task_x), task_y), [*learner.parameters()])
            with torch.no_grad():
                for w, slope in zip(learner.parameters(), slopes, strict=True):
                    w -= inner_lr * slope
        ends.append(dict(learner.named_parameters()))
    start = dict(network.named_parameters())
    return {name: w - torch.stack([end[name] for end in ends]).mean(0) for name, w in start.items()}


def _anil_by_autograd(network, weights, x, y, inner_lr):
    loss, new = F.cross_entropy(functional_call(network, weights, (x,)), y), dict(weights)
    for name in ("head.weight", "head.bias"):
        (slope,) = torch.autograd.grad(loss, weights[name], create_graph=True)
        new[name] = weights[name] - inner_lr * slope
    return new


def _cka_by_covariance(a, b):
    joint = torch.cov(torch.cat([a, b], dim=1).T)
    n = a.shape[1]
    cross, own_a, own_b = joint[:n, n:], joint[:n, :n], joint[n:, n:]
    return cross.square().sum() / (own_a.square().sum() * own_b.square().sum()).sqrt()


VERSIONS = {
    "epsilon_at": [lambda i, n, e: e * (n - i) / n, lambda i, n, e: e - e * i / n],
    "fomaml_gradient": [_fomaml_by_a_copy, _fomaml_by_func],
    "reptile_gradient": [_reptile_in_place, _reptile_by_copies],
    "rate_gradient": [_rate_gradient_by_autograd, lambda s, q, w, r: -grad(s)(w) * grad(q)(w - r * grad(s)(w))],
    "anil_step": [_anil_by_func, _anil_by_autograd],
    "linear_cka": [_cka_by_kernels, _cka_by_covariance],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
