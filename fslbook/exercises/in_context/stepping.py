"""Checks of chapter 18's exercises: a gradient step as attention, and how long it should be."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# One step with cross-entropy


def _draw_task(shots: list[int], q: int, lr: float) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor, int, float]:
        labels = torch.repeat_interleave(torch.arange(len(shots)), torch.tensor(shots))
        labels = labels[torch.randperm(len(labels), generator=generator)]
        x, queries = (torch.randn(n, 4, generator=generator) for n in (len(labels), q))
        return x, labels, queries, len(shots), lr

    return draw


def _step_by_autograd(x: Tensor, labels: Tensor, queries: Tensor, n_way: int, lr: float) -> Tensor:
    with torch.enable_grad():
        w = torch.zeros(n_way, x.shape[1], dtype=x.dtype, device=x.device, requires_grad=True)
        (gradient,) = torch.autograd.grad(F.cross_entropy(x.detach() @ w.T, labels), w)
    return queries.detach() @ (-lr * gradient).T


def _values(y: Tensor, n: int, x: Tensor) -> Tensor:
    return F.one_hot(y, n).to(x.dtype) - 1 / n


def _step(x: Tensor, y: Tensor, z: Tensor, n: int, lr: float) -> Tensor:
    return lr * (z @ x.T) @ _values(y, n, x) / len(x)


def _plain(x: Tensor, y: Tensor, z: Tensor, n: int, lr: float) -> Tensor:
    return lr * (z @ x.T) @ F.one_hot(y, n).to(x.dtype) / len(x)


def _class_means(x: Tensor, y: Tensor, z: Tensor, n: int) -> Tensor:
    own = F.one_hot(y, n).to(x.dtype)
    return z @ (own.T @ x / own.sum(0)[:, None]).T


cross_entropy_step = Exercise(
    "cross_entropy_step",
    _step_by_autograd,
    {
        "one image per class": Case(_draw_task([1, 1, 1], 4, 0.5)),
        "uneven shots": Case(_draw_task([3, 1, 2, 1], 5, 0.4)),
        "a long step": Case(_draw_task([2, 2], 3, 7.0)),
        "one query": Case(_draw_task([2, 1, 1], 1, 0.3)),
    },
    [
        Mistake(_plain, "the probabilities 1/N before the step are missing: this is the step of the squared error"),
        Mistake(lambda x, y, z, n, lr: -_step(x, y, z, n, lr), "this step goes uphill: a sign is turned round"),
        Mistake(lambda x, y, z, n, lr: _step(x, y, z, n, 1.0), "the step size is missing"),
        Mistake(lambda x, y, z, n, lr: len(x) * _step(x, y, z, n, lr), "the loss is a mean over the support, no sum"),
        Mistake(
            lambda x, y, z, n, lr: len(x) / n * _step(x, y, z, n, lr),
            "you divided by the number of classes; divide by the number of support images",
        ),
        Mistake(
            lambda x, y, z, n, lr: len(x) / x.shape[1] * _step(x, y, z, n, lr),
            "you divided by the length of the features; divide by the number of support images",
        ),
        Mistake(
            lambda x, y, z, n, lr: len(x) / len(z) * _step(x, y, z, n, lr),
            "you divided by the number of queries; divide by the number of support images",
        ),
        Mistake(
            lambda x, y, z, n, lr: (lr * z @ x.T).softmax(1) @ _values(y, n, x),
            "there is a softmax over the support; a gradient step has none",
        ),
        Mistake(
            lambda x, y, z, n, lr: _step(x, y, z, n, lr).softmax(1), "these are probabilities; logits are asked for"
        ),
        Mistake(lambda x, y, z, n, lr: _step(x, y, z, n, lr).log_softmax(1), "there is a log-softmax too much"),
        Mistake(lambda x, y, z, n, lr: _step(x, y, x, n, lr), "these are the answers to the support images"),
        Mistake(lambda x, y, z, n, lr: _step(x, y, z, n, lr).T, "a row must belong to a query, [Q, N]"),
        Mistake(
            lambda x, y, z, n, lr: lr * _class_means(x, y, z, n),
            "each class counts alike here; each image has to",
        ),
        Mistake(lambda x, y, z, n, lr: _step(x, y, z, n, lr) / 2, "there is a half in it, as for the squared error"),
    ],
)

# How long a single step should be


def _draw_tasks(b: int, s: int, d: int, noise: float = 0.0, uneven: bool = False) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = torch.randn(b, s + 1, d, generator=generator)
        if uneven:
            x = x * torch.linspace(0.2, 2, b)[:, None, None]
        w = torch.randn(b, d, 1, generator=generator)
        y = (x @ w)[..., 0] + noise * torch.randn(b, s + 1, generator=generator)
        task = x[:, :s], y[:, :s], x[:, s], y[:, s]
        near_zero = _guess(*task[:3]).square().mean() < 0.01  # the size would be lost in rounding
        return draw(generator) if near_zero else task

    return draw


def _guess(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Answers [B] after a step of size 1."""
    return torch.einsum("bs,bsd,bd->b", y, x, z) / x.shape[1]


