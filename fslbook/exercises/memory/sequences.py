"""Checks of chapter 15's exercises: labels that come late, and accuracy by how often a class has come."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Labels one step late


def _draw_labels(b: int, t: int, n: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, int]:
        return torch.randint(n, (b, t), generator=generator), n

    return draw


def _late_by_loop(labels: Tensor, n_way: int) -> Tensor:
    late = torch.zeros(*labels.shape, n_way)
    for b, row in enumerate(labels.tolist()):
        for t, label in enumerate(row[:-1]):
            late[b, t + 1, label] = 1
    return late


def _hot(y: Tensor, n: int) -> Tensor:
    return F.one_hot(y, n).float()


def _shifted(hot: Tensor, steps: int = 1) -> Tensor:
    if steps < 0:
        return F.pad(hot[:, -steps:], (0, 0, 0, -steps))
    return F.pad(hot, (0, 0, steps, 0))[:, : hot.shape[1]]


def _first(hot: Tensor, value: Tensor | float) -> Tensor:
    late = _shifted(hot)
    late[:, 0] = value
    return late


late_labels = Exercise(
    "late_labels",
    _late_by_loop,
    {
        "two sequences": Case(_draw_labels(2, 9, 3)),
        "one sequence": Case(_draw_labels(1, 8, 4)),
        "many classes": Case(_draw_labels(3, 12, 7)),
        "a single step": Case(_draw_labels(4, 1, 5)),
    },
    [
        Mistake(_hot, "the labels come in time; each must come one step late"),
        Mistake(lambda y, n: _hot(y, n).roll(1, 1), "the last label has come round to the first step"),
        Mistake(lambda y, n: _shifted(_hot(y, n), -1), "the labels come one step early"),
        Mistake(lambda y, n: _shifted(_hot(y, n), 2), "the labels come two steps late"),
        Mistake(
            lambda y, n: _first(_hot(y, n), _hot(torch.tensor(0), n)),
            "the first step says label 0; nothing is known yet, so all are zero",
        ),
        Mistake(
            lambda y, n: _first(_hot(y, n), 1 / n), "the first step is a guess; nothing is known yet, so all are zero"
        ),
        Mistake(lambda y, n: _first(_hot(y, n), 1.0), "the first step says all labels at once; all are zero there"),
        Mistake(lambda y, n: F.pad(_hot(y, n), (0, 0, 0, 0, 1, 0))[:-1], "you moved the sequences; move the steps"),
        Mistake(lambda y, n: F.pad(_hot(y, n), (1, 0))[..., :-1], "you moved the classes; move the steps"),
        Mistake(lambda y, n: F.pad(_hot(y, n), (0, 0, 1, 0)), "there is one step too many: nobody sees the last label"),
        Mistake(lambda y, n: _hot(y, n)[:, :-1], "there is one step too few: the first one needs zeros"),
        Mistake(
            lambda y, n: F.pad(y, (1, 0))[:, :-1], "these are the labels themselves; one-hot vectors are asked for"
        ),
        Mistake(lambda y, n: _shifted(_hot(y, n)).mT, "the classes must be the last dimension"),
        Mistake(lambda y, n: _shifted(_hot(y, n)).transpose(0, 1), "sequences and steps have changed places"),
    ],
)

# Accuracy by instance


def _draw_answers(b: int, counts: list[int]) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
        order = torch.rand(b, len(labels), generator=generator).argsort(dim=1)
        y = labels[order]
        chance = 0.25 + 0.7 * torch.rand(b, len(labels), generator=generator) * (y > 0)
        return torch.rand(b, len(labels), generator=generator) < chance, y

    return draw


def _by_instance_loop(correct: Tensor, labels: Tensor) -> Tensor:
    right: dict[int, list[float]] = {}
    for row, answers in zip(labels.tolist(), correct.tolist(), strict=True):
        seen: dict[int, int] = {}
        for label, answer in zip(row, answers, strict=True):
            seen[label] = seen.get(label, 0) + 1
            right.setdefault(seen[label], []).append(float(answer))
    return torch.tensor([sum(right[k]) / len(right[k]) for k in sorted(right)])


def _instances(y: Tensor) -> Tensor:
    hot = F.one_hot(y, int(y.max()) + 1)
    return hot.cumsum(1).gather(2, y[..., None])[..., 0]


def _means(correct: Tensor, k: Tensor, below: Tensor | float | None = None) -> Tensor:
    one, at = correct.float().flatten(), k.flatten() - 1
    sums = torch.zeros(int(at.max()) + 1).index_add(0, at, one)
    return sums / (torch.bincount(at).clamp(min=1) if below is None else below)


def _anew(c: Tensor, y: Tensor) -> Tensor:
    hot = F.one_hot(y.flatten(), int(y.max()) + 1).cumsum(0)
    return _means(c, hot.gather(1, y.flatten()[:, None]))


accuracy_at_instances = Exercise(
    "accuracy_at_instances",
    _by_instance_loop,
    {
        "three classes": Case(_draw_answers(12, [4, 4, 4])),
        "one sequence": Case(_draw_answers(1, [6, 6, 6, 6])),
        "uneven classes": Case(_draw_answers(15, [7, 2, 4])),
    },
    [
        Mistake(
            lambda c, y: c.float().mean(0), "this is the accuracy at each step; count how often the class has come"
        ),
        Mistake(
            lambda c, y: _means(c, _instances(y), 1.0), "these are numbers of right answers; divide by all of that time"
        ),
        Mistake(
            lambda c, y: _means(c, _instances(y), float(c.numel())),
            "you divided by the number of all images; only those of the k-th time count",
        ),
        Mistake(lambda c, y: _means(~c, _instances(y)), "these are the shares of wrong answers"),
        Mistake(lambda c, y: 100 * _means(c, _instances(y)), "this is in percent; shares of 0 to 1 are asked for"),
        Mistake(
            lambda c, y: F.pad(_means(c, _instances(y)), (1, 0)),
            "there is one entry too many in front: the first time stands at place 0",
        ),
        Mistake(lambda c, y: _means(c, _instances(y))[1:], "the first time is missing"),
        Mistake(lambda c, y: _means(c, _instances(y).flip(0)), "answers and counts belong to different sequences"),
        Mistake(
            lambda c, y: _means(c, _instances(y.flip(1)).flip(1)),
            "you counted from the end: how often the class still comes",
        ),
        Mistake(
            lambda c, y: _means(c, torch.arange(y.shape[1]).expand_as(y) // (int(y.max()) + 1) + 1),
            "you divided the step by the number of classes; count each class for itself",
        ),
        Mistake(_anew, "you counted on from one sequence to the next; each begins at 1"),
        Mistake(
            lambda c, y: _means(c, _instances(y)).cumsum(0) / torch.arange(1, int(_instances(y).max()) + 1),
            "these are means up to the k-th time; take each time alone",
        ),
        Mistake(lambda c, y: c.float().mean(), "this is one number for all; one per time is asked for"),
    ],
)
