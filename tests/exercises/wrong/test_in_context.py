"""Exercises of chapter 18: wrong answers that people write, and what they are told."""

from __future__ import annotations

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.nn import functional as F


def _read(scale=lambda q, k: k.shape[1] ** 0.5, weigh=lambda s: s.softmax(1), after=lambda a, v: a @ v):
    return lambda q, k, v: after(weigh(q @ k.T / scale(q, k)), v)


def _unsafe(q, k, v):
    weights = (q @ k.T / k.shape[1] ** 0.5).exp()
    return weights / weights.sum(1, keepdim=True) @ v


def _table(change=lambda t, s, q: t):
    def version(s, q):
        t = torch.zeros(s + q, s + q, dtype=torch.bool)
        t[:, :s] = True
        return change(t | torch.eye(s + q, dtype=torch.bool), s, q)

    return version


def _put(t, rows, columns, value):
    t[rows, columns] = value
    return t


def _back(t, rows, columns):
    t[rows, columns] = t[rows, columns].clone() | True
    t[rows, columns] = t[rows, columns].tril()
    return t


def _step(values=lambda h, n: h - 1 / n, below=lambda x, z, n: len(x), sign=1, weigh=lambda s: s, after=lambda a: a):
    def version(x, y, z, n, lr):
        h = F.one_hot(y, n).to(x.dtype)
        return after(sign * weigh(lr * z @ x.T) @ values(h, n) / below(x, z, n))

    return version


def _by_classes(x, y, z, n, lr):
    means = torch.stack([x[y == c].mean(0) for c in range(n)])
    return lr * z @ means.T


def _size(combine):
    def version(x, y, z, t):
        guess = ((x * y[..., None]).mean(1) * z).sum(1)
        return combine(guess, t)

    return version


def _mean_ratio(g, t):
    return (g * t).sum() / g.square().sum()


def _stayed(p):
    return sum(a == b for a, b in enumerate(p)) / len(p)


def _control(there=lambda a, n: a, elsewhere=lambda a, n: (1 - a) / (n - 1), after=lambda s, n: s):
    def version(p, a):
        n, f = len(p), _stayed(p)
        return after(f * there(a, n) + (1 - f) * elsewhere(a, n), n)

    return version


