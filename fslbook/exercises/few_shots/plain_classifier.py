"""Checks of chapter 1's exercises, continued: training a plain classifier, and what it takes."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from fslbook.exercises.engine.calling import first_line
from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.structures import same

# One step of gradient descent


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
    ],
)

# Images for a bound


def _bound(n_parameters: int, delta: float, m: int) -> float:
    return math.sqrt((n_parameters * 32 * math.log(2) + math.log(1 / delta)) / (2 * m))


def _fewest(n_parameters: int, gap: float, delta: float) -> int:
    low, high = 0, 1
    while _bound(n_parameters, delta, high) > gap:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _bound(n_parameters, delta, middle) > gap else (low, middle)
    return high


def _draw_bound(most_parameters: int) -> Any:
    def draw(generator: Generator) -> tuple[int, float, float]:
        a, b = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
        return int(torch.randint(1, most_parameters, (), generator=generator)), 0.2 + 0.3 * a, 0.01 + 0.1 * b

    return draw


images_for_bound = Exercise(
    "images_for_bound",
    _fewest,
    {"a few parameters": Case(_draw_bound(4)), "many parameters": Case(_draw_bound(200_000))},
    [
        Mistake(lambda n, g, d: _fewest(n, g, d) - 1, "with so few images the gap is still too large; round up"),
        Mistake(
            lambda n, g, d: math.ceil((n * 32 + math.log(1 / d)) / (2 * g * g)),
            "you counted bits; ln |F| is their number times ln 2",
        ),
        Mistake(
            lambda n, g, d: math.ceil((n * 32 * math.log(2) + math.log(1 / d)) / (g * g)),
            "there is a 2 under the root, below m",
        ),
        Mistake(lambda n, g, d: _fewest(n, g, 1.0), "your answer does not depend on delta"),
        Mistake(
            lambda n, g, d: math.ceil((n * 32 * math.log(2) + math.log(1 / d)) / (2 * g)),
            "the gap is a square root; undo it by a square",
        ),
    ],
)

# Batch norm, repaired


def _draw_network(depth: int, momentum: float = 0.1) -> Any:
    def draw(generator: Generator) -> tuple[nn.Module, Tensor]:
        layers: list[nn.Module] = []
        for i in range(depth):
            norm = nn.BatchNorm2d(4, momentum=momentum)
            layers += [nn.Conv2d(4 if i else 1, 4, 3, padding=1), norm, nn.ReLU()]
        network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * 8 * 8, 3)).eval().requires_grad_(False)
        for parameter in network.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
        return network, 2 + torch.rand(24, 1, 8, 8, generator=generator)

    return draw


def _once_in_training_mode(network: nn.Module, images: Tensor) -> nn.Module:
    network = deepcopy(network).train()
    network(images)
    return network


def _recalibrated(network: nn.Module, images: Tensor) -> nn.Module:
    network = deepcopy(network)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # the plain mean over all batches, here one
    return _once_in_training_mode(network, images).eval()


@torch.no_grad()
def _recalibration(answer: Any, network: nn.Module, images: Tensor) -> str | None:
    if not isinstance(answer, nn.Module):
        return f"it returned a {type(answer).__name__}, wanted is a network"
    if any(module.training for module in answer.modules()):
        return "the copy is in training mode, so its answers depend on the batch"
    if not same(dict(network.named_parameters()), dict(answer.named_parameters())):
        return "weights have changed; only the running averages may"
    try:
        got = answer(images)
    except Exception as error:  # the learner's network alone is at work here
        return f"the network that came back cannot answer: {first_line(error)}"
    wanted = deepcopy(network).train()(images)
    if not isinstance(got, Tensor) or got.shape != wanted.shape:
        return "the network that came back gives no logits for these images"
    if (got - wanted).abs().max() < 0.02 * wanted.std():
        return None
    once = _once_in_training_mode(network, images).eval()(images)
    if torch.allclose(got, network(images), atol=1e-4):
        return "the running averages are the old ones"
    if torch.allclose(got, once, atol=1e-4):
        return "the running averages went only a part of the way; mind `momentum`"
    return "its answers are not those that it gives in training mode on these images as one batch"


def _retrained(network: nn.Module, images: Tensor) -> nn.Module:
    network = _once_in_training_mode(network, images).eval()
    for parameter in network.parameters():
        parameter.data.mul_(0.9)
    return network


recalibrated = Exercise(
    "recalibrated",
    _recalibrated,
    {
        "one batch norm": Case(_draw_network(1), _recalibration),
        "three batch norms": Case(_draw_network(3), _recalibration),
        "a slow momentum": Case(_draw_network(2, momentum=0.01), _recalibration),
    },
    [
        Mistake(lambda network, x: network, "the running averages are the old ones"),
        Mistake(_once_in_training_mode, "the copy is in training mode, so its answers depend on the batch"),
        Mistake(
            lambda network, x: _once_in_training_mode(network, x).eval(),
            "the running averages went only a part of the way; mind `momentum`",
        ),
        Mistake(_retrained, "weights have changed; only the running averages may"),
    ],
)
