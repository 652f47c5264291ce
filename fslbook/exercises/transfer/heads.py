"""Checks of chapter 11's exercises: last layers in closed form and by gradient steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.watching import Work

# Ridge regression


def _draw_ridge(n_support: int, n_features: int, penalty: float) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, float]:
        x = torch.randn(n_support, n_features, generator=generator)
        labels = torch.arange(n_support) % 3
        return x, F.one_hot(labels, 3).to(x.dtype), penalty

    return draw


def _normal_equations(x: Tensor, y: Tensor, penalty: float) -> Tensor:
    a, b = x.double().numpy(), y.double().numpy()
    return torch.from_numpy(np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ b)).to(x.dtype)


def _kernel(x: Tensor, penalty: float) -> Tensor:
    return x @ x.T + penalty * torch.eye(len(x), dtype=x.dtype)


def _solved(x: Tensor, y: Tensor, penalty: float) -> Tensor:
    return x.T @ torch.linalg.solve(_kernel(x, penalty), y)


def _built_features_squared(work: Work, x: Tensor, y: Tensor, penalty: float) -> str | None:
    if work.largest < x.shape[1] ** 2:
        return None
    return "you built a D × D matrix; the support has few images, and an S × S matrix is enough"


ridge_weights = Exercise(
    "ridge_weights",
    _normal_equations,
    {
        "fewer images than features": Case(_draw_ridge(6, 20, 1.0)),
        "a small penalty": Case(_draw_ridge(6, 20, 0.05)),
        "a large penalty": Case(_draw_ridge(9, 20, 50.0)),
        "without a D × D matrix": Case(_draw_ridge(6, 150, 1.0), watch=_built_features_squared),
    },
    [
        Mistake(lambda x, y, p: x.T @ torch.linalg.solve(x @ x.T, y), "there is no penalty in it"),
        Mistake(lambda x, y, p: x.T @ y, "the inverse is missing: these are sums of the features of each class"),
        Mistake(
            lambda x, y, p: torch.linalg.solve(_kernel(x, p), y),
            "these belong to the images [S, N]; Xᵀ in front is missing",
        ),
        Mistake(
            lambda x, y, p: x.T @ torch.linalg.solve(x @ x.T + p, y),
            "the penalty was added to every entry; it belongs on the diagonal",
        ),
        Mistake(lambda x, y, p: x.T @ torch.linalg.solve(_kernel(x, p * p), y), "the penalty was squared"),
        Mistake(
            lambda x, y, p: x.T @ torch.linalg.solve(_kernel(x, len(x) * p), y),
            "the penalty was multiplied by the number of images",
        ),
        Mistake(
            lambda x, y, p: x.T @ torch.linalg.solve(_kernel(x, 1 / p), y),
            "this divides by the penalty; λ itself stands on the diagonal",
        ),
        Mistake(lambda x, y, p: x.T @ torch.linalg.solve(_kernel(x, -p), y), "the penalty has the wrong sign"),
        Mistake(lambda x, y, p: x.T @ (_kernel(x, p) @ y), "you multiplied by the matrix; its inverse is needed"),
        Mistake(lambda x, y, p: _solved(x, y, p).T, "this is [N, D]; rows must belong to features, [D, N]"),
        Mistake(
            lambda x, y, p: x.T @ torch.linalg.solve(_kernel(x, p), 2 * y - 1), "the targets are 0 and 1, not −1 and 1"
        ),
        Mistake(
            lambda x, y, p: _solved(F.normalize(x, dim=1), y, p),
            "the features were brought to length 1 first; take them as they are",
        ),
    ],
)

# The gradient of a last layer


def _draw_head(n_support: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x, w = torch.randn(n_support, 4, generator=generator), torch.randn(3, 4, generator=generator)
        labels = torch.randint(3, (n_support,), generator=generator)
        return x, labels, w, torch.randn(3, generator=generator)

    return draw


def _differences(x: Tensor, labels: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """By autograd in float64."""
    weights = w.double().clone().requires_grad_()
    F.cross_entropy(x.double() @ weights.T + b.double(), labels).backward()
    assert weights.grad is not None
    return weights.grad.to(w.dtype)


def _error(x: Tensor, labels: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return (x @ w.T + b).softmax(dim=1) - F.one_hot(labels, len(w)).to(x.dtype)


head_gradient = Exercise(
    "head_gradient",
    _differences,
    {
        "one image": Case(_draw_head(1)),
        "several images": Case(_draw_head(8)),
        "many images": Case(_draw_head(40)),
    },
    [
        Mistake(lambda x, y, w, b: _error(x, y, w, b).T @ x, "this is the sum over the images; the loss is a mean"),
        Mistake(
            lambda x, y, w, b: -_error(x, y, w, b).T @ x / len(x), "the sign is turned round: softmax minus one-hot"
        ),
        Mistake(
            lambda x, y, w, b: x.T @ _error(x, y, w, b) / len(x),
            "this is [D, N]; a gradient has the shape of w, [N, D]",
        ),
        Mistake(lambda x, y, w, b: _error(x, y, w, 0 * b).T @ x / len(x), "the bias was left out of the logits"),
        Mistake(
            lambda x, y, w, b: (x @ w.T + b).softmax(1).T @ x / len(x),
            "the right answers are missing: subtract the one-hot labels",
        ),
        Mistake(
            lambda x, y, w, b: -F.one_hot(y, len(w)).to(x.dtype).T @ x / len(x),
            "the probabilities are missing: this pulls, and nothing pushes",
        ),
        Mistake(
            lambda x, y, w, b: ((x @ w.T + b) - F.one_hot(y, len(w))).T @ x / len(x),
            "the softmax is missing: this is the gradient of a squared error",
        ),
        Mistake(
            lambda x, y, w, b: ((x @ w.T + b).softmax(0) - F.one_hot(y, len(w))).T @ x / len(x),
            "the softmax runs over the images; it must run over the classes",
        ),
        Mistake(
            lambda x, y, w, b: ((x @ w.T + b).sigmoid() - F.one_hot(y, len(w))).T @ x / len(x),
            "this has a sigmoid per class; a softmax couples the classes",
        ),
        Mistake(
            lambda x, y, w, b: _error(x, y, w, b).T @ x / x.numel(), "you divided by all numbers; divide by the images"
        ),
        Mistake(
            lambda x, y, w, b: w - _error(x, y, w, b).T @ x / len(x),
            "this is the weight after a step of size 1; the gradient alone is asked for",
        ),
        Mistake(lambda x, y, w, b: _error(x, y, w, b).abs().T @ x / len(x), "the errors lost their signs"),
    ],
)
