"""Checks of chapter 18's exercises: what a token takes over, and at whom it may look."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Attention


def _draw_tokens(q: int, s: int, d: int, v: int, size: float = 1.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        queries, keys = (size * torch.randn(n, d, generator=generator) for n in (q, s))
        return queries, keys, 1 + torch.randn(s, v, generator=generator)

    return draw


def _attention_by_loop(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    rows = []
    for q in queries.tolist():
        scores = [sum(a * b for a, b in zip(q, k, strict=True)) / math.sqrt(len(q)) for k in keys.tolist()]
        weights = [math.exp(score - max(scores)) for score in scores]
        mixed = [sum(w * v[n] for w, v in zip(weights, values.tolist(), strict=True)) for n in range(values.shape[1])]
        rows.append([m / sum(weights) for m in mixed])
    return torch.tensor(rows, dtype=values.dtype)


def _scores(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.T * k.shape[1] ** -0.5


def _naive(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    weights = _scores(q, k).exp()
    return weights / weights.sum(1, keepdim=True) @ v


attention_read = Exercise(
    "attention_read",
    _attention_by_loop,
    {
        "four queries": Case(_draw_tokens(4, 6, 3, 5)),
        "one support token": Case(_draw_tokens(3, 1, 4, 2)),
        "long keys": Case(_draw_tokens(3, 5, 64, 2)),
        "large scores": Case(_draw_tokens(3, 5, 4, 2, size=20.0)),
        "passes the gradient on": Case(_draw_tokens(2, 4, 3, 3), gradient=True),
    },
    [
        Mistake(lambda q, k, v: (q @ k.T).softmax(1) @ v, "the scores are not divided by √D"),
        Mistake(lambda q, k, v: (q @ k.T / k.shape[1]).softmax(1) @ v, "you divided by D; divide by its square root"),
        Mistake(
            lambda q, k, v: (q @ k.T / len(k) ** 0.5).softmax(1) @ v,
            "you divided by the root of the number of tokens; D is the length of a key",
        ),
        Mistake(
            lambda q, k, v: _scores(q, k).softmax(0) @ v,
            "the softmax runs over the queries; the weights of one query must add up to 1",
        ),
        Mistake(lambda q, k, v: _scores(q, k) @ v, "the softmax is missing: this is linear attention"),
        Mistake(lambda q, k, v: _scores(q, k).sigmoid() @ v, "a sigmoid weighs each token alone; take a softmax"),
        Mistake(
            lambda q, k, v: (-_scores(q, k)).softmax(1) @ v,
            "the least alike token weighs most: a sign is turned round",
        ),
        Mistake(lambda q, k, v: v[_scores(q, k).argmax(1)], "only the most similar token is read; mix all of them"),
        Mistake(lambda q, k, v: v.mean(0).expand(len(q), -1), "all tokens weigh the same; the scores play no part"),
        Mistake(lambda q, k, v: _scores(q, k).softmax(1), "these are the weights; the values are missing"),
        Mistake(
            lambda q, k, v: (F.normalize(q) @ F.normalize(k).T).softmax(1) @ v,
            "these are cosines; plain inner products are asked for",
        ),
        Mistake(lambda q, k, v: _scores(q, k).log_softmax(1) @ v, "the weights are logarithms; take a softmax"),
        Mistake(
            lambda q, k, v: _scores(q, k).softmax(1) @ v / len(v), "you divided by the number of tokens once too often"
        ),
        Mistake(lambda q, k, v: (_scores(q, k).softmax(1) @ v).T, "the rows belong to the values; one row per query"),
        Mistake(lambda q, k, v: _scores(q, k).softmax(1) @ k, "you mixed the keys; the values are asked for"),
    ],
)

# At whom a token may look


def _draw_sizes(s: int, q: int) -> Any:
    def draw(generator: Generator) -> tuple[int, int]:
        more = torch.randint(0, 2, (2,), generator=generator).tolist()
        return s + more[0], q + more[1]

    return draw


def _mask_by_loop(n_support: int, n_query: int) -> Tensor:
    total = n_support + n_query
    looks = [[seen < n_support or seen == looker for seen in range(total)] for looker in range(total)]
    return torch.tensor(looks)


def _blocks(s: int, q: int, a: Any, b: Any, c: Any, d: Any) -> Tensor:
    """Support at support, support at queries, queries at support, queries at queries."""
    parts = zip((a, b, c, d), ((s, s), (s, q), (q, s), (q, q)), strict=True)
    filled = [part if isinstance(part, Tensor) else torch.full(shape, bool(part)) for part, shape in parts]
    return torch.cat([torch.cat(filled[:2], 1), torch.cat(filled[2:], 1)])


def _eye(n: int) -> Tensor:
    return torch.eye(n, dtype=torch.bool)


def _tri(n: int) -> Tensor:
    return torch.ones(n, n, dtype=torch.bool).tril()


looking_mask = Exercise(
    "looking_mask",
    _mask_by_loop,
    {
        "five and three": Case(_draw_sizes(5, 3)),
        "more queries than support": Case(_draw_sizes(3, 7)),
        "one query": Case(lambda generator: (4, 1)),
        "one support token": Case(lambda generator: (1, 4)),
    },
    [
        Mistake(lambda s, q: torch.ones(s + q, s + q, dtype=torch.bool), "everybody looks at everybody here"),
        Mistake(lambda s, q: _blocks(s, q, 1, 0, 1, 1), "queries look at other queries"),
        Mistake(lambda s, q: _blocks(s, q, 1, 0, 1, 0), "a query must look at itself too"),
        Mistake(lambda s, q: _blocks(s, q, 1, 1, 1, _eye(q)), "support tokens look at queries"),
        Mistake(lambda s, q: _blocks(s, q, 1, 1, 0, _eye(q)), "this is transposed: rows look, columns are looked at"),
        Mistake(lambda s, q: ~_mask_by_loop(s, q), "True must mean: may look; this is turned round"),
        Mistake(
            lambda s, q: _tri(s + q), "this is the mask of a text, where each token looks back; support has no order"
        ),
        Mistake(
            lambda s, q: _blocks(s, q, _tri(s), 0, 1, _eye(q)),
            "support tokens look at earlier ones only; let them look at all",
        ),
        Mistake(
            lambda s, q: _blocks(s, q, 1, 0, 1, _tri(q)), "queries look at earlier queries; each must be asked alone"
        ),
        Mistake(lambda s, q: _blocks(s, q, _eye(s), 0, 1, _eye(q)), "support tokens must look at each other as well"),
        Mistake(lambda s, q: _blocks(s, q, ~_eye(s), 0, 1, _eye(q)), "a support token must look at itself too"),
        Mistake(lambda s, q: _blocks(s, q, 1, 0, 0, _eye(q)), "queries do not look at the support"),
        Mistake(lambda s, q: _mask_by_loop(s, q)[s:], "these are the rows of the queries; the support looks as well"),
        Mistake(lambda s, q: _mask_by_loop(q, s), "the numbers of support tokens and queries have changed places"),
    ],
)
