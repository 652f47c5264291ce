"""Checks of chapter 15's exercises: what may be known before an image is understood."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# The first drawing of a class


def _given(n: int) -> Any:
    return lambda generator: (n,)


def _limit(n: int) -> Tensor:
    return torch.tensor(float(sum((Fraction(1, left) for left in range(1, n + 1)), Fraction()) / n))


def _terms(n: int) -> list[float]:
    return [1 / left for left in range(1, n + 1)]


first_guess_limit = Exercise(
    "first_guess_limit",
    _limit,
    {"five classes": Case(_given(5)), "two": Case(_given(2)), "twenty": Case(_given(20)), "only one": Case(_given(1))},
    [
        Mistake(lambda n: 1 / n, "this is chance; labels that came before are out"),
        Mistake(lambda n: sum(_terms(n)), "this is the sum over the classes; their mean is asked for"),
        Mistake(lambda n: sum(_terms(n)[1:]) / n, "the last class is sure, and it is missing"),
        Mistake(lambda n: sum(_terms(n)[:-1]) / n, "the first guess, among all labels, is missing"),
        Mistake(lambda n: sum(_terms(n + 1)) / n, "there is one guess too many"),
        Mistake(lambda n: 1 - sum(_terms(n)) / n, "this is the share of wrong guesses"),
        Mistake(lambda n: 100 * sum(_terms(n)) / n, "this is in percent; a share of 0 to 1 is asked for"),
        Mistake(lambda n: (1 + 1 / n) / 2, "this is the mean of the first and the last guess; take all of them"),
        Mistake(
            lambda n: 2 / (n + 1), "you inverted the mean number of labels left; the mean of the inverses is asked"
        ),
        Mistake(lambda n: 1 / math.factorial(n), "this is the chance that all guesses are right at once"),
        Mistake(lambda n: math.log(n) / n, "a logarithm comes near the sum for many classes; add up the terms"),
        Mistake(lambda n: _terms(n), "these are the single probabilities; their mean is asked for"),
    ],
)

# Counting labels


def _draw_counts(n: int, *, even: bool = False, times: int = 1, missing: bool = False) -> Any:
    def draw(generator: Generator) -> tuple[list[int]]:
        counts = times * torch.randint(2, 9, (n,), generator=generator)
        counts[-1] = counts[0] + 3  # never all alike
        if even:
            counts = counts[:1].repeat(n)
        if missing:
            counts[1] = 0
        return (counts.tolist(),)

    return draw


def _by_steps(counts: list[int]) -> Tensor:
    """Go through one order of the labels, for all orders cost the same."""
    left, lost = list(counts), 0.0
    for label, count in enumerate(counts):
        for _ in range(count):
            lost -= math.log(left[label] / sum(left))
            left[label] -= 1
    return torch.tensor(lost / sum(counts))


def _orders(counts: list[int]) -> float:
    return math.lgamma(sum(counts) + 1) - sum(math.lgamma(count + 1) for count in counts)


def _shares(counts: list[int]) -> list[float]:
    return [count / sum(counts) for count in counts if count]


counting_loss = Exercise(
    "counting_loss",
    _by_steps,
    {
        "equal counts": Case(_draw_counts(5, even=True)),
        "uneven counts": Case(_draw_counts(4)),
        "a label that never comes": Case(_draw_counts(5, missing=True)),
        "long sequences": Case(_draw_counts(3, times=100)),
    },
    [
        Mistake(lambda c: math.log(len(c)), "this is the loss of chance; a counter knows more"),
        Mistake(lambda c: math.log(sum(x > 0 for x in c)), "this is chance among the labels that come; count them"),
        Mistake(_orders, "this is the loss of the whole sequence; divide by its steps"),
        Mistake(lambda c: _orders(c) / len(c), "you divided by the number of labels; divide by the number of steps"),
        Mistake(lambda c: _orders(c) / sum(c) / math.log(2), "this is in bits; nats are asked for"),
        Mistake(lambda c: -_orders(c) / sum(c), "the sign is turned round; a loss is not negative"),
        Mistake(
            lambda c: math.lgamma(sum(c) + 1) / sum(c),
            "to swap two images of one class changes no label: divide by the orders within each class",
        ),
        Mistake(
            lambda c: (math.lgamma(sum(c)) - sum(math.lgamma(x) for x in c if x)) / sum(c),
            "lgamma(n) is the logarithm of (n − 1)!",
        ),
        Mistake(
            lambda c: -sum(p * math.log(p) for p in _shares(c)),
            "this is the entropy of the shares; a counter also knows how many are left",
        ),
        Mistake(lambda c: math.exp(_orders(c) / sum(c)), "this is e to the loss; the loss itself is asked for"),
        Mistake(
            lambda c: (math.lgamma(sum(c) + 1) - len(c) * math.lgamma(sum(c) / len(c) + 1)) / sum(c),
            "you took the same count for every label",
        ),
        Mistake(
            lambda c: math.exp(-_orders(c)), "this is the probability of one order; its loss per step is asked for"
        ),
    ],
)
