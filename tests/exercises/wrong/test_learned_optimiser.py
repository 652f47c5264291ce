"""Exercises of chapter 17: wrong answers that people write, and what they are told."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_rejected, by_name_and_words


def _step(keep=torch.sigmoid, add=torch.sigmoid, new=lambda w, g: g):
    return lambda w, g, f, i: keep(f) * w - add(i) * new(w, g)


def _told(share=lambda f, t: f[t + 1 :].prod(dim=0), end=lambda q: q, sign=-1.0):
    return lambda f, g, q: torch.stack([sign * g[t] * share(f, t) * end(q) for t in range(len(f))])


def _back(large=lambda f, s, p: s * math.exp(p * f), small=lambda f, s, p: s * math.exp(-p)):
    def version(pairs, p):
        numbers = [large(f, s, p) if f > -1 else small(f, s, p) for f, s in pairs.tolist()]
        return torch.tensor(numbers, dtype=pairs.dtype)

    return version


def _losses(end=lambda c, x, t, r: x * (1 - r * c) ** t, loss=lambda c, e: 0.5 * (c * e.square()).sum()):
    return lambda c, x, t, rates: torch.stack([loss(c, end(c, x, t, r)) for r in rates])


def _on_the_way(of):
    return lambda c, x, t, r: of(torch.stack([_losses()(c, x, k, r) for k in range(1, t + 1)]))


WRONG = {
    "gated_step": [
        ("before their sigmoid", lambda w, g, f, i: f * w - i * g),
        ("steps along the gradient", lambda w, g, f, i: f.sigmoid() * w + i.sigmoid() * g),
        ("the forget gate is missing", _step(keep=torch.ones_like)),
        ("the input gate is missing", _step(add=torch.ones_like)),
        ("have changed places", lambda w, g, f, i: i.sigmoid() * w - f.sigmoid() * g),
        ("one gate decides over both", lambda w, g, f, i: f.sigmoid() * w - (1 - f.sigmoid()) * g),
        ("shrinks the step as well", lambda w, g, f, i: f.sigmoid() * (w - i.sigmoid() * g)),
        ("the old weight is missing", _step(keep=torch.zeros_like)),
        ("squashes its new content", _step(new=lambda w, g: g.tanh())),
        ("the forget gate lacks", _step(keep=lambda f: f)),
        ("the input gate lacks", _step(add=lambda i: i)),
        ("not only its sign", _step(new=lambda w, g: g.sign())),
        ("exp has no upper end", _step(add=torch.exp)),
        ("made it forget all", _step(keep=lambda f: 1 - f.sigmoid())),
        ("a tanh may be negative", _step(keep=torch.tanh, add=torch.tanh)),
        ("not against the weight", _step(new=lambda w, g: w)),
        ("let", lambda w, g, f, i: f.softmax(0) * w - i.softmax(0) * g),
        ("the step is missing", _step(add=torch.zeros_like)),
        ("it returned a list", lambda w, g, f, i: _step()(w, g, f, i).tolist()),
        ("gradient", lambda w, g, f, i: _step()(w, g, f, i).detach()),
        ("its shape is", lambda w, g, f, i: _step()(w, g, f, i).sum()),
    ],
    "bias_for_rate": [
        ("exp of this is the rate", lambda r: math.log(r)),
        ("one minus the rate", lambda r: math.log(1 / r - 1)),
        ("the sigmoid is still to come", lambda r: r),
        ("the sigmoid of the rate", lambda r: torch.tensor(r).sigmoid().item()),
        ("the logarithm is missing", lambda r: r / (1 - r)),
        ("take the natural logarithm", lambda r: math.log10(r) - math.log10(1 - r)),
        ("below the line", lambda r: math.log(r) - math.log(1 + r)),
        ("above the line is missing", lambda r: math.log1p(-r)),
        ("the inverse of tanh", lambda r: math.log((1 + r) / (1 - r)) / 2),
        ("not base 2", lambda r: math.log2(r / (1 - r))),
        ("minus the logarithm", lambda r: math.log(1 / r)),
        ("the slope of the sigmoid", lambda r: r - r * r),
        ("one over the rate", lambda r: -1 / r),
        ("where forget gates begin", lambda r: 4.5),
        ("half of it belongs to tanh", lambda r: math.log(r / (1 - r)) / 2),
        ("it returned a tuple", lambda r: (math.log(r / (1 - r)),)),
        ("its shape is", lambda r: torch.tensor([math.log(r / (1 - r))])),
        ("", lambda r: round(math.log(r / (1 - r)), 1)),
    ],
    "told_to_steps": [
        ("the sign is turned round", _told(sign=1.0)),
        ("later forget gates shrink", lambda f, g, q: -g * q),
        ("begin with the next one", _told(lambda f, t: f[t:].prod(dim=0))),
        ("earlier steps do not touch", _told(lambda f, t: f.prod(dim=0))),
        ("the steps before", _told(lambda f, t: f[:t].prod(dim=0))),
        ("not only that of the next", _told(lambda f, t: f[t + 1] if t + 1 < len(f) else torch.ones_like(f[0]))),
        ("gradient at the end is missing", _told(end=torch.ones_like)),
        ("of the step itself is missing", lambda f, g, q: _told()(f, torch.ones_like(g), q)),
        ("gates up to this step", _told(lambda f, t: f[: t + 1].prod(dim=0))),
        ("that may be 0", lambda f, g, q: -g * q * f.prod(dim=0) / f.cumprod(dim=0)),
        ("do not add them", _told(lambda f, t: f[t + 1 :].sum(dim=0))),
        ("no mean over the steps", lambda f, g, q: _told()(f, g, q) / len(g)),
        ("added up the steps", lambda f, g, q: _told()(f, g, q).sum(dim=0)),
        ("added up the weights", lambda f, g, q: _told()(f, g, q).sum(dim=1)),
        ("in the order of the steps", lambda f, g, q: _told()(f, g.flip(0), q)),
        ("the later ones do", lambda f, g, q: -g * f * q),
        ("not to the input gates", lambda f, g, q: f.flip(0).cumprod(0).flip(0) * q),
        ("it returned a list", lambda f, g, q: _told()(f, g, q).tolist()),
        ("", _told(lambda f, t: f[t + 1 :].mean(dim=0).nan_to_num(1.0))),
    ],
    "number_behind": [
        ("multiply by it first", _back(lambda f, s, p: s * math.exp(f))),
        ("you divided once more", _back(lambda f, s, p: s * math.exp(f / p))),
        ("not one to base 10", _back(lambda f, s, p: s * 10 ** (p * f))),
        ("not one to base 2", _back(lambda f, s, p: s * 2 ** (p * f))),
        ("of the logarithm is turned round", _back(lambda f, s, p: s / math.exp(p * f))),
        ("sign of the large numbers is lost", _back(lambda f, s, p: math.exp(p * f))),
        ("the logarithm still", _back(lambda f, s, p: s * (p * f))),
        ("not used at all", lambda pairs, p: torch.exp(pairs[:, 0] * p)),
        ("more than a sign", lambda pairs, p: pairs[:, 1].sign() * torch.exp(pairs[:, 0] * p)),
        ("undo that", _back(small=lambda f, s, p: s)),
        ("you did it again", _back(small=lambda f, s, p: s * math.exp(p))),
        ("not by p", _back(small=lambda f, s, p: s / p)),
        ("small numbers are not lost", _back(small=lambda f, s, p: 0.0)),
        ("the wrong sign", _back(small=lambda f, s, p: -s / math.exp(p))),
        ("sign of the small numbers is lost", _back(small=lambda f, s, p: abs(s) / math.exp(p))),
        ("the logarithm comes first", lambda pairs, p: _back()(pairs.flip(1), p)),
        ("not [M, 1]", lambda pairs, p: pairs[:, 1:] * torch.exp(p * pairs[:, :1])),
        ("product of the pair", lambda pairs, p: pairs[:, 0] * pairs[:, 1]),
        ("you added the sign", lambda pairs, p: pairs[:, 1] + torch.exp(p * pairs[:, 0])),
        ("it returned a list", lambda pairs, p: _back()(pairs, p).tolist()),
        ("", lambda pairs, p: _back()(pairs, p).round(decimals=1)),
    ],
    "losses_at_rates": [
        ("after one step", _losses(lambda c, x, t, r: x - r * c * x)),
        ("one step too many", _losses(lambda c, x, t, r: x * (1 - r * c) ** (t + 1))),
        ("one step too few", _losses(lambda c, x, t, r: x * (1 - r * c) ** (t - 1))),
        ("the half of the loss is missing", _losses(loss=lambda c, e: (c * e * e).sum())),
        ("missing in the loss", _losses(loss=lambda c, e: e.square().sum() / 2)),
        ("a mean over the weights", _losses(loss=lambda c, e: (c * e * e).mean() / 2)),
        ("curvature times weight", _losses(lambda c, x, t, r: x * (1 - r) ** t)),
        ("this climbs", _losses(lambda c, x, t, r: x * (1 + r * c) ** t)),
        ("all rates together", _losses(lambda c, x, t, r: x * (1 - t * r * c))),
        ("very many very small steps", _losses(lambda c, x, t, r: x * (-r * c * t).exp())),
        ("sums over the steps", _on_the_way(lambda losses: losses.sum(0))),
        ("means over the steps", _on_the_way(lambda losses: losses.mean(0))),
        ("lowest losses on the way", _on_the_way(lambda losses: losses.min(0).values)),
        ("the weight is not squared", _losses(loss=lambda c, e: 0.5 * (c * e).sum())),
        ("sizes of gradients", _losses(loss=lambda c, e: (c * e).abs().sum())),
        ("one per rate", lambda c, x, t, r: _losses()(c, x, t, r).min()),
        ("the first one", lambda c, x, t, r: _losses()(c, x, t, r[:1]).expand(len(r))),
        ("is gone in the gradient", _losses(lambda c, x, t, r: x * (1 - r * c / 2) ** t)),
        ("cancel", _losses(lambda c, x, t, r: x * (1 - 2 * r * c) ** t)),
        ("it returned a list", lambda c, x, t, r: _losses()(c, x, t, r).tolist()),
        ("", _losses(loss=lambda c, e: 0.5 * (c * e * e).sum().sqrt())),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
