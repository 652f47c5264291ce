"""Exercises of chapter 1: wrong answers that people write, and what they are told."""

from __future__ import annotations

import math
from copy import deepcopy

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch import nn
from torch.nn import functional as F


def _sum(term, start=0, stop=1):
    return lambda n, m, k: sum(term(math.comb(m, r), 1 / n, r, m) for r in range(k + start, m + stop))


def _exact(ways, p, r, m):
    return ways * p**r * (1 - p) ** (m - r)


def _nearest(measure, pick=torch.argmin):
    return lambda x, y, new: y[pick(measure(new.float()[:, None], x.float()[None]), dim=1)]


def _by_class(images, labels, new):
    means = torch.stack([images[labels == c].float().mean(0) for c in labels.unique()])
    return labels.unique()[torch.cdist(new.flatten(1).float(), means.flatten(1)).argmin(1)]


def _step(error, weight=lambda w, g, lr: w - lr * g, bias=None):
    def version(w, b, x, y, lr):
        e = error(x @ w.T + b, F.one_hot(y, len(b)).to(x.dtype))
        return weight(w, e.T @ x / len(x), lr), (bias or weight)(b, e.mean(0), lr)

    return version


def _error(logits, right):
    return logits.softmax(1) - right


def _needed(
    bits=lambda n: 32 * n * math.log(2), cost=lambda d: math.log(1 / d), under=lambda g: 2 * g * g, to=math.ceil
):
    return lambda n, g, d: to((bits(n) + cost(d)) / under(g))


def _renewed(change, images=lambda x: x, passes=1, train=True):
    """A copy whose batch norms are changed, after some passes."""

    @torch.no_grad()
    def version(network, x):
        network = deepcopy(network).train(train)
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                change(norm)
        for _ in range(passes):
            network(images(x))
        return network.eval()

    return version


def _set(**settings):
    return lambda norm: [setattr(norm, name, value) for name, value in settings.items()]


@torch.no_grad()
def _in_place(network, images):
    _set(momentum=1.0)(network[1])
    network.train()(images)
    return network.eval()


def _moved(place, whole=round, middle=lambda n: (n - 1) / 2):
    def version(images):
        moved = []
        for image in images:
            to = [whole(float(middle(n) - p)) for n, p in zip(image.shape[1:], place(image[0]), strict=True)]
            moved.append(image.roll(to, dims=(1, 2)))
        return torch.stack(moved)

    return version


def _mass(ink):
    return [(x * torch.arange(len(x))).sum() / x.sum() for x in (ink.sum(1), ink.sum(0))]


def _box(ink):
    return [(rows.min() + rows.max()) / 2 for rows in ink.nonzero().T]


