"""Exercises of chapter 11: wrong answers that people write, and what they are told."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.nn import functional as F


def _unit(x):
    return F.normalize(x, dim=1)


def _nearest(support=_unit, query=_unit, means=lambda x: x, logit=lambda q, m: -torch.cdist(q, m).square()):
    def version(s, y, q, n):
        s, q = support(s), query(q)
        return logit(q, means(torch.stack([s[y == c].mean(0) for c in range(n)])))

    return version


def _centred(centre=lambda b, s, q: (b.mean(0), b.mean(0)), after=_unit, before=lambda x: x):
    def version(base, support, query):
        first, second = centre(base, support, query)
        return after(before(support) - first), after(before(query) - second)

    return version


def _surest(best=lambda r: r, other=lambda r: -r, others=lambda n: n - 1):
    return lambda r, n: math.exp(best(r)) / (math.exp(best(r)) + others(n) * math.exp(other(r)))


def _ridge(penalty=lambda p, x: p * torch.eye(len(x)).to(x), y=lambda y: y, x=lambda x: x):
    return lambda a, b, p: x(a).T @ torch.linalg.solve(x(a) @ x(a).T + penalty(p, a), y(b))


def _head(error=lambda z, right: z.softmax(1) - right, of=lambda e, x, w: e.T @ x / len(x)):
    return lambda x, y, w, b: of(error(x @ w.T + b, F.one_hot(y, len(w)).to(x)), x, w)


WRONG = {
    "simple_shot_logits": [
        ("no length was divided out", _nearest(lambda x: x, lambda x: x)),
        ("queries still have their lengths", _nearest(query=lambda x: x)),
        ("support still has its lengths", _nearest(support=lambda x: x)),
        ("the length afterwards", _nearest(support=lambda x: x, means=_unit)),
        ("once more", _nearest(means=_unit)),
        ("larger must mean nearer", lambda *a: -_nearest()(*a)),
        ("mean over the features", _nearest(logit=lambda q, m: -(q[:, None] - m).square().mean(2))),
        ("sum of the absolute values", _nearest(*[lambda x: x / x.abs().sum(1, keepdim=True)] * 2)),
        ("largest entry", _nearest(*[lambda x: x / x.amax(1, keepdim=True)] * 2)),
        ("its shape is", lambda *a: _nearest()(*a).T),
        ("one softmax too many", lambda *a: _nearest()(*a).softmax(1)),
        ("it returned a list", lambda *a: _nearest()(*a).tolist()),
    ],
    "centred_features": [
        ("no mean was taken away", _centred(lambda b, s, q: (0, 0))),
        ("the lengths were not divided out", _centred(after=lambda x: x)),
        ("first centre, then scale", _centred(after=lambda x: x, before=_unit)),
        ("the mean of the support", _centred(lambda b, s, q: (s.mean(0), s.mean(0)))),
        ("on their own mean", _centred(lambda b, s, q: (s.mean(0), q.mean(0)))),
        ("images of the task", _centred(lambda b, s, q: [torch.cat([s, q]).mean(0)] * 2)),
        ("the queries were not centred", _centred(lambda b, s, q: (b.mean(0), 0))),
        ("the support was not centred", _centred(lambda b, s, q: (0, b.mean(0)))),
        ("the mean was added", _centred(lambda b, s, q: (-b.mean(0), -b.mean(0)))),
        ("one number for all features", _centred(lambda b, s, q: (b.mean(), b.mean()))),
        ("have changed places", lambda b, s, q: _centred()(b, s, q)[::-1]),
        ("mean of the raw ones", _centred(lambda b, s, q: (_unit(b).mean(0), _unit(b).mean(0)))),
        ("wanted are 2 things", lambda b, s, q: torch.cat(_centred()(b, s, q))),
    ],
    "surest_probability": [
        ("as low as minus the length", _surest(other=lambda r: 0)),
        ("right for two classes", _surest(others=lambda n: 1)),
        ("you counted n_way others", _surest(others=lambda n: n)),
        ("all logits are equal", lambda r, n: 1 / n),
        ("the least probability", _surest(best=lambda r: -r, other=lambda r: r)),
        ("of being wrong", lambda r, n: 1 - _surest()(r, n)),
        ("not twice that", _surest(best=lambda r: 2 * r, other=lambda r: -2 * r)),
        ("you squared the length", _surest(best=lambda r: r * r, other=lambda r: -r * r)),
        ("100 times", lambda r, n: 100 * _surest()(r, n)),
        ("the logarithm of what", lambda r, n: math.log(_surest()(r, n))),
        ("one over what", lambda r, n: 1 / _surest()(r, n)),
    ],
    "ridge_weights": [
        ("there is no penalty", _ridge(lambda p, x: 0)),
        ("the inverse is missing", lambda x, y, p: x.T @ y),
        ("in front is missing", lambda x, y, p: torch.linalg.solve(x @ x.T + p * torch.eye(len(x)).to(x), y)),
        ("belongs on the diagonal", _ridge(lambda p, x: p)),
        ("the penalty was squared", _ridge(lambda p, x: p * p * torch.eye(len(x)).to(x))),
        ("number of images", _ridge(lambda p, x: p * len(x) * torch.eye(len(x)).to(x))),
        ("divides by the penalty", _ridge(lambda p, x: torch.eye(len(x)).to(x) / p)),
        ("the wrong sign", _ridge(lambda p, x: -p * torch.eye(len(x)).to(x))),
        ("you multiplied by the matrix", lambda x, y, p: x.T @ (x @ x.T + p * torch.eye(len(x)).to(x)) @ y),
        ("rows must belong to features", lambda x, y, p: _ridge()(x, y, p).T),
        ("not −1 and 1", _ridge(y=lambda y: 2 * y - 1)),
        ("brought to length 1", _ridge(x=_unit)),
        ("D × D matrix", lambda x, y, p: torch.linalg.solve(x.T @ x + p * torch.eye(x.shape[1]).to(x), x.T @ y)),
    ],
    "head_gradient": [
        ("the sum over the images", _head(of=lambda e, x, w: e.T @ x)),
        ("softmax minus one-hot", _head(lambda z, right: right - z.softmax(1))),
        ("a gradient has the shape of w", _head(of=lambda e, x, w: x.T @ e / len(x))),
        ("bias was left out", lambda x, y, w, b: _head()(x, y, w, 0 * b)),
        ("right answers are missing", _head(lambda z, right: z.softmax(1))),
        ("probabilities are missing", _head(lambda z, right: -right)),
        ("the softmax is missing", _head(lambda z, right: z - right)),
        ("run over the classes", _head(lambda z, right: z.softmax(0) - right)),
        ("a sigmoid per class", _head(lambda z, right: z.sigmoid() - right)),
        ("divide by the images", _head(of=lambda e, x, w: e.T @ x / x.numel())),
        ("after a step of size 1", _head(of=lambda e, x, w: w - e.T @ x / len(x))),
        ("lost their signs", _head(of=lambda e, x, w: e.abs().T @ x / len(x))),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
