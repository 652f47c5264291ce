"""Checks of chapter 6's exercises: matching networks."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Cosines


def _draw_vectors(generator: Generator) -> tuple[Tensor, Tensor]:
    lengths = 0.5 + 3 * torch.rand(6, 1, generator=generator)
    return torch.randn(6, 5, generator=generator) * lengths, torch.randn(4, 5, generator=generator)


def _with_an_empty_image(generator: Generator) -> tuple[Tensor, Tensor]:
    queries, support = _draw_vectors(generator)
    return torch.cat([queries, torch.zeros(1, 5)]), torch.cat([torch.zeros(1, 5), support])


def _cosines(queries: Tensor, support: Tensor) -> Tensor:
    rows = [[_cosine(f, g) for g in support.tolist()] for f in queries.tolist()]
    return torch.tensor(rows, dtype=queries.dtype, device=queries.device)


def _cosine(f: list[float], g: list[float]) -> float:
    lengths = math.hypot(*f) * math.hypot(*g)
    return sum(a * b for a, b in zip(f, g, strict=True)) / lengths if lengths else 0.0


def _unsafe_cosines(queries: Tensor, support: Tensor) -> Tensor:
    return queries @ support.T / (queries.norm(dim=1)[:, None] * support.norm(dim=1))


cosine_similarities = Exercise(
    "cosine_similarities",
    _cosines,
    {
        "vectors of any length": Case(_draw_vectors),
        "a vector of zeros": Case(_with_an_empty_image),
        "passes the gradient on": Case(_draw_vectors, gradient=True),
        "passes it on beside a vector of zeros": Case(_with_an_empty_image, gradient=True),
    },
    [
        Mistake(_unsafe_cosines, "a vector of zeros gives NaN: something is divided by its length, which is 0"),
        Mistake(lambda f, g: f @ g.T, "these are inner products: longer vectors get larger numbers"),
        Mistake(lambda f, g: f @ F.normalize(g, dim=1).T, "the numbers still grow with the length of the queries"),
        Mistake(lambda f, g: F.normalize(f, dim=1) @ g.T, "the numbers still grow with the length of the support"),
        Mistake(lambda f, g: 1 - _cosines(f, g), "these are distances: smaller where vectors are alike"),
        Mistake(
            lambda f, g: F.normalize(f, dim=0) @ F.normalize(g, dim=0).T,
            "you scaled each feature over all images; scale each image over its features",
        ),
    ],
)

# The vote


def _draw_votes(shots: list[int], largest: float = 1.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, int, float]:
        labels = torch.repeat_interleave(torch.arange(len(shots)), torch.tensor(shots))
        labels = labels[torch.randperm(len(labels), generator=generator)]
        similarities = 2 * torch.rand(7, len(labels), generator=generator) - 1
        return similarities, labels, len(shots), largest * (3 + 2 * float(torch.rand((), generator=generator)))

    return draw


def _votes(similarities: Tensor, labels: Tensor, n_way: int, scale: float) -> Tensor:
    rows = [_vote([scale * s for s in row], labels.tolist(), n_way) for row in similarities.tolist()]
    return torch.tensor(rows, dtype=similarities.dtype, device=similarities.device)


def _vote(scores: list[float], labels: list[int], n_way: int) -> list[float]:
    weights = [math.exp(score - max(scores)) for score in scores]
    return [sum(w for w, y in zip(weights, labels, strict=True) if y == n) / sum(weights) for n in range(n_way)]


def _summed(x: Tensor, labels: Tensor, n_way: int) -> Tensor:
    return x @ F.one_hot(labels, n_way).to(x)


def _averaged(x: Tensor, labels: Tensor, n_way: int) -> Tensor:
    return _summed(x, labels, n_way) / F.one_hot(labels, n_way).sum(dim=0)


def _overflowing(similarities: Tensor, labels: Tensor, n_way: int, scale: float) -> Tensor:
    weights = (scale * similarities).exp()
    return _summed(weights / weights.sum(dim=1, keepdim=True), labels, n_way)


class_probabilities = Exercise(
    "class_probabilities",
    _votes,
    {
        "one image a class": Case(_draw_votes([1, 1, 1, 1])),
        "uneven shots in any order": Case(_draw_votes([4, 1, 2])),
        "a scale in the hundreds": Case(_draw_votes([2, 1, 3], largest=200.0)),
    },
    [
        Mistake(_overflowing, "a large scale gives NaN: an exponential is too large for the number format"),
        Mistake(
            lambda s, y, n, scale: _averaged((scale * s).softmax(1), y, n),
            "the probabilities of a query do not add up to one: you took the mean of the weights of a class",
        ),
        Mistake(lambda s, y, n, scale: _summed(s.softmax(1), y, n), "the scale has no influence"),
        Mistake(lambda s, y, n, scale: _summed((s / scale).softmax(1), y, n), "a larger scale makes yours less sure"),
        Mistake(
            lambda s, y, n, scale: _summed((scale * s).softmax(0), y, n),
            "the weights add up to one over the queries, not over the support images",
        ),
        Mistake(
            lambda s, y, n, scale: (scale * _summed(s, y, n)).softmax(1),
            "you added up similarities before the softmax; what is added up here are weights",
        ),
        Mistake(
            lambda s, y, n, scale: (scale * _averaged(s, y, n)).softmax(1),
            "you averaged similarities before the softmax; what is added up here are weights",
        ),
    ],
)

# A loss that stays finite


def _draw_scores(shots: list[int]) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor, int]:
        similarities, labels, n_way, _ = _draw_votes(shots)(generator)
        return 4 * similarities, labels, torch.randint(n_way, (7,), generator=generator), n_way

    return draw


def _certain_and_wrong(generator: Generator) -> tuple[Tensor, Tensor, Tensor, int]:
    scores, labels, query_y, n_way = _draw_scores([2, 1, 2])(generator)
    return torch.where(labels == query_y[:, None], scores - 900, scores), labels, query_y, n_way


def _negative_log_likelihood(scores: Tensor, labels: Tensor, query_y: Tensor, n_way: int) -> Tensor:
    losses = []
    for row, right in zip(scores.tolist(), query_y.tolist(), strict=True):
        own = [s for s, y in zip(row, labels.tolist(), strict=True) if y == right]
        losses.append(_log_sum(row) - _log_sum(own))
    return torch.tensor(sum(losses) / len(losses)).to(scores)


def _log_sum(scores: list[float]) -> float:
    return max(scores) + math.log(sum(math.exp(s - max(scores)) for s in scores))


def _by_probabilities(extra: float) -> Any:
    def loss(scores: Tensor, labels: Tensor, query_y: Tensor, n_way: int) -> Tensor:
        return -(_summed(scores.softmax(1), labels, n_way)[torch.arange(len(scores)), query_y] + extra).log().mean()

    return loss


_LIFTED = (
    "no loss of yours exceeds {:.1f}: small probabilities were lifted before the logarithm (a number added, or a clamp)"
)

matching_loss = Exercise(
    "matching_loss",
    _negative_log_likelihood,
    {
        "one image a class": Case(_draw_scores([1, 1, 1, 1])),
        "uneven shots in any order": Case(_draw_scores([4, 1, 2])),
        "certain and wrong": Case(_certain_and_wrong),
        "passes the gradient on": Case(_draw_scores([2, 3]), gradient=True),
    },
    [
        Mistake(_by_probabilities(0.0), "the loss is infinite: a probability was rounded to 0 before its logarithm"),
        *(
            Mistake(_by_probabilities(extra), _LIFTED.format(-math.log(extra)))
            for extra in (1e-20, 1e-16, 1e-15, *(10.0**-n for n in range(12, 2, -1)), 2**-23)
        ),
        Mistake(
            lambda s, y, q, n: F.nll_loss(_averaged(s.log_softmax(1), y, n), q),
            "with several shots: you averaged logarithms of weights; the weights of a class are added up first",
        ),
        Mistake(
            lambda s, y, q, n: F.cross_entropy(_summed(s.softmax(1), y, n), q),
            "a softmax was applied to probabilities: a query that is sure and right still has a loss",
        ),
        Mistake(
            lambda s, y, q, n: F.cross_entropy(_summed(s, y, n), q),
            "you added up the scores of a class; what is added up are the weights",
        ),
        Mistake(lambda s, y, q, n: len(q) * _negative_log_likelihood(s, y, q, n), "this is a sum over the queries"),
        Mistake(lambda s, y, q, n: -_negative_log_likelihood(s, y, q, n), "the sign is wrong: this rewards mistakes"),
    ],
)
