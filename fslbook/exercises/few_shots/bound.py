"""A check of chapter 1's exercises: how many images a bound asks for."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _bound(n_parameters: int, delta: float, m: float) -> float:
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


def _just_above(generator: Generator) -> tuple[int, float, float]:
    """Where rounding to the nearest whole number would be one image too few."""
    n_parameters, gap, delta = _draw_bound(40)(generator)
    return n_parameters, _bound(n_parameters, delta, _fewest(n_parameters, gap, delta) - 0.8), delta


def _with(bits: float, delta: float, gap: float) -> int:
    return math.ceil((bits + math.log(1 / delta)) / (2 * gap**2))


images_for_bound = Exercise(
    "images_for_bound",
    _fewest,
    {
        "a few parameters": Case(_draw_bound(4)),
        "many parameters": Case(_draw_bound(200_000)),
        "a little more than a whole number": Case(_just_above),
    },
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
        Mistake(lambda n, g, d: _with(n * math.log(2), d, g), "each parameter has 32 bits; yours has one"),
        Mistake(
            lambda n, g, d: _with(n * 2**32, d, g),
            "you added the settings of the parameters up; they multiply, so their logarithms are added",
        ),
        Mistake(lambda n, g, d: _with(32 * math.log(2 * n), d, g), "there are 2 to the power 32 P ways to set them"),
        Mistake(
            lambda n, g, d: math.ceil((n * 32 * math.log(2) + math.log(d)) / (2 * g * g)),
            "it is the logarithm of 1 / δ, which is positive; with δ itself, a surer promise costs fewer images",
        ),
        Mistake(
            lambda n, g, d: math.ceil((n * 32 * math.log(2) + 1 / d) / (2 * g * g)),
            "of 1 / δ the logarithm is taken as well",
        ),
        Mistake(
            lambda n, g, d: math.ceil(n * 32 * math.log(2) * math.log(1 / d) / (2 * g * g)),
            "the two logarithms are added, not multiplied",
        ),
    ],
)
