"""Exercises of chapter 13: wrong answers that people write, and what they are told."""

from __future__ import annotations

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.nn import functional as F


def _far(x, c):
    return torch.cdist(x, c, compute_mode="donot_use_mm_for_euclid_dist").square()


def _shares(logit=lambda d, s: -s * d, over=1, far=_far):
    return lambda x, c, s: logit(far(x, c), s).softmax(over)


def _naive(x, c, s):
    weights = (-s * _far(x, c)).exp()
    return weights / weights.sum(1, keepdim=True)


def _means(own=lambda h, z: h, share=lambda z: z, below=lambda h, z: h.sum(0) + z.sum(0)):
    def version(x, y, u, z):
        h = own(F.one_hot(y, z.shape[1]).to(z.dtype), z)  # [S, N]
        shared = share(z)
        return (h.T @ x + shared.T @ u) / below(h, shared)[:, None]

    return version


def _sure(certainty, within=lambda z: z == z.amax(1, keepdim=True), more=0, sign=1):
    def version(z, k):
        allowed = within(z)
        column = sign * certainty(z)
        column = (column if column.ndim == 2 else column[:, None].expand_as(z)).masked_fill(~allowed, -torch.inf)
        return allowed & (column.argsort(dim=0, descending=True, stable=True).argsort(dim=0) < k + more)

    return version


def _top(z):
    return F.one_hot(z.argmax(1), z.shape[1]).bool()


def _odds(z):
    top = z.amax(1)
    return top - z.masked_fill(z == top[:, None], -torch.inf).logsumexp(1)


def _flow(matrix=lambda s, a: torch.eye(len(s)).to(s) - a * s, after=lambda f, y, a: f):
    return lambda s, y, a: after(torch.linalg.solve(matrix(s, a), y), y, a)


def _steps(n, start=lambda y: y, keep=1.0):
    def version(s, y, a):
        flowing = start(y)
        for _ in range(n):
            flowing = a * s @ flowing + keep * y
        return flowing

    return version


def _even(each=lambda c: sum(c) / len(c), take=min, after=lambda right, c: right / sum(c)):
    return lambda c: after(sum(take(x, each(c)) for x in c), c)


