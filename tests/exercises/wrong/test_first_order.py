"""Exercises of chapter 10: wrong answers that people write, and what they are told."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.func import functional_call, grad
from torch.nn import functional as F


def _slopes(network, weights, x, y, loss=F.cross_entropy):
    return grad(lambda w: loss(functional_call(network, w, (x,)), y))(weights)


def _own(network):
    return {name: w.detach() for name, w in network.named_parameters()}


def _walk(network, x, y, lr, steps, loss, weights=None):
    weights = _own(network) if weights is None else weights
    for _ in range(steps):
        slopes = _slopes(network, weights, x, y, loss)
        weights = {n: w - lr * slopes[n] for n, w in weights.items()}
    return weights


def _fomaml(network, sx, sy, qx, qy, lr, steps, loss):
    return _slopes(network, _walk(network, sx, sy, lr, steps, loss), qx, qy, loss)


def _full(network, sx, sy, qx, qy, lr, steps, loss):
    def outer(w):
        return loss(functional_call(network, _walk(network, sx, sy, lr, steps, loss, w), (qx,)), qy)

    return grad(outer)(_own(network))


def _ends(network, x, y, *rest):
    ends = [_walk(network, a, b, *rest) for a, b in zip(x, y, strict=True)]
    return {n: torch.stack([end[n] for end in ends]) for n in ends[0]}


def _reptile(of=lambda w, ends, lr, steps: (w - ends).mean(0)):
    def version(network, x, y, lr, steps, loss):
        ends = _ends(network, x, y, lr, steps, loss)
        return {n: of(w, ends[n], lr, steps) for n, w in _own(network).items()}

    return version


def _one_walk(of):
    def version(network, x, y, *rest):
        ends = [None]
        for a, b in zip(x, y, strict=True):
            ends.append(_walk(network, a, b, *rest, ends[-1]))
        return {n: of(torch.stack([v - end[n] for end in ends[1:]])) for n, v in _own(network).items()}

    return version


def _rate(of):
    def version(support, query, theta, rates):
        slope = grad(support)(theta)
        return of(slope, grad(query)(theta - rates * slope), grad(query)(theta))

    return version


def _anil(moves, new=lambda w, g, a: w - a * g, rest=lambda w: w, loss=F.cross_entropy):
    def version(network, weights, x, y, lr):
        slopes = _slopes(network, weights, x, y, loss)
        return {n: new(w, slopes[n], lr) if moves(n) else rest(w) for n, w in weights.items()}

    return version


def _head(name):
    return name.startswith("head.")


def _cka(a, b, centre=lambda x: x - x.mean(0), join=lambda ab, aa, bb: ab**2 / (aa * bb), norm=torch.norm):
    a, b = centre(a), centre(b)
    return join(norm(a.T @ b), norm(a.T @ a), norm(b.T @ b))


def _per_length(a):
    a = a - a.mean(0)
    return (a.T @ a).norm() / a.norm() ** 2


WRONG = {
    "epsilon_at": [
        ("it grows", lambda i, n, e: e * i / n),
        ("does not begin at `first`", lambda i, n, e: 1 - i / n),
        ("it does not fall", lambda i, n, e: e),
        ("so that it is wasted", lambda i, n, e: e * (1 - i / (n - 1))),
        ("counted from 0", lambda i, n, e: e * (1 - (i + 1) / n)),
        ("a constant factor", lambda i, n, e: e * 0.01 ** (i / n)),
        ("below zero", lambda i, n, e: e - i / n),
        ("like a cosine", lambda i, n, e: e * (1 + math.cos(math.pi * i / n)) / 2),
        ("one over", lambda i, n, e: e / (i + 1)),
        ("half of `first`", lambda i, n, e: e * (1 - i / n / 2)),
        ("the division is missing", lambda i, n, e: e * (n - i)),
        ("after one step nothing", lambda i, n, e: e * (1 - i)),
        ("the step's share of `first`", lambda i, n, e: e - i),
        ("like a parabola", lambda i, n, e: e * (1 - i / n) ** 2),
        ("it does not fall", lambda i, n, e: e * (1 - i // n)),
    ],
    "fomaml_gradient": [
        ("second derivatives and all", _full),
        ("not where it ends", lambda n, a, b, c, d, lr, k, loss: _slopes(n, _own(n), c, d, loss)),
        ("of the support loss", lambda n, a, b, c, d, lr, k, loss: _fomaml(n, a, b, a, b, lr, k, loss)),
        ("you took one inner step", lambda n, a, b, c, d, lr, k, loss: _fomaml(n, a, b, c, d, lr, 1, loss)),
        ("Reptile's direction",
            lambda n, a, b, c, d, lr, k, loss: {m: _own(n)[m] - w for m, w in _walk(n, a, b, lr, k, loss).items()}),
        ("one step too many", lambda n, a, b, c, d, lr, k, loss: _fomaml(n, a, b, c, d, lr, k + 1, loss)),
        ("you went uphill", lambda n, a, b, c, d, lr, k, loss: _fomaml(n, a, b, c, d, -lr, k, loss)),
        ("adapted to the queries", lambda n, a, b, c, d, lr, k, loss: _fomaml(n, c, d, c, d, lr, k, loss)),
        ("changed places", lambda n, a, b, c, d, lr, k, loss: _fomaml(n, c, d, a, b, lr, k, loss)),
        ("the sign is turned round", lambda *z: {m: -g for m, g in _fomaml(*z).items()}),
        ("these are weights", lambda n, a, b, c, d, lr, k, loss: _walk(n, a, b, lr, k, loss)),
        ("wanted is a dict", lambda *z: [*_fomaml(*z).values()]),
        ("inner_lr has no influence", lambda n, a, b, c, d, lr, k, loss: _fomaml(n, a, b, c, d, 1.0, k, loss)),
    ],
    "reptile_gradient": [
        ("walks away from the tasks", _reptile(lambda w, ends, lr, k: (ends - w).mean(0))),
        ("you added the tasks up", _reptile(lambda w, ends, lr, k: (w - ends).sum(0))),
        ("divided by the inner rate", _reptile(lambda w, ends, lr, k: (w - ends).mean(0) / lr)),
        ("each begins at the start", _one_walk(lambda moved: moved.mean(0))),
        ("one walk through all tasks", _one_walk(lambda moved: moved[-1])),
        ("one walk through all tasks", _one_walk(lambda moved: moved[-1] / len(moved))),
        ("images of all tasks", lambda n, x, y, *z: _reptile()(n, x.flatten(0, 1)[None], y.flatten(0, 1)[None], *z)),
        ("these are the weights at the end", _reptile(lambda w, ends, lr, k: ends.mean(0))),
        ("you took one inner step", lambda n, x, y, lr, k, loss: _reptile()(n, x, y, lr, 1, loss)),
        ("number of steps", _reptile(lambda w, ends, lr, k: (w - ends).mean(0) / k)),
        ("last task alone", _reptile(lambda w, ends, lr, k: w - ends[-1])),
        ("first task alone", _reptile(lambda w, ends, lr, k: w - ends[0])),
        ("multiplied by the inner rate", _reptile(lambda w, ends, lr, k: (w - ends).mean(0) * lr)),
        ("wanted is a dict", lambda *z: [*_reptile()(*z).values()]),
        ("one step too many", lambda n, x, y, lr, k, loss: _reptile()(n, x, y, lr, k + 1, loss)),
        ("its shape is", _reptile(lambda w, ends, lr, k: w - ends)),
    ],
    "rate_gradient": [
        ("smaller or larger", _rate(lambda s, q, start: s * q)),
        ("that of the adapted weights", _rate(lambda s, q, start: -s * start)),
        ("what the weights are told", _rate(lambda s, q, start: q)),
        ("a rate of its own", _rate(lambda s, q, start: -(s @ q))),
        ("changed places", lambda s, q, w, r: _rate(lambda s, q, start: -s * q)(q, s, w, r)),
        ("may well be negative", lambda s, q, w, r: _rate(lambda s, q, start: -s * q)(s, q, w, r.abs())),
        ("slope of the support loss alone", _rate(lambda s, q, start: s)),
        ("slope of the support loss alone", _rate(lambda s, q, start: -s)),
        ("multiplied by the rates", lambda s, q, w, r: -r * _rate(lambda s, q, start: s * q)(s, q, w, r)),
        ("uphill", lambda s, q, w, r: -grad(s)(w) * grad(q)(w + r * grad(s)(w))),
        ("twice what it must be", _rate(lambda s, q, start: -2 * s * q)),
        ("squares of the support", _rate(lambda s, q, start: -s * s)),
        ("the queries' slopes squared", _rate(lambda s, q, start: -q * q)),
    ],
    "anil_step": [
        ("this is MAML's step", _anil(lambda n: True)),
        ("the body moved", _anil(lambda n: n.startswith("body"))),
        ("only contains “head”", _anil(lambda n: "head" in n)),
        ("only begins like “head”", _anil(lambda n: n.startswith("head"))),
        ("the last two entries", lambda n, w, *rest: _anil(lambda name: name in [*w][-2:])(n, w, *rest)),
        ("a layer has a bias, too", _anil(lambda n: n == "head.weight")),
        ("cannot train it", _anil(_head, rest=torch.Tensor.detach)),
        ("mere numbers", _anil(_head, lambda w, g, a: w - a * g.detach())),
        ("you went uphill", _anil(_head, lambda w, g, a: w + a * g)),
        ("inner_lr has no influence", _anil(_head, lambda w, g, a: w - g)),
        ("no path leads back", _anil(_head, lambda w, g, a: (w - a * g).detach())),
        ("losses of the images up", _anil(_head, loss=lambda z, y: F.cross_entropy(z, y, reduction="sum"))),
        ("nothing has moved", _anil(lambda n: False)),
        ("only the bias", _anil(lambda n: n == "head.bias")),
    ],
    "linear_cka": [
        ("take the mean of each feature away", lambda a, b: _cka(a, b, lambda x: x)),
        ("take that over the images", lambda a, b: _cka(a, b, lambda x: x - x.mean(1, keepdim=True))),
        ("a square is missing", lambda a, b: _cka(a, b, join=lambda ab, aa, bb: ab / (aa * bb).sqrt())),
        ("one square too many", lambda a, b: _cka(a, b) ** 2),
        ("this is a distance", lambda a, b: 1 - _cka(a, b)),
        ("the root of the product", lambda a, b: _cka(a, b, join=lambda ab, aa, bb: ab**2 / (aa * bb).sqrt())),
        ("nothing is divided", lambda a, b: _cka(a, b, join=lambda ab, aa, bb: ab**2)),
        ("one of the two", lambda a, b: _cka(a, b, join=lambda ab, aa, bb: ab**2 / aa**2)),
        ("one of the two", lambda a, b: _cka(a, b, join=lambda ab, aa, bb: ab**2 / bb**2)),
        ("numerator is not squared", lambda a, b: _cka(a, b, join=lambda ab, aa, bb: ab / (aa * bb))),
        ("the spectral norm", lambda a, b: _cka(a, b, norm=lambda x: torch.linalg.norm(x, 2))),
        ("the nuclear norm", lambda a, b: _cka(a, b, norm=lambda x: torch.linalg.svdvals(x).sum())),
        ("the absolute values", lambda a, b: _cka(a, b, norm=lambda x: x.abs().sum())),
        ("norms of the features", lambda a, b: _cka(a, b) * _per_length(a) * _per_length(b)),
        ("length 1", lambda a, b: _cka(F.normalize(a - a.mean(0)), F.normalize(b - b.mean(0)))),
        ("100 times", lambda a, b: 100 * _cka(a, b)),
        ("sum of the two", lambda a, b: _cka(a, b, join=lambda ab, aa, bb: 2 * ab**2 / (aa**2 + bb**2))),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
