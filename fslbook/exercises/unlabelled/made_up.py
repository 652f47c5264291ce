"""Checks of chapter 12's exercises: tasks made up from images without labels."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Copies and their labels


def _draw_support(n_way: int, n_query: int) -> Any:
    return lambda generator: (torch.rand(n_way, 1, 2, 2, generator=generator), n_query)


def _copies_by_loop(images: Tensor, n_query: int) -> tuple[Tensor, Tensor]:
    pairs = [(x, n) for n, x in enumerate(images) for _ in range(n_query)]
    return torch.stack([x for x, _ in pairs]), torch.tensor([n for _, n in pairs])


def _blocks(x: Tensor, n: int) -> Tensor:
    return x.repeat_interleave(n, dim=0)


def _rounds(x: Tensor, n: int) -> Tensor:
    return torch.cat([x] * n)


def _numbers(x: Tensor) -> Tensor:
    return torch.arange(len(x))


made_up_queries = Exercise(
    "made_up_queries",
    _copies_by_loop,
    {
        "five images, three copies": Case(_draw_support(5, 3)),
        "three images, two copies": Case(_draw_support(3, 2)),
        "many images": Case(_draw_support(30, 4)),
    },
    [
        Mistake(
            lambda x, q: (_blocks(x, q), _rounds(_numbers(x), q)),
            "the copies stand class by class and the labels do not: most labels are wrong",
        ),
        Mistake(
            lambda x, q: (_rounds(x, q), _blocks(_numbers(x), q)),
            "the labels stand class by class and the copies do not: most labels are wrong",
        ),
        Mistake(lambda x, q: (_rounds(x, q), _rounds(_numbers(x), q)), "the pairs are right, but not class by class"),
        Mistake(lambda x, q: (_blocks(x, q), torch.arange(q * len(x))), "each copy has become a class of its own"),
        Mistake(lambda x, q: (x, _numbers(x)), "there is one copy of each image, whatever n_query says"),
        Mistake(lambda x, q: (_blocks(x, q), _blocks(_numbers(x), q) + 1), "labels begin at 0"),
        Mistake(lambda x, q: (_blocks(x, q + 1), _blocks(_numbers(x), q + 1)), "there is one copy too many of each"),
        Mistake(lambda x, q: (_blocks(x, q), _numbers(x)), "one label for each image; each copy needs its own"),
        Mistake(lambda x, q: (_blocks(x, q), torch.zeros(q * len(x)).long()), "all copies are of class 0 here"),
        Mistake(lambda x, q: (_blocks(x, q).flip(0), _blocks(_numbers(x), q)), "the copies are in reverse order"),
        Mistake(lambda x, q: (_blocks(x, q), _blocks(_numbers(x), q).flip(0)), "the labels are in reverse order"),
        Mistake(lambda x, q: (_blocks(x, q - 1), _blocks(_numbers(x), q - 1)), "there is one copy too few of each"),
        Mistake(
            lambda x, q: (torch.cat([x, _blocks(x, q)]), torch.cat([_numbers(x), _blocks(_numbers(x), q)])),
            "the support itself stands in front; only its copies are asked for",
        ),
        Mistake(lambda x, q: (x.repeat(1, q, 1, 1), _blocks(_numbers(x), q)), "the copies lie in the channels"),
        Mistake(lambda x, q: (_blocks(_numbers(x), q), _blocks(x, q)), "the copies come first, their labels second"),
        Mistake(lambda x, q: (_blocks(x.flip(3), q), _blocks(_numbers(x), q)), "nothing is to be mirrored yet"),
        Mistake(
            lambda x, q: (x[:, None].expand(-1, q, -1, -1, -1), _blocks(_numbers(x), q).view(len(x), q)),
            "the copies of an image have a dimension of their own here; join it with the first",
        ),
        Mistake(
            lambda x, q: (_blocks(x, q), F.one_hot(_blocks(_numbers(x), q))), "one whole number for each copy, no row"
        ),
    ],
)

# How often are all of different characters?


def _draw_sizes(low: int, high: int, per_class: int, n_way: int) -> Any:
    def draw(generator: Generator) -> tuple[int, int, int]:
        return int(torch.randint(low, high, (), generator=generator)), per_class, n_way

    return draw


def _different(n_classes: int, per_class: int, n_way: int) -> Tensor:
    chance = torch.ones((), dtype=torch.float64)
    for drawn in range(n_way):
        chance *= (n_classes - drawn) * per_class / (n_classes * per_class - drawn)
    return chance


def _product(factors: list[float]) -> float:
    return float(torch.tensor(factors, dtype=torch.float64).prod())


no_twins = Exercise(
    "no_twins",
    _different,
    {
        "ten classes, three images": Case(_draw_sizes(10, 13, 4, 3)),
        "forty classes, five images": Case(_draw_sizes(38, 42, 20, 5)),
        "more images": Case(_draw_sizes(60, 70, 3, 12)),
    },
    [
        Mistake(
            lambda c, k, n: 1 - _different(c, k, n), "this is the chance that two are alike; one minus it is asked"
        ),
        Mistake(
            lambda c, k, n: _product([(c - i) / c for i in range(n)]),
            "you draw with replacement: one image can come twice here, and it cannot in a task",
        ),
        Mistake(
            lambda c, k, n: (1 - (k - 1) / (c * k - 1)) ** (n * (n - 1) // 2),
            "pairs are treated as if they were independent; that is near, not exact",
        ),
        Mistake(
            lambda c, k, n: 1 - (n * (n - 1) // 2) * (k - 1) / (c * k - 1),
            "the chances of all pairs were added; tasks with two pairs are counted twice",
        ),
        Mistake(lambda c, k, n: _different(c, k, n + 1), "there is one image too many"),
        Mistake(lambda c, k, n: _different(c, k, n - 1), "there is one image too few"),
        Mistake(lambda c, k, n: _different(c, k, 2), "this is the answer for two images"),
        Mistake(lambda c, k, n: _different(c, k + 1, n), "each class has one drawing too many here"),
        Mistake(
            lambda c, k, n: _product([(c - i) * k / (c * k) for i in range(1, n)]) * (c - n) / c,
            "you draw with replacement, and one factor too many was taken",
        ),
        Mistake(
            lambda c, k, n: _product([(c * k - i * k - i) / (c * k - i) for i in range(n)]),
            "of each character drawn so far k drawings are out, not k + 1: the one drawn is among them",
        ),
        Mistake(
            lambda c, k, n: math.comb(c, n) / math.comb(c * k, n),
            "the classes are chosen here, but not which of its images each of them gives",
        ),
        Mistake(
            lambda c, k, n: math.comb(c, n) * k**n / (c * k) ** n,
            "the order of the images counts in one of the two numbers and not in the other",
        ),
        Mistake(lambda c, k, n: math.exp(-n * (n - 1) / 2 / c), "this is an approximation for many classes, not exact"),
        Mistake(
            lambda c, k, n: math.exp(-n * (n - 1) / 2 * (k - 1) / (c * k - 1)),
            "the exponential function is an approximation, not exact",
        ),
        Mistake(lambda c, k, n: _different(k, c, n), "classes and images per class have changed places"),
        Mistake(
            lambda c, k, n: (c - n + 1) * k / (c * k - n + 1),
            "this is the chance of the last image alone; all of them must be new",
        ),
        Mistake(
            lambda c, k, n: (1 - (k - 1) / (c * k - 1)) ** (n - 1),
            "each image was compared with one other only",
        ),
        Mistake(
            lambda c, k, n: _product([(c * k - i * (k - 1)) / (c * k - i) for i in range(n)]),
            "of each character drawn so far all k drawings are out, the one drawn among them",
        ),
    ],
)