def _walk(x: Tensor, y: Tensor, query: Tensor) -> Tensor:
    """The answer of one task after a step of size 1 on the mean of half the squared error, weight by weight."""
    w = torch.zeros_like(query)
    for point, value in zip(x, y, strict=True):
        w = w + value * point / len(x)
    return w @ query


def _best_by_search(x: Tensor, y: Tensor, queries: Tensor, targets: Tensor) -> Tensor:
    """The vertex of the parabola through the errors of three step sizes."""
    unit = torch.stack([_walk(*task) for task in zip(x, y, queries, strict=True)])

    def error(size: float) -> Tensor:
        return (size * unit.double() - targets.double()).square().mean()

    low, middle, high = error(-1.0), error(0.0), error(1.0)
    return ((low - high) / (2 * (low - 2 * middle + high))).to(x.dtype)


best_single_step = Exercise(
    "best_single_step",
    _best_by_search,
    {
        "forty tasks": Case(_draw_tasks(40, 6, 3)),
        "one task": Case(_draw_tasks(1, 5, 2)),
        "noisy answers": Case(_draw_tasks(30, 4, 3, noise=1.0)),
        "tasks of different size": Case(_draw_tasks(25, 5, 4, uneven=True)),
    },
    [
        Mistake(
            lambda x, y, z, t: (t / _guess(x, y, z)).mean(),
            "you took the mean of the best sizes; one size must serve all tasks",
        ),
        Mistake(
            lambda x, y, z, t: (t / _guess(x, y, z)).median(),
            "you took the middle of the best sizes; one size must serve all tasks",
        ),
        Mistake(lambda x, y, z, t: t.sum() / _guess(x, y, z).sum(), "you divided sums; weigh each task by its guess"),
        Mistake(
            lambda x, y, z, t: t.square().sum() / (t * _guess(x, y, z)).sum(),
            "you fitted the guesses by the targets; fit the targets by the guesses",
        ),
        Mistake(lambda x, y, z, t: (t * _guess(x, y, z)).sum(), "the sum of the squared guesses is missing below"),
        Mistake(
            lambda x, y, z, t: (t * _guess(x, y, z)).sum() / _guess(x, y, z).square().sum() / x.shape[1],
            "your guesses are sums over the support; the loss is a mean",
        ),
        Mistake(
            lambda x, y, z, t: -(t * _guess(x, y, z)).sum() / _guess(x, y, z).square().sum(),
            "a step of this size goes uphill: a sign is turned round",
        ),
        Mistake(
            lambda x, y, z, t: (t * _guess(x, y, z)).sum() / _guess(x, y, z).square().sum() / 2,
            "there is a factor 2: mind the half in the loss",
        ),
        Mistake(
            lambda x, y, z, t: 2 * (t * _guess(x, y, z)).sum() / _guess(x, y, z).square().sum(),
            "there is a factor 2: mind the half in the loss",
        ),
        Mistake(
            lambda x, y, z, t: (t.square().sum() / _guess(x, y, z).square().sum()).sqrt(),
            "you made guesses and targets equally large; the error must be smallest",
        ),
        Mistake(
            lambda x, y, z, t: F.cosine_similarity(t, _guess(x, y, z), dim=0),
            "this is the cosine of guesses and targets; the lengths matter as well",
        ),
        Mistake(lambda x, y, z, t: t / _guess(x, y, z), "this is a size for each task; a single one is asked for"),
        Mistake(
            lambda x, y, z, t: x.shape[1] / x.square().sum((1, 2)).mean(),
            "this comes from the curvature alone; use the targets",
        ),
    ],
)
