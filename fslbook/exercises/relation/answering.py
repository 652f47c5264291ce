"""A check of chapter 7's exercises: when to say nothing."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_scores(n_queries: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, float]:
        scores = torch.rand(n_queries, 5, generator=generator)
        scores[0] *= 0.1  # one query fits nothing, all its scores together
        scores[1] *= 0.05  # one fits a single class
        scores[1, 2] = 0.99
        scores[2] = 0.85 + 0.1 * scores[2]  # and one fits them all
        scores[3] = 0.19  # one has a clear lead, and no majority
        scores[3, 1] = 0.995
        scores[4] = 0.95  # all but one fit: the mean reaches the threshold, the lowest score does not
        scores[4, 3] = 0.1
        scores[5] = 0.3 + 0.1 * scores[5]  # none fits, and the sum is large
        return scores, 0.6 + 0.1 * float(torch.rand((), generator=generator))

    return draw


def _all_fit(generator: Generator) -> tuple[Tensor, float]:
    return torch.rand(8, 5, generator=generator), 0.0


def _none_fits(generator: Generator) -> tuple[Tensor, float]:
    return torch.rand(8, 5, generator=generator), 1.1


def _just_reached(generator: Generator) -> tuple[Tensor, float]:
    scores = torch.randint(48, (8, 5), generator=generator) / 64
    scores[torch.arange(4), torch.arange(4)] = 0.75  # exact in every floating-point format
    scores[4:6, 0] = 0.875  # and two that lie above it
    return scores, 0.75


def _answers(scores: Tensor, threshold: float) -> Tensor:
    answers = []
    for row in scores.tolist():
        best = max(range(len(row)), key=row.__getitem__)
        answers.append(best if row[best] >= threshold else -1)
    return torch.tensor(answers, device=scores.device)


def _sum_to_one(scores: Tensor, threshold: float) -> Tensor:
    return _answers(scores / scores.sum(dim=1, keepdim=True), threshold)


answer_or_none = Exercise(
    "answer_or_none",
    _answers,
    {
        "some queries fit nothing": Case(_draw_scores(20)),
        "a highest score equal to the threshold": Case(_just_reached),
        "a threshold that all pass": Case(_all_fit),
        "a threshold that none passes": Case(_none_fits),
    },
    [
        Mistake(lambda r, t: r.argmax(dim=1), "a query that fits nothing got a class all the same"),
        Mistake(lambda r, t: torch.where(r.amax(1) < t, r.argmax(1), -1), "you kept the unsure and dropped the sure"),
        Mistake(lambda r, t: torch.where(r.amax(1) <= t, r.argmax(1), -1), "you kept the unsure and dropped the sure"),
        Mistake(
            lambda r, t: torch.where(r.amin(1) >= t, r.argmax(1), -1),
            "you asked all classes to reach the threshold; one class that fits is enough",
        ),
        Mistake(
            lambda r, t: torch.where(r.amax(1) >= t, r.argmax(1), 0),
            "a query that fits nothing looks like one of class 0",
        ),
        Mistake(
            lambda r, t: torch.where(r.amax(1) >= t, r.argmax(1), r.shape[1]),
            "a query that fits nothing got the number N; the task wants another one",
        ),
        Mistake(
            lambda r, t: torch.where(r.mean(1) >= t, r.argmax(1), -1),
            "you compared the mean score with the threshold; one class that fits is enough",
        ),
        Mistake(
            lambda r, t: (r >= t).long().argmax(dim=1).where(r.amax(1) >= t, -1),
            "you took the first class above the threshold; there may be a better one",
        ),
        Mistake(
            lambda r, t: torch.where(r.amax(1) > t, r.argmax(1), -1),
            "a score that equals the threshold reaches it: compare with >=",
        ),
        Mistake(_sum_to_one, "you made the scores add up to one; they need not, and now none means what it meant"),
        Mistake(
            lambda r, t: torch.where(r.softmax(1).amax(1) >= t, r.argmax(1), -1),
            "a softmax makes the scores add up to one; they need not, and now none means what it meant",
        ),
        Mistake(
            lambda r, t: torch.where(r.sum(1) >= t, r.argmax(1), -1),
            "you compared the sum of the scores with the threshold; the highest one decides",
        ),
        Mistake(lambda r, t: torch.where(r.amax(1) >= t, r.argmin(1), -1), "you named the class with the lowest score"),
        Mistake(
            lambda r, t: torch.where(r.topk(2).values[:, 0] - r.topk(2).values[:, 1] >= t, r.argmax(1), -1),
            "you compared the lead over the second with the threshold; the highest score itself decides",
        ),
        Mistake(
            lambda r, t: torch.where(r.amax(1) >= t, r.argmax(1) + 1, -1),
            "your classes are counted from 1; they begin at 0",
        ),
    ],
)
