"""Exercises of chapter 7: wrong answers that people write, and what they are told."""

from __future__ import annotations

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.nn import functional as F


def _per_class(of):
    return lambda x, y, n: torch.stack([of(x[y == c]) for c in range(n)])


def _pairs(join=lambda c, q: torch.cat([c, q])):
    return lambda classes, queries: torch.stack([join(c, q) for q in queries for c in classes])


def _errors(loss, of=torch.mean, right=lambda r, y: F.one_hot(y, r.shape[1]).to(r)):
    return lambda r, y: of(loss(r, right(r, y)))


def _cost(kernel=9, stacked=2, first=lambda s: s, second=lambda s: s // 2, ways=lambda n: n, square=2):
    return lambda c, s, n: ways(n) * kernel * c**square * (stacked * first(s) ** 2 + second(s) ** 2)


def _slope(of):
    return lambda z, t: of(z.sigmoid(), t, z)


def _answer(sure, best=lambda r: r.argmax(1), none=-1):
    return lambda r, t: torch.where(sure(r, t), best(r), none)


def _reached(r, t):
    return r.amax(1) >= t


WRONG = {
    "class_sums": [
        ("these are means", _per_class(lambda rows: rows.mean(0))),
        ("the largest values", _per_class(lambda rows: rows.amax(0))),
        ("sorted by class", lambda x, y, n: x.view(n, -1, 3, 2, 2).sum(1)),
        ("were flattened", _per_class(lambda rows: rows.sum(0).flatten())),
        ("overwrites where you want to add", lambda x, y, n: x.new_zeros(n, 3, 2, 2).index_put((y,), x)),
        ("one image of each class", _per_class(lambda rows: rows[0])),
        ("its shape is [3, 2, 2]", lambda x, y, n: x.sum(0)),
        ("its shape is [3, 3]", _per_class(lambda rows: rows.sum(0).mean((1, 2)))),
        ("over the classes", lambda x, y, n: x.view(-1, n, 3, 2, 2).sum(0)),
        ("divided by the number of all images", lambda x, y, n: _per_class(lambda rows: rows.sum(0))(x, y, n) / len(x)),
        ("multiplied", _per_class(lambda rows: rows.prod(0))),
        ("it returned a list", lambda x, y, n: [x[y == c].sum(0) for c in range(n)]),
        ("no gradient flows back", lambda x, y, n: _per_class(lambda rows: rows.sum(0))(x.detach(), y, n)),
    ],
    "stacked_pairs": [
        ("before the class", _pairs(lambda c, q: torch.cat([q, c]))),
        ("all queries of one class first", lambda c, q: torch.stack([torch.cat([a, b]) for a in c for b in q])),
        ("some pairs occur twice", lambda c, q: torch.cat([c.repeat(len(q), 1, 1, 1), q.repeat(len(c), 1, 1, 1)], 1)),
        ("like two photographs", _pairs(lambda c, q: torch.cat([c, q], dim=2))),
        ("one above the other", _pairs(lambda c, q: torch.cat([c, q], dim=1))),
        ("these are differences", _pairs(lambda c, q: c - q)),
        ("absolute differences", _pairs(lambda c, q: (c - q).abs())),
        ("these are sums", _pairs(lambda c, q: c + q)),
        ("these are products", _pairs(lambda c, q: c * q)),
        ("its shape is [5, 3, 6, 2, 4]", lambda c, q: _pairs()(c, q).unflatten(0, (len(q), len(c)))),
        ("its shape is", lambda c, q: torch.cat([c, q])),
        ("channels are interleaved", _pairs(lambda c, q: torch.stack([c, q], dim=1).flatten(0, 1))),
        ("the class alone", _pairs(lambda c, q: torch.cat([c, c]))),
        ("its shape is", _pairs(lambda c, q: torch.stack([c, q]))),
    ],
    "relation_loss": [
        ("sums over classes", _errors(lambda r, t: (r - t).square().sum(1))),
        ("sum over all pairs", _errors(lambda r, t: (r - t).square(), torch.sum)),
        ("only the right class", lambda r, y: (1 - r.gather(1, y[:, None])).square().mean()),
        ("a second time", _errors(lambda r, t: (r.sigmoid() - t).square())),
        ("are swapped", _errors(lambda r, t: (r - 1 + t).square())),
        ("cross-entropy", F.cross_entropy),
        ("numbers of the classes", lambda r, y: (r - y[:, None]).square().mean()),
        ("absolute errors", _errors(lambda r, t: (r - t).abs())),
        ("binary cross-entropy", lambda r, y: F.binary_cross_entropy(r, F.one_hot(y, 5).to(r))),
        ("a softmax", _errors(lambda r, t: (r.softmax(1) - t).square())),
        ("square root of what it must be", lambda r, y: F.mse_loss(r, F.one_hot(y, 5).to(r)).sqrt()),
        ("half of what it must be", _errors(lambda r, t: (r - t).square() / 2)),
        ("only the wrong classes", _errors(lambda r, t: (r * (1 - t)).square())),
        ("−1 and 1", _errors(lambda r, t: (r - 2 * t + 1).square())),
        ("its shape is", _errors(lambda r, t: (r - t).square().mean(1), lambda x: x)),
    ],
    "relation_cost": [
        ("the maps are smaller", _cost(second=lambda s: s)),
        ("two stacks of maps", _cost(stacked=1)),
        ("convolves first", _cost(first=lambda s: s // 2, second=lambda s: s // 4)),
        ("maps keep their size", _cost(first=lambda s: s - 2, second=lambda s: (s - 2) // 2)),
        ("a query meets every class", _cost(ways=lambda n: 1)),
        ("these are the weights", lambda c, s, n: n * 9 * 3 * c * c),
        ("one 9th of it", _cost(kernel=1)),
        ("looks at every channel", _cost(square=1)),
        ("rounds down", lambda c, s, n: int(n * 9 * c * c * (2 * s * s + s * s / 4))),
        ("you rounded up", _cost(second=lambda s: -(-s // 2))),
        ("the second block", _cost(second=lambda s: 0)),
        ("the second block alone", lambda c, s, n: n * 9 * c * c * (s // 2) ** 2),
        ("2 times it", lambda c, s, n: 2 * _cost()(c, s, n)),
        ("as well", lambda c, s, n: n * 9 * c * c * 2 * (s * s + (s // 2) ** 2)),
    ],
    "squared_error_slope": [
        ("with respect to the score", _slope(lambda p, t, z: 2 * (p - t))),
        ("binary cross-entropy", _slope(lambda p, t, z: p - t)),
        ("the derivative of a square", _slope(lambda p, t, z: (p - t) * p * (1 - p))),
        ("yours points downhill", _slope(lambda p, t, z: 2 * (t - p) * p * (1 - p))),
        ("are swapped", _slope(lambda p, t, z: 2 * (p - 1 + t) * p * (1 - p))),
        ("nothing is averaged", _slope(lambda p, t, z: 2 * (p - t) * p * (1 - p) / len(z))),
        ("vanish at both ends", _slope(lambda p, t, z: 2 * (p - t) * p)),
        ("vanish at both ends", _slope(lambda p, t, z: 2 * (p - t) * (1 - p))),
        ("of the sigmoid alone", _slope(lambda p, t, z: p * (1 - p))),
        ("this is the loss", _slope(lambda p, t, z: (p - t) ** 2)),
        ("the logit itself", _slope(lambda p, t, z: 2 * (z - t))),
        ("taken at the score", _slope(lambda p, t, z: 2 * (p - t) * p.sigmoid() * (1 - p.sigmoid()))),
        ("its shape is [], wanted is [6]", _slope(lambda p, t, z: (2 * (p - t) * p * (1 - p)).sum())),
    ],
    "answer_or_none": [
        ("got a class all the same", lambda r, t: r.argmax(1)),
        ("kept the unsure", _answer(lambda r, t: r.amax(1) < t)),
        ("kept the unsure", _answer(lambda r, t: r.amax(1) <= t)),
        ("asked all classes", _answer(lambda r, t: (r >= t).all(1))),
        ("looks like one of class 0", _answer(_reached, none=0)),
        ("got the number N", lambda r, t: _answer(_reached, none=r.shape[1])(r, t)),
        ("the mean score", _answer(lambda r, t: r.mean(1) >= t)),
        ("first class above the threshold", lambda r, t: torch.where(_reached(r, t), (r >= t).long().argmax(1), -1)),
        ("compare with >=", _answer(lambda r, t: r.amax(1) > t)),
        ("add up to one", _answer(lambda r, t: r.softmax(1).amax(1) >= t)),
        ("the sum of the scores", _answer(lambda r, t: r.sum(1) >= t)),
        ("the lowest score", _answer(_reached, lambda r: r.argmin(1))),
        ("the lead over the second", _answer(lambda r, t: r.topk(2).values.diff(dim=1)[:, 0].neg() >= t)),
        ("wanted are whole numbers", lambda r, t: _answer(_reached)(r, t).float()),
        ("wanted are whole numbers", lambda r, t: r.amax(1) >= t),
        ("counted from 1", lambda r, t: torch.where(_reached(r, t), r.argmax(1) + 1, -1)),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
