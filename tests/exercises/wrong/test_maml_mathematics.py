"""Exercises of chapter 8: wrong answers that people write, and what they are told."""

from __future__ import annotations

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.func import grad, jacrev


def _walk(change, steps=lambda k: k):
    def version(w, H, t, a, k):
        start = w
        for _ in range(steps(k)):
            w = change(w, H, t, a, start)
        return w

    return version


def _step(w, H, t, a, start):
    return w - a * H @ (w - t)


def _back(factor, order=1, start=lambda g: g):
    def version(H, g, a):
        v = start(g)
        for h in [*H][::-1][::order]:
            v = factor(v, h, a, g)
        return v

    return version


def _factor(v, h, a, g):
    return v - a * h @ v


def _start(votes):
    def version(c, t, a, k):
        w = votes(c, 1 - a * c, k)
        return (w * t).sum() / w.sum()

    return version


def _parts(support, query, theta, alpha, steps, second=True):
    v, points = theta, []
    for _ in range(steps):
        points.append(v)
        v = v - alpha * grad(support)(v)
    first = full = grad(query)(v)
    for p in reversed(points):
        full = full - alpha * jacrev(grad(support))(p) @ full
    return full, first


def _adapt(keep=lambda slope: slope, stay=lambda theta, step: theta, sign=1, rate=lambda a: a, number=lambda k: k):
    def version(loss, theta, alpha, steps):
        for step in range(number(steps)):
            theta = stay(theta, step)
            theta = theta - sign * rate(alpha) * keep(grad(loss)(theta))
        return theta

    return version


def _lazy(loss, theta, alpha, steps):
    return theta - steps * alpha * grad(loss)(theta)


