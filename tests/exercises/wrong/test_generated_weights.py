"""Exercises of chapter 16: wrong answers that people write, and what they are told."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.nn import functional as F


def _head(weights=lambda c: 2 * c, bias=lambda c: -(c * c).sum(1)):
    return lambda c: torch.column_stack([weights(c), bias(c)])


EDGE = math.exp(-7)


def _two(edge=EDGE, size=lambda v: v.abs(), log=lambda v: v.abs().log() / 7, first=-1.0, sign=torch.sign):
    def version(v):
        large = size(v) >= edge
        safe = torch.where(large, v, 1.0)
        pair = torch.where(large, log(safe), first), torch.where(large, sign(v), v / edge)
        return torch.stack(pair, dim=-1)

    return version


def _small(v):
    return torch.stack([-torch.ones_like(v), v], dim=-1)


def _messages(error=lambda z, o: z.softmax(1) - o, hidden=lambda h: h, after=lambda m: m):
    def version(h, z, y):
        one_hot = F.one_hot(y, z.shape[1]).to(z)
        return after(torch.einsum("sn,sh->snh", error(z, one_hot), hidden(h)))

    return version


def _read(shares, after=lambda w: w):
    return lambda k, x, m: after(torch.einsum("qs,sab->qab", shares(k, x), m))


def _cosines(k, x):
    return F.cosine_similarity(x[:, None], k[None], dim=2)


def _plain_cosines(k, x):
    return (x @ k.T) / (x.norm(dim=1)[:, None] * k.norm(dim=1))


WRONG = {
    "written_head": [
        ("the point itself", _head(lambda c: c, lambda c: 0 * c[:, 0])),
        ("the last number is missing", _head(bias=lambda c: 0 * c[:, 0])),
        ("the wrong sign", _head(bias=lambda c: (c * c).sum(1))),
        ("the farthest class would win", lambda c: -_head()(c)),
        ("softer probabilities", lambda c: _head()(c) / 2),
        ("twice the mean", _head(lambda c: c)),
        ("a length", _head(bias=lambda c: -c.norm(dim=1))),
        ("twice what it should be", _head(bias=lambda c: -2 * (c * c).sum(1))),
        ("half of what it should be", _head(bias=lambda c: -(c * c).sum(1) / 2)),
        ("mean over the features", _head(bias=lambda c: -(c * c).mean(1))),
        ("stands first", lambda c: _head()(c).roll(1, 1)),
        ("a row per class", lambda c: _head()(c).T),
        ("no room for the last number", lambda c: c + c),
        ("by their lengths", lambda c: _head()(F.normalize(c, dim=1))),
        ("gradient", lambda c: _head()(c).detach()),
    ],
    "two_numbers": [
        ("not divided by 7", _two(log=lambda v: v.abs().log())),
        ("not divided by 7, and -1 has grown", lambda v: _two()(v) * torch.tensor([7, 1])),
        ("base 10", lambda v: _two()(v) / torch.tensor([math.log(10), 1.0]).to(v)),
        ("the sign is lost", lambda v: _two()(v.abs())),
        ("multiply it by e to the 7", lambda v: torch.where(v[..., None].abs() < EDGE, _small(v), _two()(v))),
        ("lose their size", lambda v: torch.stack([_two()(v)[..., 0], v.sign()], -1)),
        ("not finite", lambda v: torch.stack([v.abs().log() / 7, v.sign()], -1)),
        ("large gradients only", lambda v: torch.stack([v.abs().clamp_min(1e-30).log() / 7, v.sign()], -1)),
        ("is -1, not 0", _two(first=0.0)),
        ("is -1, not 1", _two(first=1.0)),
        ("here it is 7", _two(edge=math.exp(-10), log=lambda v: v.abs().log() / 10)),
        ("every negative gradient counts as small", _two(size=lambda v: v)),
        ("have changed places", lambda v: _two()(v).flip(-1)),
        ("the last dimension", lambda v: torch.stack(_two()(v).unbind(-1))),
        ("the first of the two", lambda v: _two()(v)[..., 0]),
    ],
    "loss_messages": [
        ("divided by the number of examples", _messages(after=lambda m: m / len(m))),
        ("one gradient for all", _messages(after=lambda m: m.mean(0))),
        ("the sum of all messages", _messages(after=lambda m: m.sum(0))),
        ("the way down", _messages(after=torch.neg)),
        ("own belief is not", _messages(lambda z, o: -o)),
        ("says nothing new", _messages(lambda z, o: z.softmax(1))),
        ("where probabilities belong", _messages(lambda z, o: z - o)),
        ("a sigmoid", _messages(lambda z, o: z.sigmoid() - o)),
        ("over the examples", _messages(lambda z, o: z.softmax(0) - o)),
        ("logarithms", _messages(lambda z, o: z.log_softmax(1) - o)),
        ("factor 2", _messages(lambda z, o: 2 * (z.softmax(1) - o))),
        ("whether a unit is active", _messages(hidden=lambda h: (h > 0).to(h))),
        ("changed places", _messages(after=lambda m: m.mT)),
        ("the error alone", lambda h, z, y: z.softmax(1) - F.one_hot(y, z.shape[1])),
        ("not finite", _messages(lambda z, o: (2 * z).exp() / (2 * z).exp().sum(1, keepdim=True) - o)),
    ],
    "read_weights": [
        ("a long key wins", _read(lambda k, x: (x @ k.T).softmax(1))),
        ("the keys still have their lengths", _read(lambda k, x: ((x / x.norm(dim=1, keepdim=True)) @ k.T).softmax(1))),
        ("the queries still have their lengths", _read(lambda k, x: (x @ F.normalize(k, dim=1).T).softmax(1))),
        ("over the queries", _read(lambda k, x: _cosines(k, x).softmax(0))),
        ("the softmax is missing", _read(_cosines)),
        ("logarithms of shares", _read(lambda k, x: _cosines(k, x).log_softmax(1))),
        ("the least similar", _read(lambda k, x: (-_cosines(k, x)).softmax(1))),
        ("squared distances", _read(lambda k, x: (-(x[:, None] - k).square().sum(2)).softmax(1))),
        ("the query plays no part", lambda k, x, m: m.mean(0).expand(len(x), *m.shape[1:])),
        ("as a whole", lambda k, x, m: m[_cosines(k, x).argmax(1)]),
        ("there is a scale", _read(lambda k, x: (10 * _cosines(k, x)).softmax(1))),
        ("changed places", _read(lambda k, x: _cosines(k, x).softmax(1), lambda w: w.mT)),
        ("one set of weights for all", _read(lambda k, x: _cosines(k, x).softmax(1), lambda w: w.mean(0))),
        ("these are the shares", lambda k, x, m: _cosines(k, x).softmax(1)),
        ("not finite", _read(lambda k, x: _plain_cosines(k, x).softmax(1))),
        ("gradient", _read(lambda k, x: _cosines(k, x).softmax(1), lambda w: w.detach())),
    ],
    "disagreeing_units": [
        ("where a branch gives 0", lambda s, f: s * f <= 0),
        ("only + and - disagree", lambda s, f: torch.sign(s) != torch.sign(f)),
        ("both ways agree", lambda s, f: s.relu() + f.relu() == (s + f).relu()),
        ("two negative branches", lambda s, f: s + f < 0),
        ("two negative branches give 0", lambda s, f: (s < 0) & (f < 0)),
        ("two positive branches", lambda s, f: (s > 0) & (f > 0)),
        ("also the other way", lambda s, f: (s > 0) & (f < 0)),
        ("the slow branch may silence", lambda s, f: (s < 0) & (f > 0)),
        ("fast branch alone", lambda s, f: f < 0),
        ("slow branch alone", lambda s, f: s < 0),
        ("makes it smaller", lambda s, f: (s * f < 0) & (f.abs() > s.abs())),
        ("let small differences pass", lambda s, f: (s.relu() + f.relu() - (s + f).relu()) > 0.1),
        ("by how much they differ", lambda s, f: s.relu() + f.relu() - (s + f).relu()),
        ("the share of such units", lambda s, f: (s * f < 0).float().mean()),
        ("its numbers are", lambda s, f: (s * f < 0).float()),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
