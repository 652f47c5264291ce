"""Checks of chapter 15's exercises: reading a memory by content, and writing where it was used least."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Reading


def _draw_memory(r: int, m: int, sharpness: float, *, empty: bool = False) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, float]:
        rows = torch.randn(m, 4, generator=generator) * (0.5 + 2 * torch.rand(m, 1, generator=generator))
        if empty:
            rows[::2] = 0
        return torch.randn(r, 4, generator=generator), rows, sharpness

    return draw


def _read_by_loop(keys: Tensor, rows: Tensor, sharpness: float) -> Tensor:
    read = []
    for key in keys.tolist():
        logits = [sharpness * _cosine(key, row) for row in rows.tolist()]
        weights = [math.exp(one - max(logits)) for one in logits]
        shares = [weight / sum(weights) for weight in weights]
        columns = zip(*rows.tolist(), strict=True)
        read.append([sum(s * x for s, x in zip(shares, column, strict=True)) for column in columns])
    return torch.tensor(read, dtype=keys.dtype)


def _cosine(a: list[float], b: list[float]) -> float:
    lengths = math.hypot(*a) * math.hypot(*b)
    return sum(x * y for x, y in zip(a, b, strict=True)) / lengths if lengths else 0.0


def _cos(k: Tensor, m: Tensor) -> Tensor:
    return F.normalize(k, dim=1) @ F.normalize(m, dim=1).T


read_memory = Exercise(
    "read_memory",
    _read_by_loop,
    {
        "one head": Case(_draw_memory(1, 5, 1.0)),
        "three heads, sharper": Case(_draw_memory(3, 8, 6.0)),
        "empty rows": Case(_draw_memory(2, 6, 3.0, empty=True)),
        "very sharp": Case(_draw_memory(2, 5, 300.0)),
        "passes the gradient on": Case(_draw_memory(2, 4, 2.0), gradient=True),
    },
    [
        Mistake(lambda k, m, s: (s * _cos(k, m)).softmax(1), "these are the weights; what they read is asked for"),
        Mistake(lambda k, m, s: s * _cos(k, m), "these are logits; softmax and reading are missing"),
        Mistake(lambda k, m, s: _cos(k, m).softmax(1) @ m, "the sharpness is missing"),
        Mistake(lambda k, m, s: (_cos(k, m) / s).softmax(1) @ m, "you divided by the sharpness; multiply by it"),
        Mistake(lambda k, m, s: s * _cos(k, m).softmax(1) @ m, "the sharpness belongs inside the softmax"),
        Mistake(lambda k, m, s: (s * k @ m.T).softmax(1) @ m, "these are inner products; a cosine has no lengths"),
        Mistake(
            lambda k, m, s: (s * k @ F.normalize(m, dim=1).T).softmax(1) @ m,
            "the length of the key still counts; a cosine has no lengths",
        ),
        Mistake(
            lambda k, m, s: (s * F.normalize(k, dim=1) @ m.T).softmax(1) @ m,
            "the length of the rows still counts; a cosine has no lengths",
        ),
        Mistake(lambda k, m, s: (s * _cos(k, m)).softmax(0) @ m, "the softmax runs over the heads; the rows compete"),
        Mistake(
            lambda k, m, s: (s * _cos(k, m)).softmax(1) @ F.normalize(m, dim=1),
            "you read rows of length 1; read them as they are",
        ),
        Mistake(lambda k, m, s: m[_cos(k, m).argmax(1)], "this is the best row alone; a softmax shares out"),
        Mistake(lambda k, m, s: s * _cos(k, m) @ m, "the softmax is missing"),
        Mistake(lambda k, m, s: (-s * torch.cdist(k, m)).softmax(1) @ m, "these are distances; cosines are asked for"),
        Mistake(lambda k, m, s: ((s * _cos(k, m)).softmax(1) @ m).sum(0), "the heads are added up; one row per head"),
    ],
)

# Writing


def _draw_step(m: int, gate: float | None, *, met: bool = False) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, ...]:
        usage = 0.2 + torch.rand(m, generator=generator)
        last = torch.rand(m, generator=generator).softmax(0)
        place = int(torch.randint(m, (1,), generator=generator))
        usage[place] = 0.1
        if met:
            last = F.one_hot(torch.tensor(place), m).float()
        drawn = torch.randn((), generator=generator) if gate is None else torch.tensor(gate)
        return torch.randn(m, 3, generator=generator), usage, last, torch.randn(3, generator=generator), drawn

    return draw


def _write_by_loop(rows: Tensor, usage: Tensor, last: Tensor, key: Tensor, gate: Tensor) -> Tensor:
    share = 1 / (1 + math.exp(-float(gate)))
    used = usage.tolist()
    written = []
    for i, (row, weight) in enumerate(zip(rows.tolist(), last.tolist(), strict=True)):
        emptied = used[i] == min(used)
        amount = share * weight + (1 - share) * emptied
        written.append([(0.0 if emptied else x) + amount * k for x, k in zip(row, key.tolist(), strict=True)])
    return torch.tensor(written, dtype=rows.dtype)


def _least(u: Tensor) -> Tensor:
    return F.one_hot(u.argmin(), len(u)).to(u.dtype)


def _places(u: Tensor, w: Tensor, share: Tensor | float) -> Tensor:
    return share * w + (1 - share) * _least(u)


def _put(m: Tensor, u: Tensor, where: Tensor, k: Tensor) -> Tensor:
    return m * (1 - _least(u))[:, None] + where[:, None] * k


written_rows = Exercise(
    "written_rows",
    _write_by_loop,
    {
        "a gate half open": Case(_draw_step(6, None)),
        "a closed gate": Case(_draw_step(5, -30.0)),
        "an open gate": Case(_draw_step(5, 30.0)),
        "it read last where it is used least": Case(_draw_step(4, None, met=True)),
    },
    [
        Mistake(
            lambda m, u, w, k, g: m + _places(u, w, g.sigmoid())[:, None] * k,
            "the least used row still holds what it held; empty it first",
        ),
        Mistake(
            lambda m, u, w, k, g: (m + _places(u, w, g.sigmoid())[:, None] * k) * (1 - _least(u))[:, None],
            "the row was emptied after writing, and what was written is gone",
        ),
        Mistake(lambda m, u, w, k, g: _put(m, u, _places(u, w, g), k), "the gate needs its sigmoid"),
        Mistake(
            lambda m, u, w, k, g: _put(m, u, _places(u, w, 1 - g.sigmoid()), k),
            "the gate is turned round: open means where it read last",
        ),
        Mistake(
            lambda m, u, w, k, g: _put(m, -u, _places(-u, w, g.sigmoid()), k),
            "this is the row that was used most; the least used one is asked for",
        ),
        Mistake(
            lambda m, u, w, k, g: _places(u, w, g.sigmoid())[:, None] * k,
            "the other rows are lost; they keep what they held",
        ),
        Mistake(
            lambda m, u, w, k, g: _put(m, u, w + _least(u), k), "both places are written in full; the gate divides"
        ),
        Mistake(lambda m, u, w, k, g: _put(m, u, _least(u), k), "where it read last is not written at all"),
        Mistake(lambda m, u, w, k, g: _put(m, u, w, k), "the least used row is emptied and never written"),
        Mistake(
            lambda m, u, w, k, g: (
                m * (1 - _places(u, w, g.sigmoid()))[:, None] + _places(u, w, g.sigmoid())[:, None] * k
            ),
            "every row fades as it is written; only the least used row is emptied, and wholly",
        ),
        Mistake(
            lambda m, u, w, k, g: _put(m, u, _places(u, _hardest(w), g.sigmoid()), k),
            "you took the one row that was read most; the reading weights are shared out",
        ),
        Mistake(
            lambda m, u, w, k, g: _put(m, u, g.sigmoid() * w + (1 - g.sigmoid()) * (-u).softmax(0), k),
            "a softmax of the usage shares out; all goes to the single least used row",
        ),
        Mistake(
            lambda m, u, w, k, g: _places(u, w, g.sigmoid()), "these are the writing weights; the rows are asked for"
        ),
    ],
)


def _hardest(w: Tensor) -> Tensor:
    return F.one_hot(w.argmax(), len(w)).to(w.dtype)
