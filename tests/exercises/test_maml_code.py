"""Exercises of chapter 9: correct versions that are written differently from the solution."""

from __future__ import annotations

import torch
from exercise_helpers import assert_accepted, by_name
from torch.func import functional_call, grad, vmap
from torch.nn import functional as F


def _func_step(network, weights, x, y, inner_lr):
    slopes = grad(lambda w: F.cross_entropy(functional_call(network, w, (x,)), y))(weights)
    return {name: weights[name] - inner_lr * slope for name, slope in slopes.items()}


def _maml_loss_by_vmap(network, support_x, support_y, query_x, query_y, inner_lr, steps, loss):
    def outer(sx, sy, qx, qy):
        weights = dict(network.named_parameters())
        for _ in range(steps):
            slopes = grad(lambda w: loss(functional_call(network, w, (sx,)), sy))(weights)
            weights = {name: w - inner_lr * slopes[name] for name, w in weights.items()}
        return loss(functional_call(network, weights, (qx,)), qy)

    return vmap(outer)(support_x, support_y, query_x, query_y).mean()


def _steps_by_loop(network, weights, x, y, inner_lr):
    tasks = [_func_step(network, {n: w[i] for n, w in weights.items()}, x[i], y[i], inner_lr) for i in range(len(x))]
    return {name: torch.stack([task[name] for task in tasks]) for name in weights}


def _singly_by_vmap(network, weights, queries):
    return vmap(lambda query: functional_call(network, weights, (query[None],))[0])(queries)


def _listens_by_swapping(learner, support_x, support_y, query_x, n_way):
    swapped = torch.where(support_y == 0, 1, torch.where(support_y == 1, 0, support_y))
    return (learner(support_x, support_y, query_x) != learner(support_x, swapped, query_x)).any()


def _step_by_autograd(network, weights, x, y, inner_lr):
    names, values = zip(*weights.items(), strict=True)
    loss = F.nll_loss(functional_call(network, weights, (x,)).log_softmax(1), y)
    slopes = torch.autograd.grad(loss, values, create_graph=True)
    return {name: w.sub(slope, alpha=inner_lr) for name, w, slope in zip(names, values, slopes, strict=True)}


def _maml_loss_by_loop(network, support_x, support_y, query_x, query_y, inner_lr, steps, loss):
    total = 0
    for task in range(len(support_x)):
        weights = dict(network.named_parameters())
        for _ in range(steps):
            value = loss(functional_call(network, weights, (support_x[task],)), support_y[task])
            slopes = torch.autograd.grad(value, [*weights.values()], create_graph=True)
            weights = {n: w - inner_lr * g for (n, w), g in zip(weights.items(), slopes, strict=True)}
        total = total + loss(functional_call(network, weights, (query_x[task],)), query_y[task])
    return total / len(support_x)


def _steps_by_autograd(network, weights, x, y, inner_lr):
    new = {name: [] for name in weights}
    for task in range(len(x)):
        own = {name: w[task] for name, w in weights.items()}
        for name, w in _step_by_autograd(network, own, x[task], y[task], inner_lr).items():
            new[name].append(w)
    return {name: torch.stack(parts) for name, parts in new.items()}


VERSIONS = {
    "inner_lr_for_the_mean": [lambda a, n, k: torch.tensor(a * n), lambda a, n, k: a / k * n * k],
    "inner_step": [_func_step, _step_by_autograd],
    "maml_loss": [_maml_loss_by_vmap, _maml_loss_by_loop],
    "inner_step_for_all": [_steps_by_loop, _steps_by_autograd],
    "one_at_a_time": [
        _singly_by_vmap,
        lambda n, w, x: torch.stack([functional_call(n, w, (q[None],)).squeeze(0) for q in x]),
    ],
    "listens": [_listens_by_swapping, lambda f, x, y, q, n: not f(x, y, q).equal(f(x, n - 1 - y, q))],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
