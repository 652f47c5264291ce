"""A check of chapter 1's exercises: one step in the training of a plain classifier."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_step(lr: float, n_images: int = 8) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
        sizes: list[tuple[int, ...]] = [(4, 6), (4,), (n_images, 6)]
        weight, bias, x = (torch.randn(size, generator=generator) for size in sizes)
        return weight, bias, x, torch.randint(4, (n_images,), generator=generator), lr

    return draw


def _stepped(weight: Tensor, bias: Tensor, x: Tensor, y: Tensor, lr: float, loss: Any = F.cross_entropy) -> Any:
    inputs = [weight.detach().clone().requires_grad_(), bias.detach().clone().requires_grad_()]
    gradients = torch.autograd.grad(loss(F.linear(x, *inputs), y), inputs)
    return tuple(p.detach() - lr * g for p, g in zip(inputs, gradients, strict=True))


def _squared_error(logits: Tensor, y: Tensor) -> Tensor:
    return (logits - F.one_hot(y, logits.shape[1])).square().sum() / (2 * len(y))


def _by_error(error: Any) -> Any:
    def version(weight: Tensor, bias: Tensor, x: Tensor, y: Tensor, lr: float) -> tuple[Tensor, Tensor]:
        e = error(x @ weight.T + bias, F.one_hot(y, len(bias)).to(x))  # [M, N]
        return weight - lr * e.to(x).T @ x / len(x), bias - lr * e.to(x).mean(dim=0)

    return version


def _gradients(weight: Tensor, bias: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
    x, y, _ = rest
    new_weight, new_bias = _stepped(weight, bias, x, y, 1.0)
    return weight - new_weight, bias - new_bias


def _two_steps(weight: Tensor, bias: Tensor, *rest: Any) -> Any:
    x, y, lr = rest
    weight, bias = _stepped(weight, bias, x, y, lr)
    return _stepped(weight, bias, x, y, lr)


_AT_ZERO = "the step begins at zero, not at the weight and bias that were handed over"

gradient_step = Exercise(
    "gradient_step",
    _stepped,
    {
        "eight images": Case(_draw_step(0.5)),
        "one image": Case(_draw_step(1.0, n_images=1)),
        "another step size": Case(_draw_step(0.05)),
    },
    [
        Mistake(lambda w, b, x, y, lr: _stepped(w, b, x, y, -lr), "this step goes up the slope, not down"),
        Mistake(
            lambda w, b, x, y, lr: _stepped(w, b, x, y, lr * len(y)),
            "you added up the losses of the images; the loss is their mean",
        ),
        Mistake(
            lambda w, b, x, y, lr: _stepped(w, b, x, y, lr, _squared_error),
            "this is the gradient without a softmax, as for a squared error",
        ),
        Mistake(lambda w, b, x, y, lr: (_stepped(w, b, x, y, lr)[0], b), "the bias did not move"),
        Mistake(lambda w, b, x, y, lr: _stepped(w, b, x, y, 1.0), "the step does not depend on lr"),
        Mistake(lambda w, b, x, y, lr: (w, _stepped(w, b, x, y, lr)[1]), "the weight did not move"),
        Mistake(lambda w, b, x, y, lr: _stepped(0 * w, 0 * b, x, y, lr), _AT_ZERO),
        Mistake(
            _by_error(lambda logits, right: logits.softmax(dim=0) - right),
            "the softmax runs over the images; it must run over the classes",
        ),
        Mistake(
            _by_error(lambda logits, right: logits.softmax(dim=1)),
            "the right classes have no influence: the slope of a logit is p minus 1 where the class is right",
        ),
        Mistake(_by_error(lambda logits, right: logits.sigmoid() - right), "this has a sigmoid in place of a softmax"),
        Mistake(
            _by_error(lambda logits, right: F.one_hot(logits.argmax(1), 4) - right),
            "these errors are 0 or 1; take the probabilities, not the decision",
        ),
        Mistake(_gradients, "these are the gradients; asked are weight and bias after the step"),
        Mistake(
            lambda w, b, x, y, lr: (_stepped(w, b, x, y, lr)[0], _stepped(w, b, x, y, lr * len(y))[1]),
            "in the bias you added up the images; take their mean there, too",
        ),
        Mistake(
            lambda w, b, x, y, lr: (_stepped(w, b, x, y, lr * len(y))[0], _stepped(w, b, x, y, lr)[1]),
            "in the weight you added up the images; take their mean there, too",
        ),
        Mistake(_two_steps, "these are two steps; take one"),
    ],
)