WRONG = {
    "valley_steps": [
        ("you went uphill", _walk(lambda w, H, t, a, s: w + a * H @ (w - t))),
        ("you walk to 0", _walk(lambda w, H, t, a, s: w - a * H @ w)),
        ("the slope of the start", _walk(lambda w, H, t, a, s: w - a * H @ (s - t))),
        ("you took one step", _walk(_step, lambda k: 1)),
        ("one step too few", _walk(_step, lambda k: max(k - 1, 0))),
        ("one step too many", _walk(_step, lambda k: k + 1)),
        ("the diagonal of H", _walk(lambda w, H, t, a, s: w - a * H.diagonal() * (w - t))),
        ("without H", _walk(lambda w, H, t, a, s: w - a * (w - t))),
        ("α is missing", _walk(lambda w, H, t, a, s: w - H @ (w - t))),
        ("distance from the minimum", lambda *z: _walk(_step)(*z) - z[2]),
        ("twice the slope", _walk(lambda w, H, t, a, s: w - 2 * a * H @ (w - t))),
        ("this is the minimum itself", lambda w, H, t, a, k: t.clone()),
        ("nothing has moved", lambda w, H, t, a, k: w.clone()),
    ],
    "back_through_steps": [
        ("in the wrong order", _back(_factor, -1)),
        ("sign of αH", _back(lambda v, h, a, g: v + a * h @ v)),
        ("must be multiplied", lambda H, g, a: g - a * H.sum(0) @ g),
        ("only the last step", lambda H, g, a: g - a * H[-1] @ g if len(H) else g),
        ("only the first step", lambda H, g, a: g - a * H[0] @ g if len(H) else g),
        ("first-order gradient", lambda H, g, a: g.clone()),
        ("Hessian term alone", lambda H, g, a: -a * H[0] @ g if len(H) else g),
        ("α is missing", _back(lambda v, h, a, g: v - h @ v)),
        ("the 1 is missing", _back(lambda v, h, a, g: -a * h @ v)),
        ("the diagonals", _back(lambda v, h, a, g: v - a * h.diagonal() * v)),
        ("mean of the Hessians",
            lambda H, g, a: _back(_factor)(H.mean(0, keepdim=True).expand_as(H), g, a) if len(H) else g),
        ("multiplied matrices",
            lambda H, g, a: torch.linalg.multi_dot([*(torch.eye(4).to(g) - a * H), torch.eye(4).to(g)]) @ g
            if len(H) else g),
        ("its shape is [4, 4]", lambda H, g, a: torch.eye(4).to(g) - a * H.sum(0)),
    ],
    "best_start": [
        ("play no part", _start(lambda c, f, k: c)),
        ("first-order gradient settles", _start(lambda c, f, k: c * f**k)),
        ("the same vote", lambda c, t, a, k: t.mean()),
        ("how steep", _start(lambda c, f, k: f ** (2 * k))),
        ("add up to 1", lambda c, t, a, k: (c * (1 - a * c) ** (2 * k) * t).mean()),
        ("one step, whatever number", _start(lambda c, f, k: c * f**2)),
        ("counts once, not squared", _start(lambda c, f, k: c**2 * f ** (2 * k))),
        ("sign of α", lambda c, t, a, k: _start(lambda c, f, k: c * f ** (2 * k))(c, t, -a, k)),
        ("multiplied by 2k", _start(lambda c, f, k: c * f * 2 * k if k else c)),
        ("its shape is [5]", lambda c, t, a, k: c * (1 - a * c) ** (2 * k) * t),
        ("turned round", _start(lambda c, f, k: 1 / c)),
        ("median", lambda c, t, a, k: t.median()),
        ("how far the steps get", _start(lambda c, f, k: c * (1 - f**k) ** 2 if k else c)),
    ],
    "hessian_share": [
        ("compare with the full", lambda *z: _share(*_parts(*z)[::-1])),
        ("these are squared lengths", lambda *z: _share(*_parts(*z)) ** 2),
        ("this is the cosine", lambda *z: torch.cosine_similarity(*_parts(*z), dim=0)),
        ("where is it taken", lambda s, q, w, a, k: _share(_parts(s, q, w, a, k)[0], grad(q)(w))),
        ("the support loss", lambda s, q, w, a, k: _share(*_parts(s, s, w, a, k))),
        ("length of the difference alone", lambda *z: (lambda f, g: (f - g).norm())(*_parts(*z))),
        ("difference of the lengths", lambda *z: (lambda f, g: (f.norm() - g.norm()).abs() / f.norm())(*_parts(*z))),
        ("sums of absolute values", lambda *z: (lambda f, g: (f - g).abs().sum() / f.abs().sum())(*_parts(*z))),
        ("one step, whatever number", lambda s, q, w, a, k: _share(*_parts(s, q, w, a, 1))),
        ("first-order gradient for the whole", lambda *z: (lambda f, g: g.norm() / f.norm())(*_parts(*z))),
        ("its shape is [10]", lambda *z: (lambda f, g: (f - g) / f)(*_parts(*z))),
        ("one minus what", lambda *z: 1 - _share(*_parts(*z))),
        ("100 times", lambda *z: 100 * _share(*_parts(*z))),
    ],
    "hessian_vector_product": [
        ("entry by entry", lambda loss, w, v: jacrev(grad(loss))(w).sum(0) * v),
        ("the diagonal of the Hessian", lambda loss, w, v: jacrev(grad(loss))(w).diagonal() * v),
        ("first derivatives only", lambda loss, w, v: grad(loss)(w) * v),
        ("one number: go on", lambda loss, w, v: grad(loss)(w) @ v),
        ("not small", lambda loss, w, v: grad(loss)(w + v) - grad(loss)(w)),
        ("you built the Hessian", lambda loss, w, v: jacrev(grad(loss))(w) @ v),
        ("row by row", lambda loss, w, v: torch.stack([_row(loss, w, i) @ v for i in range(len(w))])),
        ("its shape is []", lambda loss, w, v: v @ jacrev(grad(loss))(w) @ v),
        ("the sign is turned round", lambda loss, w, v: -jacrev(grad(loss))(w) @ v),
        ("this is the gradient, and no Hessian", lambda loss, w, v: grad(loss)(w)),
        ("twice what", lambda loss, w, v: 2 * jacrev(grad(loss))(w) @ v),
        ("applied twice", lambda loss, w, v: jacrev(grad(loss))(w) @ (jacrev(grad(loss))(w) @ v)),
        ("have changed places", lambda loss, w, v: jacrev(grad(loss))(v) @ w),
    ],
    "adapted": [
        ("you went uphill", _adapt(sign=-1)),
        ("mere numbers", _adapt(keep=torch.Tensor.detach)),
        ("it is a copy", lambda *z: _adapt()(*z).detach()),
        ("it is a copy", lambda loss, w, a, k: _adapt()(loss, w.detach().clone(), a, k)),
        ("it is a copy", _adapt(stay=lambda theta, step: theta.detach() if step else theta)),
        ("the slope of the start", _lazy),
        ("α is missing", _adapt(rate=lambda a: 1.0)),
        ("one step, whatever number", _adapt(number=lambda k: 1)),
        ("one step too many", _adapt(number=lambda k: k + 1)),
        ("nothing has moved", lambda loss, w, a, k: 1 * w),
        ("it changed its arguments", lambda loss, w, a, k: w.data.sub_(a * grad(loss)(w.detach()))),
        ("is not what the task asks for", lambda loss, w, a, k: [_adapt()(loss, w, a, k)]),
        ("this is the slope", lambda loss, w, a, k: grad(loss)(_adapt()(loss, w, a, k - 1))),
        ("divided by the number of steps", lambda loss, w, a, k: _adapt()(loss, w, a / k, k)),
    ],
}  # fmt: skip


def _share(full, first):
    return (full - first).norm() / full.norm()


def _row(loss, theta, i):
    return grad(lambda w: grad(loss)(w)[i])(theta)


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
