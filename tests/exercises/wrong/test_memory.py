"""Exercises of chapter 15: wrong answers that people write, and what they are told."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.nn import functional as F


def _guesses(first=1, last=0, after=lambda total, n: total / n):
    return lambda n: after(sum(1 / left for left in range(first, n + 1 + last)), n)


def _counter(after=lambda orders, c: orders / sum(c), top=lambda c: sum(c) + 1, each=lambda x, c: x + 1):
    return lambda c: after(math.lgamma(top(c)) - sum(math.lgamma(each(x, c)) for x in c if x), c)


def _late(steps=1, fill=0.0, hot=lambda y, n: torch.eye(n)[y]):
    def version(y, n):
        labels = hot(y, n)
        late = torch.zeros_like(labels)
        if steps > 0:
            late[:, steps:] = labels[:, :-steps]
        else:
            late[:, :steps] = labels[:, -steps:]
        late[:, : max(steps, 0)] = fill
        return late

    return version


def _instance(y):
    return (y[:, :, None] == y[:, None, :]).tril().sum(2)  # [B, T]


def _at(share=lambda c, here: c[here].double().mean(), instance=_instance, first=1, after=lambda found: found):
    def version(c, y):
        k = instance(y)
        return after(torch.stack([share(c, k == j) for j in range(first, int(k.max()) + 1)]))

    return version


def _read(key=F.normalize, row=F.normalize, weigh=lambda z, s: (s * z).softmax(1), what=lambda m: m):
    return lambda k, m, s: weigh(key(k) @ row(m).T, s) @ what(m)


def _plain(x):
    return x


def _naive(x):
    return x / x.norm(dim=1, keepdim=True)


def _write(
    share=torch.sigmoid,
    least=torch.argmin,
    place=lambda g, w, unused: g * w + (1 - g) * unused,
    put=lambda m, unused, where, k: m * (1 - unused)[:, None] + torch.outer(where, k),
    last=lambda w: w,
):
    def version(m, u, w, k, g):
        unused = F.one_hot(least(u), len(u)).to(m)
        return put(m, unused, place(share(g), last(w), unused), k)

    return version


WRONG = {
    "first_guess_limit": [
        ("this is chance", lambda n: 1 / n),
        ("this is the sum", _guesses(after=lambda total, n: total)),
        ("the last class is sure", _guesses(first=2)),
        ("the first guess, among all labels", _guesses(last=-1)),
        ("one guess too many", _guesses(last=1)),
        ("share of wrong guesses", _guesses(after=lambda total, n: 1 - total / n)),
        ("in percent", _guesses(after=lambda total, n: 100 * total / n)),
        ("first and the last guess", lambda n: (1 / n + 1) / 2),
        ("inverted the mean number", lambda n: 1 / ((n + 1) / 2)),
        ("all guesses are right at once", lambda n: math.exp(-math.lgamma(n + 1))),
        ("a logarithm comes near", lambda n: math.log(n) / n),
        ("the single probabilities", lambda n: [1 / left for left in range(1, n + 1)]),
        ("", lambda n: 0.457),
    ],
    "counting_loss": [
        ("the loss of chance", lambda c: math.log(len(c))),
        ("chance among the labels that come", lambda c: math.log(len([x for x in c if x]))),
        ("the whole sequence", _counter(lambda orders, c: orders)),
        ("by the number of labels", _counter(lambda orders, c: orders / len(c))),
        ("in bits", _counter(lambda orders, c: orders / sum(c) / math.log(2))),
        ("the sign is turned round", _counter(lambda orders, c: -orders / sum(c))),
        ("to swap two images of one class", lambda c: math.log(math.factorial(sum(c))) / sum(c)),
        ("the logarithm of (n − 1)!", _counter(top=sum, each=lambda x, c: x)),
        ("the entropy of the shares", lambda c: -sum(x / sum(c) * math.log(x / sum(c)) for x in c if x)),
        ("e to the loss", _counter(lambda orders, c: math.exp(orders / sum(c)))),
        ("the same count for every label", lambda c: _counter()([sum(c) / len(c)] * len(c))),
        ("the probability of one order", _counter(lambda orders, c: math.exp(-orders))),
        ("", _counter(lambda orders, c: orders / (sum(c) - 1))),
    ],
    "late_labels": [
        ("the labels come in time", lambda y, n: torch.eye(n)[y]),
        ("come round to the first step", lambda y, n: torch.eye(n)[y.roll(1, 1)]),
        ("one step early", _late(-1)),
        ("two steps late", lambda y, n: F.pad(torch.eye(n)[y], (0, 0, 2, 0))[:, : y.shape[1]]),
        ("the first step says label 0", lambda y, n: torch.eye(n)[F.pad(y, (1, 0))[:, :-1]]),
        ("the first step is a guess", lambda y, n: _late(fill=1 / n)(y, n)),
        ("says all labels at once", _late(fill=1.0)),
        ("you moved the sequences", lambda y, n: torch.cat([0 * torch.eye(n)[y[:1]], torch.eye(n)[y[:-1]]])),
        ("you moved the classes", lambda y, n: F.pad(torch.eye(n), (1, 0))[y][..., :-1]),
        ("one step too many", lambda y, n: torch.cat([torch.zeros(len(y), 1, n), torch.eye(n)[y]], dim=1)),
        ("one step too few", lambda y, n: torch.eye(n)[y[:, :-1]]),
        ("the labels themselves", lambda y, n: torch.cat([0 * y[:, :1], y[:, :-1]], dim=1)),
        ("the last dimension", lambda y, n: _late()(y, n).transpose(1, 2)),
        ("have changed places", lambda y, n: _late()(y, n).transpose(0, 1)),
        ("its numbers are", lambda y, n: _late()(y, n).long()),
    ],
    "accuracy_at_instances": [
        ("the accuracy at each step", lambda c, y: c.double().mean(dim=0)),
        ("numbers of right answers", _at(lambda c, here: c[here].sum().double())),
        ("by the number of all images", _at(lambda c, here: (c & here).double().mean())),
        ("shares of wrong answers", _at(lambda c, here: 1 - c[here].double().mean())),
        ("in percent", _at(after=lambda found: 100 * found)),
        ("one entry too many in front", _at(after=lambda found: F.pad(found, (1, 0)))),
        ("the first time is missing", _at(first=2)),
        ("belong to different sequences", _at(instance=lambda y: _instance(y).flip(0))),
        ("you counted from the end", _at(instance=lambda y: (y[:, :, None] == y[:, None, :]).triu().sum(2))),
        (
            "divided the step by the number of classes",
            _at(instance=lambda y: 1 + torch.arange(y.shape[1]).repeat(len(y), 1) // len(y.unique())),
        ),
        ("counted on from one sequence", _at(instance=lambda y: _instance(y.reshape(1, -1)).view_as(y))),
        ("means up to the k-th", _at(after=lambda found: found.cumsum(0) / torch.arange(1, len(found) + 1))),
        ("one number for all", lambda c, y: c.double().mean()),
        ("", _at(after=lambda found: found.flip(0))),
        ("it returned a list", _at(after=lambda found: found.tolist())),
    ],
    "read_memory": [
        ("these are the weights", lambda k, m, s: (s * F.normalize(k) @ F.normalize(m).T).softmax(1)),
        ("these are logits", lambda k, m, s: s * F.cosine_similarity(k[:, None], m[None], dim=2)),
        ("the sharpness is missing", _read(weigh=lambda z, s: z.softmax(1))),
        ("you divided by the sharpness", _read(weigh=lambda z, s: (z / s).softmax(1))),
        ("belongs inside the softmax", _read(weigh=lambda z, s: s * z.softmax(1))),
        ("inner products", _read(key=_plain, row=_plain)),
        ("the length of the key", _read(key=_plain)),
        ("the length of the rows", _read(row=_plain)),
        ("over the heads", _read(weigh=lambda z, s: (s * z).softmax(0))),
        ("rows of length 1", _read(what=F.normalize)),
        ("the best row alone", lambda k, m, s: m[F.cosine_similarity(k[:, None], m[None], dim=2).argmax(1)]),
        ("the softmax is missing", _read(weigh=lambda z, s: s * z)),
        ("these are distances", lambda k, m, s: (-s * (k[:, None] - m).norm(dim=2)).softmax(1) @ m),
        ("heads are added up", lambda k, m, s: _read()(k, m, s).sum(0)),
        ("not finite", _read(row=_naive)),
        ("gradient", lambda k, m, s: _read()(k, m, s).detach()),
    ],
    "written_rows": [
        ("still holds what it held", _write(put=lambda m, unused, where, k: m + torch.outer(where, k))),
        (
            "emptied after writing",
            _write(put=lambda m, unused, where, k: (m + torch.outer(where, k)) * (1 - unused)[:, None]),
        ),
        ("needs its sigmoid", _write(share=lambda g: g)),
        ("turned round", _write(share=lambda g: torch.sigmoid(-g))),
        ("used most", _write(least=torch.argmax)),
        ("other rows are lost", _write(put=lambda m, unused, where, k: torch.outer(where, k))),
        ("the gate divides", _write(place=lambda g, w, unused: w + unused)),
        ("where it read last is not written", _write(place=lambda g, w, unused: unused)),
        ("emptied and never written", _write(place=lambda g, w, unused: w)),
        ("every row fades", _write(put=lambda m, unused, where, k: m + where[:, None] * (k - m))),
        ("read most", _write(last=lambda w: F.one_hot(w.argmax(), len(w)).to(w))),
        (
            "a softmax of the usage",
            lambda m, u, w, k, g: _write(place=lambda s, w, unused: s * w + (1 - s) * (-u).softmax(0))(m, u, w, k, g),
        ),
        ("these are the writing weights", _write(put=lambda m, unused, where, k: where)),
        ("", _write(share=lambda g: torch.sigmoid(2 * g))),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
