"""Exercises of chapter 3: wrong answers that people write, and what they are told."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_rejected, by_name_and_words


def _interval(width=lambda a: 1.96 * a.std() / math.sqrt(len(a)), middle=torch.mean):
    def version(right):
        a = right.double().mean(dim=1)  # [E]
        return float(middle(a)), float(width(a))

    return version


def _over_queries(right):
    p = right.double().mean().item()
    return p, 1.96 * math.sqrt(p * (1 - p) / right.numel())


def _flat(right):
    x = right.double().flatten()
    return x.mean().item(), 1.96 * x.std().item() / math.sqrt(len(x))


def _paired(width=lambda d, a, b: 1.96 * d.std() / math.sqrt(len(d)), difference=lambda a, b: b - a):
    def version(a, b):
        d = difference(a, b)
        return d.mean().item(), float(width(d, a, b))

    return version


def _unpaired(a, b, join):
    return join(*(1.96 * float(x.std()) / math.sqrt(len(x)) for x in (a, b)))


def _needed(spread=torch.std, both=lambda a, b: math.hypot(a, b), z=1.96, to=math.ceil, power=2):
    def version(a, b, half_width):
        paired, unpaired = spread(b - a).item(), both(spread(a).item(), spread(b).item())
        return tuple(to((z * s / half_width) ** power) for s in (paired, unpaired))

    return version


def _luck(rule):
    def version(first, second):
        (v, c), (_, w) = torch.cov(torch.stack([first, second])).tolist()
        return rule(c, (v + w) / 2)

    return version


WRONG = {
    "interval": [
        ("counts queries", _over_queries),
        ("", _flat),
        ("divides by E − 1", _interval(lambda a: 1.96 * a.std(correction=0) / math.sqrt(len(a)))),
        ("1.96 is missing", _interval(lambda a: a.std() / math.sqrt(len(a)))),
        ("whole width", _interval(lambda a: 2 * 1.96 * a.std() / math.sqrt(len(a)))),
        ("spread of single episodes", _interval(lambda a: 1.96 * a.std())),
        ("of a 90 % interval", _interval(lambda a: 1.645 * a.std() / math.sqrt(len(a)))),
        ("you took the variance", _interval(lambda a: 1.96 * a.var() / math.sqrt(len(a)))),
        ("you divided by E;", _interval(lambda a: 1.96 * a.std() / len(a))),
        ("median", _interval(middle=lambda a: a.quantile(0.5))),
        ("changed places", lambda right: _interval()(right)[::-1]),
        ("the two ends", lambda right: (lambda m, h: (m - h, m + h))(*_interval()(right))),
        ("root of all queries", lambda r: (_interval()(r)[0], 1.96 * r.double().mean(1).std() / math.sqrt(r.numel()))),
        ("wanted are 2 things", lambda right: _interval()(right)[0]),
        ("100 times what it must be", lambda right: [100 * x for x in _interval()(right)]),
    ],
    "episodes_for_width": [
        ("four times the episodes", lambda h, n, w: math.ceil(n * h / w)),
        ("round up", lambda h, n, w: int(n * (h / w) ** 2)),
        ("round up", lambda h, n, w: round(n * (h / w) ** 2)),
        ("falls when a narrower", lambda h, n, w: math.ceil(n * (w / h) ** 2)),
        ("the additional ones", lambda h, n, w: math.ceil(n * (h / w) ** 2) - n),
        ("how many times as many", lambda h, n, w: math.ceil((h / w) ** 2)),
        ("root where a square", lambda h, n, w: math.ceil(n * (h / w) ** 0.5)),
        ("half width for the spread", lambda h, n, w: math.ceil((1.96 * h / w) ** 2)),
        ("in both widths already", lambda h, n, w: math.ceil(n * (1.96 * h / w) ** 2)),
        ("fewer episodes than they had", lambda h, n, w: n if w > h else math.ceil(n * (h / w) ** 2)),
        ("wanted is a whole number", lambda h, n, w: n * (h / w) ** 2),
        ("nothing has to be halved", lambda h, n, w: math.ceil(n * (2 * h / w) ** 2)),
    ],
    "paired_interval": [
        ("so that a gain is positive", _paired(difference=lambda a, b: a - b)),
        ("unpaired width", _paired(lambda d, a, b: _unpaired(a, b, math.hypot))),
        ("added the two half widths", _paired(lambda d, a, b: _unpaired(a, b, lambda x, y: x + y))),
        ("subtracted the half widths", _paired(lambda d, a, b: _unpaired(a, b, lambda x, y: abs(x - y)))),
        ("wider of the two", _paired(lambda d, a, b: _unpaired(a, b, max))),
        ("divide by E − 1", _paired(lambda d, a, b: 1.96 * d.std(correction=0) / math.sqrt(len(d)))),
        ("1.96 is missing", _paired(lambda d, a, b: d.std() / math.sqrt(len(d)))),
        ("whole width", _paired(lambda d, a, b: 3.92 * d.std() / math.sqrt(len(d)))),
        ("spread of single differences", _paired(lambda d, a, b: 1.96 * d.std())),
        ("lost their signs", _paired(difference=lambda a, b: (b - a).abs())),
        ("in per cent of a", _paired(difference=lambda a, b: (b - a) / a)),
        ("variance", _paired(lambda d, a, b: 1.96 * d.var() / math.sqrt(len(d)))),
        ("", _paired(lambda d, a, b: 1.96 * d.std() / math.sqrt(2 * len(d)))),
    ],
    "luck_share": [
        ("share of the task", _luck(lambda c, v: c / v)),
        ("variance of the tasks", _luck(lambda c, v: c)),
        ("this is luck's variance", _luck(lambda c, v: v - c)),
        ("ratio of standard deviations", _luck(lambda c, v: math.sqrt((v - c) / v))),
        ("halve its variance", lambda a, b: ((a - b).var() / a.var()).item()),
        ("variances of both", lambda a, b: ((a - b).var() / 2 / (a.var() + b.var())).item()),
        ("divide by the whole", _luck(lambda c, v: (v - c) / c)),
        ("squared the correlation", lambda a, b: 1 - torch.corrcoef(torch.stack([a, b]))[0, 1].item() ** 2),
        ("both must do the same", lambda a, b: 1 - (torch.cov(torch.stack([a, b]))[0, 1] / a.var(correction=0)).item()),
        ("the accuracy itself", lambda a, b: ((a - b).abs().mean() / a.mean()).item()),
        ("what do the two accuracies have in common", lambda a, b: ((a.var() - b.var()) / a.var()).item()),
        ("100 times what it must be", _luck(lambda c, v: 100 * (v - c) / v)),
    ],
    "episodes_needed": [
        ("changed places", lambda a, b, h: _needed()(a, b, h)[::-1]),
        ("round up", _needed(to=int)),
        ("variances add up", _needed(both=lambda x, y: x + y)),
        ("divides by E − 1", _needed(spread=lambda x: x.std(correction=0))),
        ("is already the half", lambda a, b, h: _needed()(a, b, h / 2)),
        ("1.96 is missing", _needed(z=1.0)),
        ("ten times the precision", _needed(power=1)),
        ("the larger spread alone", _needed(both=max)),
        ("take that of the differences", lambda a, b, h: (_needed()(0 * a, a, h)[0], _needed()(a, b, h)[1])),
        ("belongs inside the square", _needed(z=math.sqrt(1.96))),
        ("both together", lambda a, b, h: (_needed()(a, b, h)[0], 2 * _needed()(a, b, h)[1])),
        ("a float, wanted is a whole number", _needed(to=float)),
        ("in pairs you left out", lambda a, b, h: [_needed()(a, b, h)[1]] * 2),
        ("", _needed(z=1.645)),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
