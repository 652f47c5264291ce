"""Exercises of chapter 14: wrong answers that people write, and what they are told."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.nn import functional as F


def _margin(of=lambda p: p.topk(2, dim=1).values, doubt=lambda first, second: second - first):
    return lambda p: doubt(*of(p).unbind(dim=1)[:2])


def _reached(others=lambda n, m: n * m - m, images=lambda n, m: n * m, labels=lambda b: b):
    return lambda n, m, b: 1 - math.comb(others(n, m), labels(b)) / math.comb(images(n, m), labels(b))


def _apart(distance=torch.cdist, nearest=lambda d: d.amin(dim=1), rows=lambda x, y: x[y]):
    return lambda x, y: nearest(distance(x, rows(x, y)))


def _without_label(x, y):
    return ~torch.isin(torch.arange(len(x)), torch.tensor(y))


def _crowd(which=lambda d, k: d[:, 1 : k + 1], score=lambda d: 1 / d.mean(dim=1), distance=torch.cdist, of=lambda x: x):
    return lambda x, k: score(which(distance(of(x), of(x)).sort(dim=1).values, k))


def _by_loop(of):
    return lambda *arguments: [row.item() for row in of(*arguments)]


WRONG = {
    "margin_doubt": [
        ("the sign is turned round", _margin(doubt=torch.sub)),
        ("as well", lambda p: 1 - p.max(dim=1).values),
        ("this is the entropy", lambda p: -(p * p.log()).sum(dim=1)),
        ("sort each row first", _margin(lambda p: p)),
        ("the two smallest", _margin(lambda p: p.sort(dim=1).values)),
        ("a margin is a difference", _margin(doubt=lambda first, second: second / first)),
        ("a difference of logarithms", _margin(lambda p: p.log().topk(2).values)),
        ("these are class numbers", _margin(lambda p: p.topk(2).indices.float())),
        ("the first is missing", _margin(doubt=lambda first, second: second)),
        ("the second is missing", _margin(doubt=lambda first, second: -first)),
        ("there is a 1 too much", _margin(doubt=lambda first, second: 1 - (first - second))),
        ("these are probabilities already", _margin(lambda p: p.softmax(dim=1).topk(2).values)),
        ("all squares", lambda p: 1 - (p**2).sum(dim=1)),
        ("the spread of all answers", lambda p: -p.std(dim=1)),
        ("the second with the third", _margin(lambda p: p.sort(dim=1, descending=True).values[:, 1:3])),
        ("the lead is squared", _margin(doubt=lambda first, second: -((first - second) ** 2))),
        ("not [M, 1]", lambda p: p.topk(2, dim=1).values.diff(dim=1)),
        ("it returned a list", _by_loop(_margin())),
        ("RuntimeError", _margin(lambda p: p.topk(2, dim=0).values.T)),
        ("", _margin(lambda p: p.topk(2).values.exp())),
    ],
    "expected_coverage": [
        ("if an image could be drawn again", lambda n, m, b: 1 - ((n * m - m) / (n * m)) ** b),
        ("some classes get two", lambda n, m, b: min(b, n) / n),
        ("classes that are missed", lambda n, m, b: math.comb(n * m - m, b) / math.comb(n * m, b)),
        ("a number of classes", lambda n, m, b: n * _reached()(n, m, b)),
        ("share of the images", _reached(others=lambda n, m: n * m - 1)),
        ("the limit of very many", lambda n, m, b: 1 - math.exp(-b / n)),
        ("have changed places", _reached(others=lambda n, m: n * m - n)),
        ("out of the other classes, too", lambda n, m, b: 1 - math.prod((n * m - m) / (n * m - i) for i in range(b))),
        ("out of the whole pool, too", lambda n, m, b: 1 - math.prod((n * m - m - i) / (n * m) for i in range(b))),
        ("exactly one label", lambda n, m, b: math.comb(m, 1) * math.comb(n * m - m, b - 1) / math.comb(n * m, b)),
        ("with some chance", lambda n, m, b: 1 - (1 - b / (n * m)) ** m),
        ("one label too few", _reached(labels=lambda b: b - 1)),
        ("one label too many", _reached(labels=lambda b: b + 1)),
        ("all classes at once", lambda n, m, b: _reached()(n, m, b) ** n),
        ("one image is reached", lambda n, m, b: 1 - ((n * m - 1) / (n * m)) ** b),
        ("100 times", lambda n, m, b: 100 * _reached()(n, m, b)),
        ("wanted is a number", lambda n, m, b: f"{_reached()(n, m, b):.0%}"),
        ("", lambda n, m, b: round(_reached()(n, m, b), 2)),
    ],
    "distance_to_labels": [
        ("the farthest label", _apart(nearest=lambda d: d.max(dim=1).values)),
        ("a mean over the labels", _apart(nearest=lambda d: d.mean(dim=1))),
        ("the first label only", _apart(rows=lambda x, y: x[y[0]][None])),
        ("mean of the labelled images", _apart(rows=lambda x, y: x[y].mean(dim=0, keepdim=True))),
        ("squared distances", _apart(lambda a, b: (a[:, None] - b).square().sum(dim=2))),
        ("absolute differences", _apart(lambda a, b: (a[:, None] - b).abs().sum(dim=2))),
        ("one number per label", _apart(nearest=lambda d: d.min(dim=0).values)),
        ("nearest other image", lambda x, y: torch.cdist(x, x).sort(dim=1).values[:, 1]),
        ("the numbers of the rows", lambda x, y: torch.stack([(x - x[i]).norm(dim=1) for i in range(len(y))]).amin(0)),
        ("leave it so", lambda x, y: _apart()(x, y).where(_without_label(x, y), torch.inf)),
        ("left out", lambda x, y: _apart()(x, y)[_without_label(x, y)]),
        ("one minus a cosine", _apart(lambda a, b: 1 - F.cosine_similarity(a[:, None], b, dim=2))),
        ("a mean over the features", _apart(lambda a, b: (a[:, None] - b).square().mean(dim=2).sqrt())),
        ("one feature alone", _apart(lambda a, b: (a[:, None] - b).abs().amax(dim=2))),
        ("second nearest", lambda x, y: _apart(nearest=lambda d: d.kthvalue(2, dim=1).values)(x, y)),
        ("loses its digits", _apart(lambda a, b: ((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T).sqrt())),
        ("which label is nearest", _apart(nearest=lambda d: d.min(dim=1).indices.float())),
        ("its shape is", _apart(nearest=lambda d: d.amin(dim=1, keepdim=True))),
        ("it returned a list", _by_loop(_apart())),
    ],
    "typical_score": [
        ("at distance 0", _crowd(lambda d, k: d[:, :k])),
        ("take its inverse", _crowd(score=lambda d: d.mean(dim=1))),
        ("one over it is asked for", _crowd(score=lambda d: -d.mean(dim=1))),
        ("a sum over the neighbours", _crowd(score=lambda d: 1 / d.sum(dim=1))),
        ("the mean of the inverses", _crowd(score=lambda d: d.reciprocal().mean(dim=1))),
        ("the farthest images", _crowd(lambda d, k: d.topk(k).values)),
        ("divide by k, not by k + 1", _crowd(lambda d, k: d[:, : k + 1])),
        ("k-th neighbour alone", lambda x, k: 1 / torch.cdist(x, x).kthvalue(k + 1, dim=1).values),
        ("all other images", _crowd(lambda d, k: d[:, 1:])),
        ("all images were taken", _crowd(lambda d, k: d)),
        ("there is a 1 too much", _crowd(score=lambda d: 1 / (d.mean(dim=1) + 1))),
        ("orders alike", _crowd(score=lambda d: torch.exp(-d.mean(dim=1)))),
        ("the median", _crowd(score=lambda d: 1 / d.median(dim=1).values)),
        ("brought to length 1", _crowd(of=lambda x: x / x.norm(dim=1, keepdim=True))),
        ("distances are squared", _crowd(distance=lambda a, b: (a[:, None] - b).square().sum(dim=2))),
        ("from the middle of all", lambda x, k: 1 / torch.cdist(x, x.mean(dim=0, keepdim=True))[:, 0]),
        ("times what they must be", _crowd(score=lambda d: F.normalize(1 / d.mean(dim=1), p=1, dim=0))),
        ("it returned a list", _by_loop(_crowd())),
        ("", _crowd(score=lambda d: 1 / d.mean(dim=1).sqrt() + 0.1)),
    ],
    "wrong_label_shift": [
        ("the wrong image counts too", lambda k, d: (k * 0 + d) / k),
        ("what is left of the way", lambda k, d: d - d / (k + 1)),
        ("half-way is right", lambda k, d: (0 + d) / 2),
        ("multiply by the distance", lambda k, d: 1 / (1 + k)),
        ("one image too many", lambda k, d: d / (k + 1 + 1)),
        ("not like one over its root", lambda k, d: d * (k + 1) ** -0.5),
        ("the distance is squared", lambda k, d: d**2 / (k + 1)),
        ("you divided twice", lambda k, d: torch.tensor([0.0] * k + [d]).mean().item() / (k + 1)),
        ("one image too few", lambda k, d: d / (k - 1) if k > 1 else d / k),
        ("the distance is missing", lambda k, d: 1 - 1 / (k + 1)),
        ("not each label halves", lambda k, d: d / 2**k),
        ("the spread of the labels", lambda k, d: torch.tensor([0.0] * k + [d]).std(correction=0).item()),
        ("the mean was at 0 before", lambda k, d: d / k - d / (k + 1)),
        ("a share of the way in percent", lambda k, d: 100 / (k + 1)),
        ("a distance is not negative", lambda k, d: 0 - d / (k + 1)),
        ("it returned a tuple", lambda k, d: (0.0, d / (k + 1))),
        ("its shape is", lambda k, d: torch.tensor([d / (k + 1)])),
        ("", lambda k, d: round(d / (k + 1))),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
