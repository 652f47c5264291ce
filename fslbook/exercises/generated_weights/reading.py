"""Checks of chapter 16's exercises: how a query reads the memory, and where both kinds of weights disagree."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor, einsum
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Reading the memory


def _draw_memory(s: int, q: int, shape: tuple[int, int], *, silent: bool = False, positive: bool = False) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        keys, asked = (torch.randn(m, 4, generator=generator) for m in (s, q))
        keys, asked = (x.relu() + 0.1 for x in (keys, asked)) if positive else (keys, asked)
        keys = keys * (0.3 + 3 * torch.rand(s, 1, generator=generator))  # of different lengths
        if silent:
            keys = torch.cat([torch.zeros_like(keys[:1]), keys[1:]])
        return keys, asked, torch.randn(s, *shape, generator=generator) + 0.5

    return draw


def _read_by_loop(keys: Tensor, asked: Tensor, memory: Tensor) -> Tensor:
    found = []
    for query in asked.tolist():
        cosines = []
        for key in keys.tolist():
            lengths = math.hypot(*key) * math.hypot(*query)
            cosines.append(sum(a * b for a, b in zip(key, query, strict=True)) / lengths if lengths else 0.0)
        e = [math.exp(c) for c in cosines]
        found.append(sum(w / sum(e) * entry.double() for w, entry in zip(e, memory, strict=True)))
    return torch.stack([torch.as_tensor(one) for one in found]).to(memory.dtype)


def _cosines(k: Tensor, x: Tensor) -> Tensor:
    return F.normalize(x, dim=1) @ F.normalize(k, dim=1).T


def _mixed(shares: Tensor, memory: Tensor) -> Tensor:
    return einsum("qs,sab->qab", shares, memory)


def _hard(k: Tensor, x: Tensor, m: Tensor) -> Tensor:
    return m[_cosines(k, x).argmax(1)]


read_weights = Exercise(
    "read_weights",
    _read_by_loop,
    {
        "five examples, three queries": Case(_draw_memory(5, 3, (2, 3))),
        "one query": Case(_draw_memory(4, 1, (3, 2))),
        "keys behind a ReLU": Case(_draw_memory(6, 4, (2, 2), positive=True)),
        "a key of zeros": Case(_draw_memory(4, 3, (3, 2), silent=True)),
        "passes the gradient on": Case(_draw_memory(4, 3, (2, 3)), gradient=True),
    },
    [
        Mistake(lambda k, x, m: _mixed((x @ k.T).softmax(1), m), "these are inner products: a long key wins; cosines"),
        Mistake(
            lambda k, x, m: _mixed((F.normalize(x, dim=1) @ k.T).softmax(1), m),
            "the keys still have their lengths; divide by both lengths",
        ),
        Mistake(
            lambda k, x, m: _mixed((x @ F.normalize(k, dim=1).T).softmax(1), m),
            "the queries still have their lengths; divide by both lengths",
        ),
        Mistake(
            lambda k, x, m: _mixed(_cosines(k, x).softmax(0), m),
            "the softmax runs over the queries; each query shares itself out among the examples",
        ),
        Mistake(lambda k, x, m: _mixed(_cosines(k, x), m), "these are cosines; the softmax is missing"),
        Mistake(
            lambda k, x, m: _mixed(_cosines(k, x).log_softmax(1), m), "these are logarithms of shares; take the softmax"
        ),
        Mistake(lambda k, x, m: _mixed((-_cosines(k, x)).softmax(1), m), "the least similar example gets most"),
        Mistake(
            lambda k, x, m: _mixed((-torch.cdist(x, k).square()).softmax(1), m),
            "these are squared distances; cosines are asked for",
        ),
        Mistake(
            lambda k, x, m: _mixed(torch.full_like(_cosines(k, x), 1 / len(k)), m),
            "every example weighs the same here; the query plays no part",
        ),
        Mistake(_hard, "this takes one memory entry as a whole; a mixture of all is asked for"),
        Mistake(
            lambda k, x, m: _mixed((10 * _cosines(k, x)).softmax(1), m),
            "there is a scale before the softmax; this method has none",
        ),
        Mistake(lambda k, x, m: _mixed(_cosines(k, x).softmax(1), m).mT, "the last two dimensions have changed places"),
        Mistake(
            lambda k, x, m: _mixed(_cosines(k, x).softmax(1), m).mean(0),
            "this is one set of weights for all queries; each has its own",
        ),
        Mistake(lambda k, x, m: _cosines(k, x).softmax(1), "these are the shares; they still have to meet the memory"),
    ],
)

# Where augmentation and addition disagree


def _draw_branches(*shape: int, zeros: bool = False, ratio: float = 1.0) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor]:
        slow, fast = (0.2 + torch.rand(2, *shape, generator=generator)).unbind(0)
        signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        order = torch.randint(4, shape, generator=generator)
        order.view(-1)[:4] = torch.arange(4)  # each pair of signs is there
        slow, fast = slow * signs[order, 0], ratio * fast * signs[order, 1]
        if zeros:
            slow.view(-1)[::3], fast.view(-1)[1::3], fast.view(-1)[::6] = 0.0, 0.0, 0.0
        return slow, fast

    return draw


def _disagree_by_loop(slow: Tensor, fast: Tensor) -> Tensor:
    pairs = zip(slow.flatten().tolist(), fast.flatten().tolist(), strict=True)
    return torch.tensor([min(a, b) < 0 < max(a, b) for a, b in pairs]).view(slow.shape)


disagreeing_units = Exercise(
    "disagreeing_units",
    _disagree_by_loop,
    {
        "one layer": Case(_draw_branches(24)),
        "queries and units": Case(_draw_branches(5, 8)),
        "a weak fast branch": Case(_draw_branches(4, 6, ratio=0.05)),
        "some branches give 0": Case(_draw_branches(5, 6, zeros=True)),
    },
    [
        Mistake(lambda s, f: s * f <= 0, "where a branch gives 0, both ways come to the same"),
        Mistake(lambda s, f: s.sign() != f.sign(), "a branch that gives 0 silences nobody; only + and - disagree"),
        Mistake(lambda s, f: ~((s < 0) != (f < 0)), "these are the units where both ways agree"),
        Mistake(lambda s, f: s * f >= 0, "these are the units where both ways agree"),
        Mistake(lambda s, f: s + f < 0, "a negative sum is not enough: two negative branches give 0 either way"),
        Mistake(lambda s, f: (s < 0) & (f < 0), "two negative branches give 0 either way"),
        Mistake(lambda s, f: (s > 0) & (f > 0), "two positive branches give their sum either way"),
        Mistake(lambda s, f: (s > 0) & (f < 0), "the fast branch may silence the slow one, but also the other way"),
        Mistake(lambda s, f: (s < 0) & (f > 0), "the slow branch may silence the fast one, but also the other way"),
        Mistake(lambda s, f: f < 0, "the sign of the fast branch alone does not decide"),
        Mistake(lambda s, f: s < 0, "the sign of the slow branch alone does not decide"),
        Mistake(
            lambda s, f: s.relu() + f.relu() - (s + f).relu() > 0.1,
            "you let small differences pass; a unit disagrees however little",
        ),
        Mistake(
            lambda s, f: (s * f < 0) & (f.abs() > s.abs()),
            "a weak negative branch does not silence the other, but it makes it smaller",
        ),
        Mistake(
            lambda s, f: s.relu() + f.relu() - (s + f).relu(),
            "this is by how much they differ; say True or False",
        ),
        Mistake(lambda s, f: (s * f < 0).to(s.dtype).mean(), "this is the share of such units; say which ones"),
    ],
)
