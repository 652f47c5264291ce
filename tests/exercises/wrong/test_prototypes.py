"""Exercises of chapter 5: wrong answers that people write, and what they are told."""

from __future__ import annotations

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.nn import functional as F


def _per_class(of):
    return lambda x, y, n: torch.stack([of(x[y == c]) for c in range(n)])


def _means(x, y, n):
    return _per_class(lambda rows: rows.mean(0))(x, y, n)


def _squares(a=1.0, b=-2.0, c=1.0):
    return lambda q, p: a * (q * q).sum(1, keepdim=True) + b * q @ p.T + c * (p * p).sum(1)


def _linear(weight=lambda c: 2 * c, bias=lambda c: -(c * c).sum(1)):
    return lambda c: (weight(c), bias(c))


def _ways(queries, prototypes, of):
    """Of each query: distance to the nearest and to each other prototype, and how far those lie apart."""
    d = torch.cdist(queries, prototypes)
    own = d.argmin(1)
    apart = torch.cdist(prototypes, prototypes)[own]
    d1 = d.gather(1, own[:, None])
    way = of(d1, d, apart).masked_fill(F.one_hot(own, len(prototypes)).bool(), torch.inf)
    return way.amin(1)


def _left_out(compare, means=_means, final=lambda right: right.double().mean().item()):
    def version(x, y, n):
        right = []
        for i in range(len(y)):
            keep = torch.arange(len(y)) != i
            right.append(compare(x[i], means(x[keep], y[keep], n)) == y[i])
        return final(torch.stack(right))

    return version


def _nearest(x, c):
    return (x - c).norm(dim=1).argmin()


