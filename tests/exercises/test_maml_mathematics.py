"""Exercises of chapter 8: correct versions that are written differently from the solution."""

from __future__ import annotations

import torch
from exercise_helpers import assert_accepted, by_name
from torch.func import grad, vjp


def _hvp_by_two_gradients(loss, theta, v):
    theta = theta.detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss(theta), theta, create_graph=True)
    return torch.autograd.grad(slope @ v, theta)[0]


def _adapted_by_func(loss, theta, alpha, steps):
    return theta if steps == 0 else _adapted_by_func(loss, theta - alpha * grad(loss)(theta), alpha, steps - 1)


def _adapted_by_backward(loss, theta, alpha, steps):
    for _ in range(steps):
        theta = theta.sub(torch.autograd.grad(loss(theta), [theta], create_graph=True)[0], alpha=alpha)
    return theta


def _best_start_by_descent(curvatures, minima, alpha, steps):
    curvatures, minima, start = curvatures.double(), minima.double(), torch.zeros(())
    for _ in range(2000):
        away = start - minima
        for _ in range(steps):
            away = away - alpha * curvatures * away
        for _ in range(steps):
            away = away - alpha * curvatures * away
        start = start - 0.3 * (curvatures * away).mean()
    return start.float()


def _share_at_once(support, query, theta, alpha, steps):
    theta = theta.detach().requires_grad_()
    end = _adapted_by_func(support, theta, alpha, steps)
    first = torch.autograd.grad(query(end), end, retain_graph=True)[0]
    full = torch.autograd.grad(end, theta, first)[0]
    return float((first - full).norm() / full.norm())


def _valley_by_loop(theta, curvature, minimum, alpha, steps):
    for _ in range(steps):
        theta = theta - alpha * (curvature * (theta - minimum)).sum(1)
    return theta


def _back_by_loop(hessians, gradient, alpha):
    for hessian in hessians.flip(0):
        gradient = gradient - alpha * torch.mv(hessian, gradient)
    return gradient


def _share_by_products(support, query, theta, alpha, steps):
    points = []
    for _ in range(steps):
        points.append(theta)
        theta = theta - alpha * grad(support)(theta)
    first = full = grad(query)(theta)
    for point in reversed(points):
        full = full - alpha * _hvp_by_two_gradients(support, point, full)
    return (full - first).norm() / full.norm()


VERSIONS = {
    "valley_steps": [
        lambda w, H, t, a, k: t + torch.linalg.matrix_power(torch.eye(len(w), dtype=w.dtype) - a * H, k) @ (w - t),
        _valley_by_loop,
    ],
    "hessian_vector_product": [
        _hvp_by_two_gradients,
        lambda loss, theta, v: vjp(grad(loss), theta)[1](v)[0],
        lambda loss, theta, v: torch.autograd.functional.hvp(loss, theta, v)[1],
    ],
    "adapted": [_adapted_by_func, _adapted_by_backward],
    "back_through_steps": [
        lambda H, g, a: g if not len(H) else torch.linalg.multi_dot([*(torch.eye(4, dtype=g.dtype) - a * H), g]),
        _back_by_loop,
    ],
    "best_start": [
        _best_start_by_descent,
        lambda c, t, a, k: torch.softmax(c.log() + 2 * k * (1 - a * c).abs().log(), 0) @ t,
    ],
    "hessian_share": [_share_at_once, _share_by_products],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