WRONG = {
    "lucky_guesses": [
        ("exactly n_right", lambda n, m, k: math.comb(m, k) / n**k * (1 - 1 / n) ** (m - k)),
        ("all guesses are right is left out", _sum(_exact, stop=0)),
        ("n_right itself counts", _sum(_exact, start=1)),
        ("in how many ways", _sum(lambda ways, p, r, m: p**r * (1 - p) ** (m - r))),
        ("the other guesses must be wrong", _sum(lambda ways, p, r, m: ways * p**r)),
        ("changed places", _sum(lambda ways, p, r, m: ways * (1 - p) ** r * p ** (m - r))),
        ("probability 1 / n_classes", lambda n, m, k: _sum(_exact)(2, m, k)),
        ("as in percent", lambda n, m, k: 100 * _sum(_exact)(n, m, k)),
        ("one minus what it must be", lambda n, m, k: 1 - _sum(_exact)(n, m, k)),
        ("for at most", lambda n, m, k: sum(_exact(math.comb(m, r), 1 / n, r, m) for r in range(k + 1))),
        ("for at least one", lambda n, m, k: 1 - (1 - 1 / n) ** m),
        ("", lambda n, m, k: math.erfc((k - m / n) / math.sqrt(2 * m / n * (1 - 1 / n))) / 2),
    ],
    "nearest_image": [
        ("largest difference", _nearest(lambda a, b: (a - b).flatten(2).abs().amax(2))),
        ("absolute differences", _nearest(lambda a, b: (a - b).flatten(2).abs().sum(2))),
        ("farthest", _nearest(lambda a, b: (a - b).flatten(2).norm(dim=2), torch.argmax)),
        ("how much ink", _nearest(lambda a, b: (a - b).flatten(2).sum(2).abs())),
        ("cosines", _nearest(lambda a, b: F.cosine_similarity(a.flatten(2), b.flatten(2), dim=2), torch.argmax)),
        ("inner products", _nearest(lambda a, b: (a * b).flatten(2).sum(2), torch.argmax)),
        ("mean image of each class", _by_class),
        ("rows of the nearest", lambda x, y, new: torch.cdist(new.flatten(1).float(), x.flatten(1).float()).argmin(1)),
        ("three nearest vote", lambda x, y, new: y[torch.cdist(new.flatten(1).float(), x.flatten(1).float())
            .topk(3, largest=False).indices].mode(1).values),
        ("its shape is", lambda x, y, new: y[torch.cdist(new.flatten(1).float(), x.flatten(1).float()).argmin(0)]),
        ("3 − 5 gives 254", lambda x, y, new: y[((new[:, None] - x) ** 2).flatten(2).sum(2).argmin(1)]),
        ("wanted are whole numbers", lambda *a: _nearest(lambda a, b: (a - b).flatten(2).norm(dim=2))(*a).float()),
    ],
    "gradient_step": [
        ("up the slope", _step(_error, lambda w, g, lr: w + lr * g)),
        ("added up the losses", lambda w, b, x, y, lr: _step(_error)(w, b, x, y, lr * len(x))),
        ("the weight did not move", _step(_error, lambda w, g, lr: w, lambda b, g, lr: b - lr * g)),
        ("the bias did not move", _step(_error, bias=lambda b, g, lr: b)),
        ("does not depend on lr", _step(_error, lambda w, g, lr: w - g)),
        ("runs over the images", _step(lambda z, right: z.softmax(0) - right)),
        ("right classes have no influence", _step(lambda z, right: z.softmax(1))),
        ("sigmoid", _step(lambda z, right: z.sigmoid() - right)),
        ("without a softmax", _step(lambda z, right: z - right)),
        ("these are the gradients", _step(_error, lambda w, g, lr: g)),
        ("its shape is [6, 4], wanted is [4, 6]", lambda *a: [_step(_error)(*a)[0].T, _step(_error)(*a)[1]]),
        ("begins at zero", lambda w, b, x, y, lr: _step(_error)(0 * w, 0 * b, x, y, lr)),
        ("two steps", lambda w, b, x, y, lr: _step(_error)(*_step(_error)(w, b, x, y, lr), x, y, lr)),
        ("", lambda w, b, x, y, lr: _step(_error)(w, b, x, y, lr / len(b))),
    ],
    "images_for_bound": [
        ("round up", _needed(to=int)),
        ("round up", _needed(to=round)),
        ("you counted bits", _needed(bits=lambda n: 32 * n)),
        ("2 under the root", _needed(under=lambda g: g * g)),
        ("undo it by a square", _needed(under=lambda g: 2 * g)),
        ("does not depend on delta", _needed(cost=lambda d: 0)),
        ("has 32 bits", _needed(bits=lambda n: n * math.log(2))),
        ("which is positive", _needed(cost=math.log)),
        ("the logarithm is taken as well", _needed(cost=lambda d: 1 / d)),
        ("wanted is a whole number", _needed(to=float)),
        ("2 to the power 32 P ways", _needed(bits=lambda n: 32 * math.log(2 * n))),
        ("they multiply", _needed(bits=lambda n: n * 2**32)),
        ("", _needed(cost=lambda d: math.log10(1 / d))),
    ],
    "recalibrated": [
        ("only a part of the way", _renewed(lambda norm: None)),
        ("only a part of the way", _renewed(lambda norm: None, passes=3)),
        ("are the old ones", _renewed(_set(momentum=1.0), train=False)),
        ("are the old ones", _renewed(_set(momentum=0.0))),
        ("no image was looked at", _renewed(nn.BatchNorm2d.reset_running_stats, passes=0)),
        ("no longer keeps running averages", _renewed(_set(running_mean=None, running_var=None), train=False)),
        ("no longer keeps running averages", _renewed(_set(track_running_stats=False))),
        ("in training mode", lambda network, x: _renewed(_set(momentum=1.0))(network, x).train()),
        ("it changed its arguments", _in_place),
        ("a Tensor, wanted is a network", lambda network, x: network(x)),
        ("of 1 batch norms 0 are left", lambda network, x: nn.Sequential(*network[:1], *network[2:]).eval()),
        ("weights have changed", _renewed(lambda norm: norm.weight.fill_(1.0))),
        ("not those that it gives in training mode", _renewed(_set(momentum=1.0), images=lambda x: x[:2])),
    ],
    "centred": [
        ("nothing has moved", lambda x: x.clone()),
        ("the wrong way", _moved(_mass, whole=lambda s: -round(s))),
        ("(n − 1) / 2", _moved(_mass, middle=lambda n: n / 2)),
        ("rows and columns are mixed up", _moved(lambda ink: _mass(ink)[::-1])),
        ("int() cuts it off", _moved(_mass, whole=int)),
        ("not always downwards", _moved(_mass, whole=math.floor)),
        ("where there is ink", _moved(_box)),
        ("where there is ink", _moved(lambda ink: _mass((ink > 0).float()))),
        ("the darkest pixel", _moved(lambda ink: divmod(int(ink.argmax()), ink.shape[1]))),
        ("up and down alone", _moved(lambda ink: (_mass(ink)[0], (ink.shape[1] - 1) / 2))),
        ("sideways alone", _moved(lambda ink: ((ink.shape[0] - 1) / 2, _mass(ink)[1]))),
        ("its shape is", lambda x: _moved(_mass)(x)[:, 0]),
        ("", _moved(lambda ink: _mass(ink**2))),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
