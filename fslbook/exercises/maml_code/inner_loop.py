"""Checks of chapter 9's exercises: MAML in code, on networks whose weights are an argument."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import (
    Weights,
    images_and_labels,
    other_weights,
    own_weights,
    small_network,
)
from fslbook.exercises.engine.steps import slopes_of, step, through

# Sum or mean


def _draw_sizes(n_way: tuple[int, int], k_shot: tuple[int, int]) -> Any:
    def draw(generator: Generator) -> tuple[float, int, int]:
        sizes = [int(torch.randint(low, high, (), generator=generator)) for low, high in (n_way, k_shot)]
        inner_lr = 0.55 + 0.35 * float(torch.rand((), generator=generator))  # neither 1 nor 1/2 nor 1/3
        return inner_lr, sizes[0], sizes[1]

    return draw


inner_lr_for_the_mean = Exercise(
    "inner_lr_for_the_mean",
    lambda inner_lr, n_way, k_shot: sum([inner_lr / k_shot] * (n_way * k_shot)),
    {
        "one shot": Case(_draw_sizes((4, 21), (1, 2))),
        "several shots": Case(_draw_sizes((10, 21), (2, 4))),  # more classes than the square of the shots
    },
    [
        Mistake(lambda a, n, k: a, "the same rate makes a smaller step here: compare the two gradients"),
        Mistake(lambda a, n, k: a / n, "the ratio of the two gradients is turned round: which of them is larger?"),
        Mistake(lambda a, n, k: a * n * k, "you forgot that the authors divide, too"),
        Mistake(lambda a, n, k: a * k, "look again at what the authors divide by"),
        Mistake(lambda a, n, k: a / k, "look again at what the authors divide by"),
        Mistake(
            lambda a, n, k: a / (n * k), "the ratio of the two gradients is turned round: which of them is larger?"
        ),
        Mistake(
            lambda a, n, k: a * n / k, "you divided by k_shot once more; does the ratio of the two depend on the shots?"
        ),
        Mistake(
            lambda a, n, k: a * k / n,
            "the ratio of the two gradients is turned round, and does not depend on k_shot",
        ),
        Mistake(lambda a, n, k: float(n), "this is the factor alone; multiply the paper's rate by it"),
        Mistake(lambda a, n, k: a + n, "you added the factor to the rate; multiply"),
        Mistake(lambda a, n, k: a * (n - 1), "one class is missing: all of the classes are in the sum"),
        Mistake(lambda a, n, k: a * n * n, "this is the square of the factor; it counts once"),
    ],
)

# One inner step


def _draw_step(generator: Generator) -> tuple[nn.Module, Weights, Tensor, Tensor, float]:
    network = small_network(generator)
    return network, other_weights(network, generator), *images_and_labels(generator, 6), 0.7


def _step_by_own_weights(network: nn.Module, weights: Weights, x: Tensor, y: Tensor, inner_lr: float) -> Weights:
    slopes = slopes_of(network, own_weights(network), x, y)
    return {name: w - inner_lr * slopes[name] for name, w in weights.items()}


_CONSTANT = "the new weights are right, but the slopes in them are mere numbers for the outer loop"


def _some(moves: Callable[[str], bool]) -> Callable[..., Weights]:
    def version(network: nn.Module, weights: Weights, *rest: Any) -> Weights:
        new = step(network, weights, *rest)
        return {name: new[name] if moves(name) else w for name, w in weights.items()}

    return version


def _two_steps(network: nn.Module, weights: Weights, *rest: Any) -> Weights:
    return step(network, step(network, weights, *rest), *rest)


_SLIPS = [
    Mistake(lambda n, w, x, y, a: step(n, w, x, y, 1.0), "inner_lr has no influence"),
    Mistake(lambda n, w, x, y, a: slopes_of(n, w, x, y), "these are the slopes; asked are the new weights"),
    Mistake(_some(lambda name: name.endswith("weight")), "the biases did not move"),
    Mistake(_some(lambda name: name.endswith("bias")), "only the biases moved"),
    Mistake(_some(lambda name: name.startswith("head")), "the head alone moved; every layer must"),
    Mistake(_two_steps, "these are two steps; take one"),
    Mistake(lambda n, w, *rest: w, "nothing has moved"),
]


inner_step = Exercise(
    "inner_step",
    step,
    {"new weights, and the way back": Case(_draw_step, probe=through)},
    [
        Mistake(lambda *z: step(*z, slope=torch.neg), "you went uphill; look at the sign"),
        Mistake(lambda *z: step(*z, slope=torch.detach), _CONSTANT),
        Mistake(
            lambda *z: {name: w.detach() for name, w in step(*z).items()},
            "the new weights are right, but no path leads back from them to the old ones",
        ),
        Mistake(
            lambda *z: step(*z, loss=partial(F.cross_entropy, reduction="sum")),
            "you added the losses of the images up; take their mean",
        ),
        Mistake(_step_by_own_weights, "the loss was computed with the network's own weights, not with those handed in"),
        *_SLIPS,
    ],
)