WRONG = {
    "soft_shares": [
        ("each image is shared out among the classes", _shares(over=0)),
        ("a sign is turned round", _shares(lambda d, s: s * d)),
        ("the square is missing", _shares(lambda d, s: -s * d.sqrt())),
        ("the scale is missing", _shares(lambda d, s: -d)),
        ("multiply by it", _shares(lambda d, s: -d / s)),
        ("as in a Gaussian", _shares(lambda d, s: -d * s / 2)),
        ("mean over the features", _shares(far=lambda x, c: (x[:, None] - c).square().mean(2))),
        ("the softmax is missing", lambda x, c, s: -s * _far(x, c)),
        ("logarithm", lambda x, c, s: _shares()(x, c, s).log()),
        ("as a whole to its nearest class", lambda x, c, s: (_far(x, c) == _far(x, c).amin(1, keepdim=True)).to(x)),
        ("inner products", lambda x, c, s: (s * x @ c.T).softmax(1)),
        ("one over the distance", lambda x, c, s: F.normalize(1 / _far(x, c), p=1, dim=1)),
        ("rows belong to the classes", lambda x, c, s: _shares()(x, c, s).T),
        ("not finite", _naive),
        ("gradient", lambda x, c, s: _shares()(x, c, s).detach()),
    ],
    "refined_prototypes": [
        ("unlabelled images play no part", _means(share=lambda z: 0 * z)),
        ("labelled images play no part", _means(own=lambda h, z: 0 * h)),
        ("these are sums", _means(below=lambda h, z: torch.ones_like(z[0]))),
        ("number of labelled images", _means(below=lambda h, z: h.sum(0))),
        ("divided by the shares", _means(below=lambda h, z: z.sum(0))),
        ("number of all images", _means(below=lambda h, z: torch.full_like(z[0], len(h) + len(z)))),
        ("counts as a whole below", _means(below=lambda h, z: h.sum(0) + len(z))),
        (
            "the mean of two means",
            lambda *a: (_means(share=lambda z: 0 * z)(*a) + _means(own=lambda h, z: 0 * h)(*a)) / 2,
        ),
        ("to one class as a whole", _means(share=lambda z: F.one_hot(z.argmax(1), z.shape[1]).to(z))),
        ("shares of each image add up to one", _means(share=lambda z: z / z.sum(1, keepdim=True))),
        ("shares of each class add up to one", _means(share=lambda z: z / z.sum(0))),
        ("count them", _means(below=lambda h, z: len(h) / z.shape[1] + z.sum(0))),
        ("a prototype must be a row", lambda *a: _means()(*a).T),
        ("it returned a list", lambda *a: _means()(*a).tolist()),
    ],
    "believed_images": [
        ("all images are believed", lambda z, k: z == z.amax(1, keepdim=True)),
        ("the least sure images", _sure(_odds, sign=-1)),
        (
            "surest of all images together",
            lambda z, k: (
                (z == z.amax(1, keepdim=True)) & (_odds(z).argsort(descending=True).argsort() < k * z.shape[1])[:, None]
            ),
        ),
        (
            "not their most likely one",
            _sure(lambda z: z.softmax(1), within=lambda z: torch.ones_like(z, dtype=torch.bool)),
        ),
        ("the lead over the second class", _sure(lambda z: z.amax(1) - z.topk(2).values[:, 1])),
        ("ranked by the largest logit", _sure(lambda z: z)),
        ("classes of one image compete", lambda z, k: _sure(lambda p: p, _top)(z.softmax(0), k)),
        ("one image too many", _sure(_odds, more=1)),
        ("one image too few", _sure(_odds, more=-1)),
        ("this is a threshold", lambda z, k: z.softmax(1) > 0.9),
        ("ranked by the entropy", _sure(lambda z: -torch.special.entr(z.softmax(1)).sum(1))),
        ("both round to 1", _sure(lambda z: z.softmax(1))),
        ("compare log odds", _sure(lambda z: z.log_softmax(1))),
        ("say for which class", lambda z, k: _sure(_odds)(z, k).any(1)),
        ("its numbers are", lambda z, k: _sure(_odds)(z, k).long()),
    ],
    "spread_labels": [
        ("a factor 1 − α", _flow(after=lambda f, y, a: (1 - a) * f)),
        ("this is one step", _steps(1)),
        ("you multiplied by the matrix", lambda s, y, a: y - a * s @ y),
        ("taken away", _flow(lambda s, a: torch.eye(len(s)).to(s) + a * s)),
        ("the inverse alone", lambda s, y, a: torch.linalg.inv(torch.eye(len(s)).to(s) - a * s)),
        ("own part is missing", _flow(after=lambda f, y, a: f - y)),
        ("alpha is squared", _flow(lambda s, a: torch.eye(len(s)).to(s) - a * a * s)),
        ("have changed places", _flow(lambda s, a: torch.eye(len(s)).to(s) - (1 - a) * s)),
        ("you squared the entries", _flow(lambda s, a: torch.eye(len(s)).to(s) - a * s**2)),
        ("there is a softmax", _flow(after=lambda f, y, a: f.softmax(1))),
        ("add up to one", _flow(after=lambda f, y, a: f / f.sum(1, keepdim=True))),
        ("the identity matrix is needed", _flow(lambda s, a: 1 - a * s)),
        ("rows belong to the classes", lambda s, y, a: _flow()(s, y, a).T),
        ("", _steps(4)),
        ("twice", _flow(after=lambda f, y, a: 2 * f)),
    ],
    "forced_accuracy": [
        ("it cannot be all", lambda c: 1.0),
        ("this is guessing", lambda c: 1 / len(c)),
        ("one class for all queries", lambda c: max(c) / sum(c)),
        ("only if the classes that are there are even", lambda c: 1 - c.count(0) / len(c)),
        ("share of wrong answers", _even(after=lambda right, c: 1 - right / sum(c))),
        ("a number of queries", _even(after=lambda right, c: right)),
        ("in percent", _even(after=lambda right, c: 100 * right / sum(c))),
        ("without a query is answered as often", _even(lambda c: sum(c) / (len(c) - c.count(0)))),
        ("not the smallest", _even(min)),
        ("you took the larger number", _even(take=max)),
        ("every query counts the same", lambda c: _per_class(c)),
        ("compares two classes only", lambda c: min(c) / max(c)),
        ("in proportion to the counts", lambda c: sum(x * x for x in c) / sum(c) ** 2),
        ("", _even(lambda c: sum(c) // len(c))),
        ("it returned a list", lambda c: [_even()(c)]),
    ],
}  # fmt: skip


def _per_class(c):
    there = [x for x in c if x]
    return sum(min(1, sum(c) / len(c) / x) for x in there) / len(there)


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
