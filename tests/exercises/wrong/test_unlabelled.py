"""Exercises of chapter 12: wrong answers that people write, and what they are told."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.nn import functional as F


def _unit(x):
    return x / x.norm(dim=1, keepdim=True)


def _partner(m):
    return torch.arange(2 * m).roll(m)


def _logits(a, b, t, unit=_unit):
    z = unit(torch.cat([a, b]))
    return (z @ z.T / t).fill_diagonal_(-math.inf)


def _all_cosines(a, b, t):
    z = _unit(torch.cat([a, b]))
    return z @ z.T / t


def _of_distances(change, own):
    def version(a, b, t):
        z = _unit(torch.cat([a, b]))
        return (-change(torch.cdist(z, z)) / t).fill_diagonal_(own)

    return version


def _both_ways(a, b, t):
    scores = _unit(a) @ _unit(b).T / t
    return torch.cat([scores, scores.T])


def _over_the_others(logits, labels):
    right = logits.gather(1, labels[:, None])[:, 0]
    return -(right.exp() / (logits.exp().sum(dim=1) - right.exp())).log().mean()


def _loss(logits=_logits, labels=_partner, loss=F.cross_entropy):
    return lambda a, b, t: loss(logits(a, b, t), labels(len(a)))


def _cosines_of_pairs(z):
    return (z @ z.T)[*torch.triu_indices(len(z), len(z), offset=1)]


def _even(distance=torch.pdist, unit=_unit, exponent=lambda d: -2 * d**2, mean=torch.mean):
    return lambda x: mean(exponent(distance(unit(x))).exp()).log()


def _each(x, q):
    return x.repeat_interleave(q, dim=0)


def _queries(copies=_each, labels=_each):
    return lambda x, q: (copies(x, q), labels(torch.arange(len(x)), q))


def _chance(above=lambda c, k, i: (c - i) * k, below=lambda c, k, i: c * k - i, start=0, more=0):
    return lambda c, k, n: math.prod(above(c, k, i) / below(c, k, i) for i in range(start, n + more))


WRONG = {
    "partners": [
        ("itself as partner", lambda m: torch.tensor(list(range(2 * m)))),
        ("stand side by side", lambda m: torch.tensor([i + 1 if i % 2 == 0 else i - 1 for i in range(2 * m)])),
        ("right-hand neighbour", lambda m: torch.arange(2 * m).roll(-1)),
        ("points beyond", lambda m: torch.tensor([i + m for i in range(2 * m)])),
        ("2M numbers are asked for", lambda m: torch.arange(m, 2 * m)),
        ("the second half has itself", lambda m: torch.cat([torch.arange(m, 2 * m)] * 2)),
        ("the first half has itself", lambda m: (torch.arange(2 * m) + m) % m),
        ("numbers from 0", lambda m: torch.tensor([i - m for i in range(2 * m)])),
        ("a sign was dropped", lambda m: torch.tensor([abs(i - m) for i in range(2 * m)])),
        ("past the end", lambda m: torch.tensor([min(i + m, 2 * m - 1) for i in range(2 * m)])),
        ("begins again after 2M", lambda m: torch.tensor([(i + m) % (2 * m - 1) for i in range(2 * m)])),
        ("a power of two", lambda m: torch.arange(2 * m).bitwise_xor(torch.tensor(m))),
        ("in reverse order", lambda m: torch.arange(2 * m - 1, -1, -1)),
        ("too large by 1, all alike", lambda m: 1 + _partner(m)),
        ("wanted are whole numbers", lambda m: _partner(m).float()),
        ("it returned a list", lambda m: _partner(m).tolist()),
        ("its shape is", lambda m: F.one_hot(_partner(m))),
    ],
    "contrastive_loss": [
        ("may pick itself", _loss(_all_cosines)),
        ("not divided by their lengths", _loss(lambda a, b, t: _logits(a, b, t, unit=lambda x: x))),
        ("you multiplied by the temperature", _loss(lambda a, b, t: _logits(a, b, 1) * t)),
        ("the two halves were added", _loss(loss=lambda z, y: F.cross_entropy(z, y, reduction="sum") / (len(z) / 2))),
        ("the partner is missing", _loss(loss=_over_the_others)),
        ("in each direction", _loss(_both_ways, lambda m: torch.arange(m).repeat(2))),
        ("the second ones ask as well", _loss(lambda *x: _logits(*x)[: len(x[0])], lambda m: _partner(m)[:m])),
        ("exp(0) is 1", _loss(lambda *x: _logits(*x).fill_diagonal_(0))),
        ("you took a second one", _loss(lambda *x: _logits(*x).softmax(dim=1))),
        ("the logarithm of the probability", _loss(loss=lambda z, y: -z.softmax(1)[range(len(y)), y].mean())),
        ("counts twice", _loss(lambda a, b, t: _logits(a, b, t) / t)),
        ("twice their cosine", _loss(_of_distances(torch.square, -math.inf))),
        ("divided columns", _loss(lambda *x: _logits(*x, unit=lambda z: z / z.norm(dim=0)))),
        ("not finite", _loss(labels=lambda m: torch.arange(2 * m))),
        ("no gradient flows back to floating-point argument 2", lambda a, b, t: _loss()(a, b.detach(), t)),
        ("no gradient flows back through", lambda a, b, t: _loss()(a, b, t).item()),
        ("its shape is", _loss(loss=lambda *x: F.cross_entropy(*x, reduction="none"))),
        ("the neighbour of the partner", _loss(labels=lambda m: _partner(m).roll(1))),
        ("", _loss(labels=lambda m: torch.arange(2 * m) ^ 1)),
        ("", _loss(_of_distances(lambda d: d, -1e9))),
    ],
    "evenness": [
        ("paired with itself", _even(lambda z: torch.cdist(z, z))),
        ("lengths were not divided out", _even(unit=lambda x: x)),
        ("the square of the distance", _even(exponent=lambda d: -2 * d)),
        ("exp and log are missing", lambda x: -2 * (torch.pdist(_unit(x)) ** 2).mean()),
        ("one length was divided", _even(unit=lambda x: x / x.square().sum().sqrt())),
        ("outside the square", _even(exponent=lambda d: -((2 * d) ** 2))),
        ("a 2 is missing", _even(_cosines_of_pairs, exponent=lambda c: 4 * c)),
        ("this takes the cosine", _even(_cosines_of_pairs, exponent=lambda c: -2 * c)),
        ("M² is not their number", lambda x: _even(mean=lambda e: 2 * e.sum() / len(x) ** 2)(x)),
        ("divided out once", _even(mean=lambda e: 2 * e.mean())),
        ("number of vectors", lambda x: _even(mean=lambda e: e.sum() / len(x))(x)),
        ("base 10", lambda x: _even()(x) / math.log(10)),
        ("only neighbours", _even(lambda z: (z[1:] - z[:-1]).norm(dim=1))),
        ("sum over all pairs", lambda x: (-2 * torch.pdist(_unit(x)) ** 2).logsumexp(0)),
        ("divided each column", _even(unit=lambda x: x / x.norm(dim=0))),
        ("its shape is", _even(lambda z: torch.cdist(z, z), mean=lambda e: e.mean(dim=1))),
        ("it returned a list", lambda x: [_even()(x).item()]),
        ("", _even(lambda z: torch.pdist(z, p=1))),
    ],
    "made_up_queries": [
        ("the labels do not", _queries(labels=lambda n, q: n.repeat(q))),
        ("the copies do not", _queries(lambda x, q: torch.cat(q * [x]))),
        ("not class by class", _queries(lambda x, q: x.repeat(q, 1, 1, 1), lambda n, q: n.repeat(q))),
        ("a class of its own", _queries(labels=lambda n, q: torch.arange(len(n) * q))),
        ("whatever n_query says", _queries(lambda x, q: x.clone(), lambda n, q: n)),
        ("each copy needs its own", _queries(labels=lambda n, q: n)),
        ("in reverse order", _queries(labels=lambda n, q: _each(n.flip(0), q))),
        ("one copy too few", lambda x, q: _queries()(x, q - 1)),
        ("the support itself", _queries(*[lambda x, q: torch.cat([x, _each(x, q)])] * 2)),
        ("in the channels", _queries(lambda x, q: x.repeat_interleave(q, dim=1))),
        ("their labels second", lambda x, q: _queries()(x, q)[::-1]),
        ("to be mirrored", _queries(lambda x, q: _each(x.flip(-1), q))),
        ("join it with the first", _queries(*[lambda x, q: torch.stack(q * [x], dim=1)] * 2)),
        ("no row", _queries(labels=lambda n, q: _each(torch.eye(len(n)).long(), q))),
        ("wanted are whole numbers", _queries(labels=lambda n, q: _each(n.float(), q))),
        ("part 2: it returned a list", _queries(labels=lambda n, q: [i for i in range(len(n)) for _ in range(q)])),
        ("wanted are 2 things", lambda x, q: _queries()(x, q)[0]),
        ("times what they must be", _queries(lambda x, q: _each(x, q) / 255)),
        ("RuntimeError", _queries(lambda x, q: x.repeat(q))),
        ("", _queries(lambda x, q: _each(x + 0.1 * torch.randn_like(x), q))),
    ],
    "no_twins": [
        ("with replacement", _chance(below=lambda c, k, i: c * k)),
        ("that two are alike", lambda c, k, n: 1 - _chance()(c, k, n)),
        ("not k + 1", _chance(lambda c, k, i: c * k - i * (k + 1))),
        ("the one drawn among them", _chance(lambda c, k, i: c * k - i * (k - 1))),
        ("which of its images", lambda c, k, n: math.comb(c, n) / math.comb(c * k, n)),
        ("which of its images", lambda c, k, n: math.perm(c, n) / math.perm(c * k, n)),
        ("in one of the two numbers", lambda c, k, n: math.comb(c, n) * k**n / (c * k) ** n),
        ("an approximation", lambda c, k, n: math.exp(-math.comb(n, 2) / c)),
        ("an approximation", lambda c, k, n: math.exp(-math.comb(n, 2) * (k - 1) / (c * k - 1))),
        ("have changed places", lambda c, k, n: _chance()(k, c, n)),
        ("the last image alone", lambda c, k, n: _chance(start=n - 1)(c, k, n)),
        ("with one other only", lambda c, k, n: ((c - 1) * k / (c * k - 1)) ** (n - 1)),
        ("counted twice", lambda c, k, n: 1 - math.comb(n, 2) * (k - 1) / (c * k - 1)),
        ("one image too many", _chance(more=1)),
        ("100 times", lambda c, k, n: 100 * _chance()(c, k, n)),
        ("the logarithm of what", lambda c, k, n: math.log(_chance()(c, k, n))),
        ("yours is 0", _chance(lambda c, k, i: (c - i) * k // (c * k - i), lambda c, k, i: 1, start=1)),
        ("", _chance(lambda c, k, i: c * k)),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