WRONG = {
    "attention_read": [
        ("not divided by √D", _read(lambda q, k: 1)),
        ("divide by its square root", _read(lambda q, k: k.shape[1])),
        ("the root of the number of tokens", _read(lambda q, k: len(k) ** 0.5)),
        ("the softmax runs over the queries", _read(weigh=lambda s: s.softmax(0))),
        ("the softmax is missing", _read(weigh=lambda s: s)),
        ("a sigmoid weighs each token alone", _read(weigh=torch.sigmoid)),
        ("a sign is turned round", _read(lambda q, k: -(k.shape[1] ** 0.5))),
        ("only the most similar token", _read(weigh=lambda s: (s == s.amax(1, keepdim=True)).to(s))),
        ("all tokens weigh the same", _read(weigh=lambda s: torch.full_like(s, 1 / s.shape[1]))),
        ("the values are missing", _read(after=lambda a, v: a)),
        ("these are cosines", lambda q, k, v: F.cosine_similarity(q[:, None], k[None], dim=2).softmax(1) @ v),
        ("the weights are logarithms", _read(weigh=lambda s: s.log_softmax(1))),
        ("once too often", _read(after=lambda a, v: a @ v / len(v))),
        ("one row per query", _read(after=lambda a, v: (a @ v).T)),
        ("you mixed the keys", lambda q, k, v: _read()(q, k, k)),
        ("not finite", _unsafe),
        ("gradient", lambda q, k, v: _read()(q, k, v).detach()),
    ],
    "looking_mask": [
        ("everybody looks at everybody", _table(lambda t, s, q: t | True)),
        ("queries look at other queries", _table(lambda t, s, q: _put(t, slice(s, None), slice(s, None), True))),
        ("a query must look at itself", _table(lambda t, s, q: _put(t, slice(s, None), slice(s, None), False))),
        ("support tokens look at queries", _table(lambda t, s, q: _put(t, slice(s), slice(s, None), True))),
        ("transposed", _table(lambda t, s, q: t.T)),
        ("turned round", _table(lambda t, s, q: ~t)),
        ("the mask of a text", _table(lambda t, s, q: (t | True).tril())),
        ("look at earlier ones only", _table(lambda t, s, q: _back(t, slice(s), slice(s)))),
        ("queries look at earlier queries", _table(lambda t, s, q: _back(t, slice(s, None), slice(s, None)))),
        ("must look at each other", _table(lambda t, s, q: _put(t, slice(s), slice(s), torch.eye(s) > 0))),
        ("a support token must look at itself", _table(lambda t, s, q: _put(t, slice(s), slice(s), torch.eye(s) < 1))),
        ("queries do not look at the support", _table(lambda t, s, q: _put(t, slice(s, None), slice(s), False))),
        ("the rows of the queries", _table(lambda t, s, q: t[s:])),
        ("have changed places", lambda s, q: _table()(q, s)),
        ("", _table(lambda t, s, q: t.long())),
        ("", _table(lambda t, s, q: torch.zeros(t.shape).masked_fill(~t, -torch.inf))),
    ],
    "cross_entropy_step": [
        ("the step of the squared error", _step(lambda h, n: h)),
        ("a sign is turned round", _step(sign=-1)),
        ("the step size is missing", lambda x, y, z, n, lr: _step()(x, y, z, n, 1)),
        ("no sum", _step(below=lambda x, z, n: 1)),
        ("the number of classes", _step(below=lambda x, z, n: n)),
        ("the length of the features", _step(below=lambda x, z, n: x.shape[1])),
        ("the number of queries", _step(below=lambda x, z, n: len(z))),
        ("a softmax over the support", _step(below=lambda x, z, n: 1, weigh=lambda s: s.softmax(1))),
        ("these are probabilities", _step(after=lambda a: a.softmax(1))),
        ("a log-softmax too much", _step(after=lambda a: a.softmax(1).log())),
        ("the answers to the support images", lambda x, y, z, n, lr: _step()(x, y, x, n, lr)),
        ("a row must belong to a query", _step(after=lambda a: a.T)),
        ("each class counts alike", _by_classes),
        ("there is a half in it", _step(below=lambda x, z, n: 2 * len(x))),
        ("", _step(lambda h, n: h - 1 / (n - 1))),
        ("it returned a list", _step(after=lambda a: a.tolist())),
    ],
    "best_single_step": [
        ("the mean of the best sizes", _size(lambda g, t: (t / g).mean())),
        ("the middle of the best sizes", _size(lambda g, t: (t / g).median())),
        ("you divided sums", _size(lambda g, t: t.sum() / g.sum())),
        ("fit the targets by the guesses", _size(lambda g, t: t @ t / (g @ t))),
        ("missing below", _size(lambda g, t: g @ t)),
        ("the loss is a mean", lambda x, y, z, t: _size(_mean_ratio)(x * x.shape[1], y, z, t)),
        ("a sign is turned round", _size(lambda g, t: -_mean_ratio(g, t))),
        ("mind the half", _size(lambda g, t: _mean_ratio(2 * g, t))),
        ("mind the half", _size(lambda g, t: _mean_ratio(g / 2, t))),
        ("equally large", _size(lambda g, t: t.norm() / g.norm())),
        ("the cosine of guesses and targets", _size(lambda g, t: (g @ t) / (g.norm() * t.norm()))),
        ("a size for each task", _size(lambda g, t: t / g)),
        ("from the curvature alone", lambda x, y, z, t: 1 / x.square().mean(1).sum(1).mean()),
        ("", _size(lambda g, t: (t - g).square().mean())),
        ("it returned a list", _size(lambda g, t: [_mean_ratio(g, t).item()])),
    ],
    "control_accuracy": [
        ("the accuracy with the true labels", lambda p, a: a),
        ("the share of errors with the true labels", lambda p, a: 1 - a),
        ("this is chance", lambda p, a: 1 / len(p)),
        ("these are the labels that stay", lambda p, a: _stayed(p)),
        ("can hit the true class", _control(elsewhere=lambda a, n: 0)),
        ("spread over all other classes", _control(elsewhere=lambda a, n: 1 - a)),
        ("one of N - 1 classes", _control(elsewhere=lambda a, n: (1 - a) / n)),
        ("it follows the label", _control(elsewhere=lambda a, n: 1 / n)),
        ("have changed places", _control(lambda a, n: (1 - a) / (n - 1), lambda a, n: a)),
        ("the share of wrong answers", _control(after=lambda s, n: 1 - s)),
        ("count by the true classes", _control(lambda a, n: 1 - a, lambda a, n: a)),
        ("in percent", _control(after=lambda s, n: 100 * s)),
        ("a sum over the classes", _control(after=lambda s, n: n * s)),
        ("", _control(after=lambda s, n: round(s, 1))),
        ("it returned a list", _control(after=lambda s, n: [s])),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
