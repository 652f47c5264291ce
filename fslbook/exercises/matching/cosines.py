"""Checks of chapter 6's exercises: matching networks."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

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


def _overflowing_alone(similarities: Tensor, labels: Tensor, n_way: int, scale: float) -> Tensor:
    """As above, where what is infinite in one class does not spoil the others."""
    weights = (scale * similarities).exp()
    shares = weights / weights.sum(dim=1, keepdim=True)
    return torch.stack([shares[:, labels == n].sum(dim=1) for n in range(n_way)], dim=1)


class_probabilities = Exercise(
    "class_probabilities",
    _votes,
    {
        "one image per class": Case(_draw_votes([1, 1, 1, 1])),
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
        Mistake(
            lambda s, y, n, scale: torch.stack([(scale * s).softmax(1)[:, y == c].amax(1) for c in range(n)], dim=1),
            "you took the largest weight of each class; they are added up",
        ),
        Mistake(
            lambda s, y, n, scale: _summed((-scale * s).softmax(1), y, n),
            "the least alike images have the largest weights: the sign is wrong",
        ),
        Mistake(
            lambda s, y, n, scale: _summed((scale * s).sigmoid(), y, n),
            "these are weights of a sigmoid, which do not add up to one; take a softmax",
        ),
        Mistake(
            lambda s, y, n, scale: F.one_hot(_votes(s, y, n, scale).argmax(1), n).to(s),
            "these are decisions; hand back the probabilities",
        ),
        Mistake(_overflowing_alone, "a large scale gives NaN: an exponential is too large for the number format"),
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


def _of_right(final: Any) -> Any:
    """A wrong loss from the probability of the right class."""

    def loss(scores: Tensor, labels: Tensor, query_y: Tensor, n_way: int) -> Tensor:
        wrong: Tensor = final(_summed(scores.softmax(1), labels, n_way)[torch.arange(len(scores)), query_y])
        return wrong

    return loss


matching_loss = Exercise(
    "matching_loss",
    _negative_log_likelihood,
    {
        "one image per class": Case(_draw_scores([1, 1, 1, 1])),
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
        Mistake(_of_right(lambda p: -p.mean()), "the logarithm is missing"),
        Mistake(_of_right(lambda p: (1 - p).mean()), "this is one minus the probability; take minus its logarithm"),
        Mistake(_of_right(lambda p: (1 - p).square().mean()), "these are squared errors; take minus the logarithm"),
        Mistake(
            lambda s, y, q, n: (s.logsumexp(1) - s.masked_fill(y != q[:, None], -torch.inf).amax(1)).mean(),
            "you took one image of the class alone, the best; all of them have a say",
        ),
        Mistake(
            lambda s, y, q, n: (s.logsumexp(1) - (s * (y == q[:, None])).logsumexp(1)).mean(),
            "the other classes got the score 0 and still count, for e⁰ = 1; leave them out with −∞",
        ),
    ],
)