WRONG = {
    "prototypes": [
        ("these are sums", _per_class(lambda rows: rows.sum(0))),
        ("these are medians", _per_class(lambda rows: rows.median(0).values)),
        ("sorted by class", lambda x, y, n: x.view(n, -1, 6).mean(1)),
        ("instead of over the shots", lambda x, y, n: x.view(-1, n, 6).mean(0)),
        ("you divided by", lambda x, y, n: _per_class(lambda rows: rows.sum(0))(x, y, n) * n / len(y)),
        ("its shape is [6], wanted is [3, 6]", lambda x, y, n: x.mean(0)),
        ("divided by the number of all images", lambda x, y, n: _per_class(lambda rows: rows.sum(0))(x, y, n) / len(y)),
        ("length 1", lambda x, y, n: F.normalize(_means(x, y, n))),
        ("length 1", lambda x, y, n: _means(F.normalize(x), y, n)),
        ("one image of each class", _per_class(lambda rows: rows[0])),
        ("largest values", _per_class(lambda rows: rows.amax(0))),
        ("it returned a list", lambda x, y, n: _means(x, y, n).tolist()),
        ("it returned a list", lambda x, y, n: [x[y == c].mean(0) for c in range(n)]),
        ("no gradient flows back", lambda x, y, n: _means(x.detach(), y, n)),
    ],
    "squared_distances": [
        ("has three terms", _squares(b=0)),
        ("counts twice", _squares(b=-1)),
        ("this is (a + b)²", _squares(b=2)),
        ("length of the query is missing", _squares(a=0)),
        ("length of the prototype is missing", _squares(c=0)),
        ("the square is missing", torch.cdist),
        ("never negative", lambda q, c: -(torch.cdist(q, c) ** 2)),
        ("absolute differences", lambda q, c: (q[:, None] - c).abs().sum(2)),
        ("mean over the features", lambda q, c: ((q[:, None] - c) ** 2).mean(2)),
        ("inner products", lambda q, c: q @ c.T),
        ("its shape is [3, 7], wanted is [7, 3]", lambda q, c: torch.cdist(c, q) ** 2),
        ("table of all differences", lambda q, c: ((q[:, None] - c) ** 2).sum(2)),
        ("its shape is [7, 3, 5]", lambda q, c: (q[:, None] - c) ** 2),
        ("half of what it must be", lambda q, c: torch.cdist(q, c) ** 2 / 2),
    ],
    "updated_prototype": [
        ("as much weight as all the old ones", lambda c, k, x: (c + x) / 2),
        ("one more now", lambda c, k, x: c + (x - c) / k),
        ("one more now", lambda c, k, x: (c * (k - 1) + x) / k),
        ("weigh it so", lambda c, k, x: (c + x) / (k + 1)),
        ("must shrink", lambda c, k, x: c + x / (k + 1)),
        ("took nothing of the old mean", lambda c, k, x: c + x / k),
        ("sum of all images", lambda c, k, x: c * k + x),
        ("you added the new image to a mean", lambda c, k, x: c + x),
        ("the wrong way", lambda c, k, x: c - (x - c) / (k + 1)),
        ("nothing has changed", lambda c, k, x: c.clone()),
        ("the new image alone", lambda c, k, x: x.clone()),
        ("took nothing of the old mean", lambda c, k, x: (c * k + x) / k),
        ("the new image counts", lambda c, k, x: (c + k * x) / (k + 1)),
        ("it changed its arguments", lambda c, k, x: c.mul_(k).add_(x).div_(k + 1)),
    ],
    "as_linear_layer": [
        ("the bias has the wrong sign", _linear(bias=lambda c: (c * c).sum(1))),
        ("half of what it must be", _linear(weight=lambda c: c)),
        ("the bias is missing", _linear(bias=lambda c: torch.zeros(len(c)).to(c))),
        ("both signs are wrong", lambda c: (-2 * c, (c * c).sum(1))),
        ("the weight has the wrong sign", _linear(weight=lambda c: -2 * c)),
        ("not made of squared lengths", _linear(bias=lambda c: -c.norm(dim=1))),
        ("return 2 tensors: weight, bias", lambda c: 2 * c),
        ("weight has shape", _linear(weight=lambda c: 2 * c.T)),
        ("bias has shape", _linear(bias=lambda c: -(c * c).sum(1, keepdim=True))),
        ("bias has shape", _linear(bias=lambda c: -(c * c))),
        ("not made of squared lengths", _linear(bias=lambda c: -(c * c).mean(1))),
        ("numbers of torch.float64",
            _linear(weight=lambda c: 2 * c.double() if c.dtype == torch.float32 else c.float())),
        ("changed places", lambda c: (-(c * c).sum(1), 2 * c)),
        ("twice what it must be", _linear(weight=lambda c: 4 * c)),
    ],
    "distance_to_boundary": [
        ("half-way between", lambda q, c: _ways(q, c, lambda d1, d, apart: (d**2 - d1**2) / apart)),
        ("how much farther", lambda q, c: _ways(q, c, lambda d1, d, apart: d - d1)),
        ("lead in squared distance", lambda q, c: _ways(q, c, lambda d1, d, apart: d**2 - d1**2)),
        ("where is the query",
            lambda q, c: c[torch.cdist(q, c).topk(2, largest=False)[1]].diff(dim=1)[:, 0].norm(dim=1) / 2),
        ("distance to the nearest prototype", lambda q, c: torch.cdist(q, c).amin(1)),
        ("a distance is not negative", lambda q, c: -_ways(q, c, lambda d1, d, apart: (d**2 - d1**2) / (2 * apart))),
        ("square of the distance", lambda q, c: _ways(q, c, lambda d1, d, apart: (d**2 - d1**2) / (2 * apart)) ** 2),
        ("this is half of how much farther", lambda q, c: _ways(q, c, lambda d1, d, apart: (d - d1) / 2)),
        ("second nearest prototype, not", lambda q, c: torch.cdist(q, c).topk(2, largest=False).values[:, 1]),
        ("second nearest prototype alone", lambda q, c: (lambda v, i: (v[:, 1] ** 2 - v[:, 0] ** 2)
            / (2 * (c[i[:, 0]] - c[i[:, 1]]).norm(dim=1)))(*torch.cdist(q, c).topk(2, largest=False))),
        ("its shape is", lambda q, c: torch.cdist(q, c)),
        ("the way itself", lambda q, c: _ways(q, c, lambda d1, d, apart: (d**2 - d1**2) / (2 * apart**2))),
    ],
    "leave_one_out_accuracy": [
        ("leave it out first", lambda x, y, n: (torch.cdist(x, _means(x, y, n)).argmin(1) == y).double().mean().item()),
        ("error rate", lambda *a: 1 - _left_out(_nearest)(*a)),
        ("this is a count", lambda *a: len(a[1]) * _left_out(_nearest)(*a)),
        ("wanted is a number", _left_out(_nearest, final=lambda right: int(right.sum()) > 3)),
        ("its shape is", _left_out(_nearest, final=lambda right: right.double())),
        ("the farthest", _left_out(lambda x, c: (x - c).norm(dim=1).argmax())),
        ("nearest single image",
            lambda x, y, n: (y[torch.cdist(x, x).fill_diagonal_(9e9).argmin(1)] == y).double().mean().item()),
        ("inner product", _left_out(lambda x, c: (c @ x).argmax())),
        ("in percent", lambda *a: 100 * _left_out(_nearest)(*a)),
        ("", lambda x, y, n: (torch.cdist(x, x).fill_diagonal_(9e9).argmin(1) == y).double().mean().item()),
        ("medians", _left_out(_nearest, means=_per_class(lambda rows: rows.median(0).values))),
        ("compared with sums", _left_out(_nearest, means=_per_class(lambda rows: rows.sum(0)))),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
