"""Checks of chapter 6's exercises, continued: how sure attention can be, and how many images it looks at."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# The cap on the confidence


def _draw_shots(least: int, most: int, scale: float) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, float]:
        shots = torch.randint(least, most + 1, (6,), generator=generator)
        shots[0], shots[1] = least, most
        return shots, scale * (0.5 + float(torch.rand((), generator=generator)))

    return draw


def _caps(shots: Tensor, scale: float) -> Tensor:
    """By weights: e^scale for each own image, e^-scale for each other, relative to the largest."""
    counts = shots.tolist()
    caps = [k / (k + (sum(counts) - k) * math.exp(-2 * scale)) for k in counts]
    return torch.tensor(caps, device=shots.device)


def _as_if_one_shot(shots: Tensor, scale: float) -> Tensor:
    return _caps(torch.ones_like(shots), scale)


def _overflowing_caps(shots: Tensor, scale: float) -> Tensor:
    own, other = shots * torch.tensor(scale).exp(), (shots.sum() - shots) * torch.tensor(-scale).exp()
    return own / (own + other)


confidence_caps = Exercise(
    "confidence_caps",
    _caps,
    {
        "one image per class": Case(_draw_shots(1, 1, 1.0)),
        "uneven shots": Case(_draw_shots(1, 7, 1.0)),
        "a scale in the hundreds": Case(_draw_shots(1, 4, 400.0)),
    },
    [
        Mistake(_as_if_one_shot, "you counted the classes; what takes part in the vote are images"),
        Mistake(_overflowing_caps, "a large scale gives NaN: an exponential is too large for the number format"),
        Mistake(lambda k, s: _caps(k, s / 2), "you let the wrong images have a cosine of 0; they can be worse"),
        Mistake(lambda k, s: _caps(k, 1.0), "the scale has no influence"),
        Mistake(lambda k, s: _caps(k, 1 / s), "a larger scale makes yours less sure"),
        Mistake(
            lambda k, s: k / (k + k.sum() * math.exp(-2 * s)),
            "with scale 0 yours is not the share of the images: the images of the class are counted twice",
        ),
        Mistake(
            lambda k, s: k / k.sum(), "this is a class's share of the images; the scale and the cosines have a say, too"
        ),
        Mistake(
            lambda k, s: k / (k + (k.sum() - k) * math.exp(min(2 * s, 80))),
            "this is the least sure that it can be, with all cosines turned round",
        ),
        Mistake(
            lambda k, s: k / (k + math.exp(-2 * s)),
            "yours is as if there were one image of all other classes; count them",
        ),
        Mistake(lambda k, s: _caps(k, 2 * s), "you have the 2 in the exponent twice"),
    ],
)

# The scale for a wanted confidence


def _draw_wish(least: float, most: float) -> Any:
    def draw(generator: Generator) -> tuple[float, int]:
        share = float(torch.rand((), generator=generator))
        return least + (most - least) * share, int(torch.randint(5, 40, (), generator=generator))

    return draw


def _scale(confidence: float, n_way: int) -> float:
    """By halving: the cap grows with the scale."""
    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        cap = 1 / (1 + (n_way - 1) * math.exp(-2 * middle))
        low, high = (middle, high) if cap < confidence else (low, middle)
    return low


def _half_as_much(confidence: float, n_way: int) -> float:
    return 2 * _scale(confidence, n_way)


scale_for_confidence = Exercise(
    "scale_for_confidence",
    _scale,
    {"half sure": Case(_draw_wish(0.45, 0.6)), "nearly certain": Case(_draw_wish(0.99, 0.999))},
    [
        Mistake(_half_as_much, "twice what is needed: the cosines reach from −1 to 1, not from 0 to 1"),
        Mistake(lambda p, n: 1 / _scale(p, n), "this is the temperature, one over the scale"),
        Mistake(lambda p, n: _scale(p, n + 1), "you counted N wrong classes; the right one is not among them"),
        Mistake(
            lambda p, n: 0.5 * math.log(n - 1) - 0.5 * math.log(p / (1 - p)),
            "yours falls when the wanted confidence rises",
        ),
        Mistake(lambda p, n: 0.5 * math.log(p / (1 - p)), "the number of classes has no influence"),
        Mistake(lambda p, n: 0.5 * math.log(n - 1), "the wanted confidence has no influence"),
        Mistake(lambda p, n: 0.5 * math.log(p * (n - 1)), "it is the odds p / (1 − p) that matter, not p"),
        Mistake(lambda p, n: 0.5 * p * (n - 1) / (1 - p), "the logarithm is missing: the scale stands in an exponent"),
        Mistake(
            lambda p, n: math.sqrt(p * (n - 1) / (1 - p)), "the logarithm is missing: the scale stands in an exponent"
        ),
        Mistake(lambda p, n: _scale(p, n) / math.log(2), "take the logarithm with base e, as the softmax does"),
        Mistake(lambda p, n: _scale(p, n) / math.log(10), "take the logarithm with base e, as the softmax does"),
    ],
)

# How many images the attention looks at


def _draw_attention(generator: Generator) -> tuple[Tensor]:
    return ((2 * torch.randn(7, 12, generator=generator)).softmax(dim=1),)


def _draw_extremes(generator: Generator) -> tuple[Tensor]:
    (attention,) = _draw_attention(generator)
    few = torch.zeros(12)
    few[torch.randperm(12, generator=generator)[:3]] = 1 / 3
    return (torch.stack([*attention, few, torch.full((12,), 1 / 12), torch.eye(12)[4]]),)


def _entropies(attention: Tensor) -> Tensor:
    rows = [-sum(w * math.log(w) for w in row if w > 0) for row in attention.tolist()]
    return torch.tensor(rows, dtype=attention.dtype, device=attention.device)


images_attended = Exercise(
    "images_attended",
    lambda attention: _entropies(attention).exp(),
    {"rows of a softmax": Case(_draw_attention), "weights of exactly zero": Case(_draw_extremes)},
    [
        Mistake(
            lambda a: (-(a * a.log()).sum(dim=1)).exp(),
            "a weight of 0 gives NaN: 0 times the logarithm of 0",
        ),
        Mistake(_entropies, "this is the entropy; even weights on 12 images must give 12"),
        Mistake(lambda a: 2 ** _entropies(a), "the logarithm has base e, your power has base 2"),
        Mistake(lambda a: 1 / a.square().sum(dim=1), "this is one over the sum of the squared weights"),
        Mistake(lambda a: (-_entropies(a)).exp(), "the sign of the entropy is wrong: yours is at most 1"),
        Mistake(lambda a: _entropies(a).exp().mean(), "you averaged over the queries; each has its own number"),
        Mistake(lambda a: (a > 0).sum(dim=1).to(a), "you counted the weights above zero, however small they are"),
        Mistake(lambda a: (_entropies(a) / math.log(2)).exp(), "your logarithm has base 2, the power has base e"),
        Mistake(lambda a: 1 / a.amax(dim=1), "you looked at the largest weight alone"),
        Mistake(lambda a: a.amax(dim=1), "this is the largest weight; how many images share the attention?"),
        Mistake(lambda a: _entropies(a.softmax(dim=1)).exp(), "you took a softmax more; the rows are weights already"),
        Mistake(
            lambda a: (_entropies(a) / a.shape[1]).exp(), "you took the mean over the images; the entropy is a sum"
        ),
    ],
)
