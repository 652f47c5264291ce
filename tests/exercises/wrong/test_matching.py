"""Exercises of chapter 6: wrong answers that people write, and what they are told."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.nn import functional as F


def _cosines(f, g):
    return F.normalize(f, dim=1) @ F.normalize(g, dim=1).T


def _votes(attention, join=lambda w: w.sum(1)):
    def version(s, y, n, scale):
        w = attention(scale * s)
        return torch.stack([join(w[:, y == c]) for c in range(n)], dim=1)

    return version


def _softmax(x):
    return x.softmax(dim=1)


def _loss(final=lambda p: -p.log().mean(), attention=_softmax, join=lambda w: w.sum(1)):
    def version(scores, labels, query_y, n):
        w = attention(scores)
        p = torch.stack([join(w[:, labels == c]) for c in range(n)], dim=1)
        return final(p.gather(1, query_y[:, None])[:, 0])

    return version


def _caps(own=lambda k, s: k * math.exp(min(s, 80)), other=lambda r, s: r * math.exp(-min(s, 80))):
    return lambda k, s: own(k, s) / (own(k, s) + other(k.sum() - k, s))


def _entropy(log=torch.log, power=torch.exp, of=lambda a: a):
    return lambda a: power(-torch.where(of(a) > 0, of(a) * log(of(a).clamp_min(1e-30)), 0).sum(1))


WRONG = {
    "cosine_similarities": [
        ("a vector of zeros gives NaN", lambda f, g: f @ g.T / (f.norm(dim=1)[:, None] * g.norm(dim=1))),
        ("inner products", lambda f, g: f @ g.T),
        ("length of the queries", lambda f, g: f @ F.normalize(g, dim=1).T),
        ("length of the support", lambda f, g: F.normalize(f, dim=1) @ g.T),
        ("these are distances", lambda f, g: 1 - _cosines(f, g)),
        ("minus distances", lambda f, g: -(F.normalize(f, dim=1)[:, None] - F.normalize(g, dim=1)).norm(dim=2)),
        ("each feature over all images", lambda f, g: F.normalize(f, dim=0) @ F.normalize(g, dim=0).T),
        ("the sign is turned round", lambda f, g: -_cosines(f, g)),
        ("square of what it must be", lambda f, g: _cosines(f, g) ** 2),
        ("lost their sign", lambda f, g: _cosines(f, g).abs()),
        ("these are angles", lambda f, g: _cosines(f, g).clamp(-1, 1).acos()),
        ("the root of the sum of squares", lambda f, g: F.normalize(f, p=1, dim=1) @ F.normalize(g, p=1, dim=1).T),
        ("mean of the features", lambda f, g: _cosines(f - f.mean(1, keepdim=True), g - g.mean(1, keepdim=True))),
        ("is not finite", lambda f, g: (f @ g.T / (f.norm(dim=1)[:, None] * g.norm(dim=1))).nan_to_num(0.0)),
        ("its shape is", lambda f, g: _cosines(g, f)),
    ],
    "class_probabilities": [
        ("a large scale gives NaN", _votes(lambda x: x.exp() / x.exp().sum(1, keepdim=True))),
        ("mean of the weights", _votes(_softmax, lambda w: w.mean(1))),
        ("the scale has no influence", lambda s, y, n, scale: _votes(_softmax)(s, y, n, 1.0)),
        ("makes yours less sure", lambda s, y, n, scale: _votes(_softmax)(s, y, n, 1 / scale)),
        ("over the queries", _votes(lambda x: x.softmax(0))),
        ("added up similarities before", lambda *a: _votes(lambda x: x)(*a).softmax(1)),
        ("averaged similarities before", lambda *a: _votes(lambda x: x, lambda w: w.mean(1))(*a).softmax(1)),
        ("one softmax too many", lambda *a: _votes(_softmax)(*a).softmax(1)),
        ("the logarithm of what", lambda *a: _votes(_softmax)(*a).clamp_min(1e-38).log()),
        ("largest weight of each class", _votes(_softmax, lambda w: w.amax(1))),
        ("the least alike", _votes(lambda x: (-x).softmax(1))),
        ("a sigmoid", _votes(torch.sigmoid)),
        ("these are decisions", lambda *a: F.one_hot(_votes(_softmax)(*a).argmax(1), a[2]).to(a[0])),
        ("its shape is", lambda *a: _votes(_softmax)(*a).T),
    ],
    "matching_loss": [
        ("the loss is infinite", _loss()),
        ("were lifted", _loss(lambda p: -(p + 1e-8).log().mean())),
        ("were lifted", _loss(lambda p: -p.clamp_min(1e-7).log().mean())),
        ("were lifted", _loss(lambda p: -(p + 1e-12).log().mean())),
        ("averaged logarithms", _loss(lambda p: -p.mean(), lambda s: s.log_softmax(1), lambda w: w.mean(1))),
        ("applied to probabilities", lambda s, y, q, n: F.cross_entropy(_votes(_softmax)(s, y, n, 1.0), q)),
        ("added up the scores", lambda s, y, q, n: F.cross_entropy(_votes(lambda x: x)(s, y, n, 1.0), q)),
        ("a sum over the queries", lambda s, y, q, n: 7 * _right_loss(s, y, q, n)),
        ("this rewards mistakes", lambda *a: -_right_loss(*a)),
        ("the logarithm is missing", _loss(lambda p: -p.mean())),
        ("one minus the probability", _loss(lambda p: (1 - p).mean())),
        ("squared errors", _loss(lambda p: (1 - p).square().mean())),
        ("its shape is [7], wanted is []", _loss(lambda p: -p.log())),
        ("one image of the class alone", lambda s, y, q, n: _best_image_loss(s, y, q)),
        ("got the score 0",
            lambda s, y, q, n: (s.logsumexp(1) - torch.where(y == q[:, None], s, 0).logsumexp(1)).mean()),
    ],
    "confidence_caps": [
        ("you counted the classes", lambda k, s: _caps()(torch.ones_like(k), s)),
        ("a large scale gives NaN", lambda k, s: k * torch.tensor(s).exp()
            / (k * torch.tensor(s).exp() + (k.sum() - k) * torch.tensor(-s).exp())),
        ("a cosine of 0", _caps(other=lambda r, s: r)),
        ("the scale has no influence", lambda k, s: _caps()(k, 1.0)),
        ("makes yours less sure", lambda k, s: _caps()(k, 1 / s)),
        ("counted twice", lambda k, s: k / (k + k.sum() * math.exp(-2 * s))),
        ("share of the images", lambda k, s: k / k.sum()),
        ("one minus what it must be", lambda k, s: 1 - _caps()(k, s)),
        ("the least sure", lambda k, s: k / (k + (k.sum() - k) * math.exp(min(2 * s, 80)))),
        ("as if there were one image", lambda k, s: k / (k + math.exp(-2 * s))),
        ("its shape is [], wanted is [6]", lambda k, s: _caps()(k, s).amax()),
        ("2 in the exponent twice", lambda k, s: k / (k + (k.sum() - k) * math.exp(-4 * s))),
    ],
    "scale_for_confidence": [
        ("twice what is needed", lambda p, n: math.log(p * (n - 1) / (1 - p))),
        ("this is the temperature", lambda p, n: 2 / math.log(p * (n - 1) / (1 - p))),
        ("you counted N wrong classes", lambda p, n: 0.5 * math.log(p * n / (1 - p))),
        ("falls when the wanted confidence rises", lambda p, n: 0.5 * math.log((1 - p) * (n - 1) / p)),
        ("number of classes has no influence", lambda p, n: 0.5 * math.log(p / (1 - p))),
        ("wanted confidence has no influence", lambda p, n: 0.5 * math.log(n - 1)),
        ("the odds", lambda p, n: 0.5 * math.log(p * (n - 1))),
        ("the logarithm is missing", lambda p, n: 0.5 * p * (n - 1) / (1 - p)),
        ("the logarithm is missing", lambda p, n: math.sqrt(p * (n - 1) / (1 - p))),
        ("sign is turned round", lambda p, n: -0.5 * math.log(p * (n - 1) / (1 - p))),
        ("base e", lambda p, n: 0.5 * math.log2(p * (n - 1) / (1 - p))),
        ("base e", lambda p, n: 0.5 * math.log10(p * (n - 1) / (1 - p))),
        ("", lambda p, n: 0.5 * math.log(p / (1 - p) / (n - 1))),
    ],
    "images_attended": [
        ("a weight of 0 gives NaN", lambda a: (-(a * a.log()).sum(1)).exp()),
        ("this is the entropy", _entropy(power=lambda h: h)),
        ("your power has base 2", _entropy(power=lambda h: 2**h)),
        ("squared weights", lambda a: 1 / (a * a).sum(1)),
        ("yours is at most 1", _entropy(power=lambda h: (-h).exp())),
        ("averaged over the queries", lambda a: _entropy()(a).mean()),
        ("above zero", lambda a: (a > 0).sum(1).to(a)),
        ("logarithm has base 2", _entropy(log=torch.log2)),
        ("the largest weight", lambda a: 1 / a.amax(1)),
        ("the largest weight", lambda a: a.amax(1)),
        ("a softmax more", _entropy(of=lambda a: a.softmax(1))),
        ("its shape is [12], wanted is [7]", lambda a: (-torch.special.xlogy(a, a).sum(0)).exp()),
        ("took the mean", lambda a: (-torch.special.xlogy(a, a).mean(1)).exp()),
    ],
}  # fmt: skip


def _right_loss(scores, labels, query_y, n):
    own = scores.masked_fill(labels != query_y[:, None], -torch.inf)
    return (scores.logsumexp(1) - own.logsumexp(1)).mean()


def _best_image_loss(scores, labels, query_y):
    own = scores.masked_fill(labels != query_y[:, None], -torch.inf)
    return (scores.logsumexp(1) - own.amax(1)).mean()


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
