"""Exercises of chapter 9: wrong answers that people write, and what they are told."""

from __future__ import annotations

import torch
from exercise_helpers import assert_rejected, by_name_and_words
from torch.func import functional_call, grad, vmap
from torch.nn import functional as F


def _slopes(network, weights, x, y, loss=F.cross_entropy):
    return grad(lambda w: loss(functional_call(network, w, (x,)), y))(weights)


def _inner(new=lambda w, g, a: w - a * g, loss=F.cross_entropy, moves=lambda name: True):
    def version(network, weights, x, y, inner_lr):
        slopes = _slopes(network, weights, x, y, loss)
        return {n: new(w, slopes[n], inner_lr) if moves(n) else w for n, w in weights.items()}

    return version


def _sum(logits, y):
    return F.cross_entropy(logits, y, reduction="sum")


def _own(network):
    return {name: w.detach() for name, w in network.named_parameters()}


def _in_place(network, weights, x, y, inner_lr):
    for name, slope in _slopes(network, weights, x, y).items():
        weights[name].data -= inner_lr * slope.data
    return weights


def _maml(outer=torch.mean, steps=lambda k: k, task=lambda sx, sy, qx, qy: (sx, sy, qx, qy), cut=None):
    def version(network, support_x, support_y, query_x, query_y, inner_lr, n_steps, loss):
        losses = []
        for tensors in zip(support_x, support_y, query_x, query_y, strict=True):
            sx, sy, qx, qy = task(*tensors)
            weights = dict(network.named_parameters())
            for i in range(steps(n_steps)):
                slopes = _slopes(network, weights, sx, sy, loss)
                if cut is not None and cut(i, n_steps):
                    slopes = {n: g.detach() for n, g in slopes.items()}
                weights = {n: w - inner_lr * slopes[n] for n, w in weights.items()}
            losses.append(loss(functional_call(network, weights, (qx,)), qy))
        return outer(torch.stack(losses))

    return version


def _for_all(one):
    def version(network, weights, x, y, inner_lr):
        new = [one(network, {n: w[b] for n, w in weights.items()}, x[b], y[b], inner_lr) for b in range(len(x))]
        return {name: torch.stack([task[name] for task in new]) for name in weights}

    return version


def _first_task(network, weights, x, y, inner_lr):
    new = _for_all(_inner())(network, weights, x, y, inner_lr)
    return {n: torch.cat([new[n][:1], w[1:]]) for n, w in weights.items()}


def _common(network, weights, x, y, inner_lr):
    new = _for_all(_inner())(network, weights, x, y, inner_lr)
    return {n: w + (new[n] - w).mean(0) for n, w in weights.items()}


def _asks(change, differ=lambda a, b: not torch.equal(a, b)):
    def version(learner, support_x, support_y, query_x, n_way):
        before = learner(support_x, support_y, query_x)
        return differ(before, learner(*change(support_x, support_y, query_x)))

    return version


def _singly(of=lambda logits: logits, batch=lambda x: x, weights=lambda network, w: w):
    def version(network, w, queries):
        outputs = [functional_call(network, weights(network, w), (batch(q[None]),))[:1] for q in queries]
        return of(torch.cat(outputs))

    return version


WRONG = {
    "inner_lr_for_the_mean": [
        ("a smaller step", lambda a, n, k: a),
        ("turned round", lambda a, n, k: a / n),
        ("the authors divide, too", lambda a, n, k: a * n * k),
        ("what the authors divide by", lambda a, n, k: a * k),
        ("what the authors divide by", lambda a, n, k: a / k),
        ("turned round", lambda a, n, k: a / (n * k)),
        ("divided by k_shot once more", lambda a, n, k: a * n / k),
        ("does not depend on k_shot", lambda a, n, k: a * k / n),
        ("is the factor", lambda a, n, k: float(n)),
        ("you added", lambda a, n, k: a + n),
        ("the sign is turned round", lambda a, n, k: -a * n),
        ("all of the classes", lambda a, n, k: a * (n - 1)),
        ("the square", lambda a, n, k: a * n * n),
        ("", lambda a, n, k: a * n**0.5),
    ],
    "inner_step": [
        ("you went uphill", _inner(lambda w, g, a: w + a * g)),
        ("mere numbers", _inner(lambda w, g, a: w - a * g.detach())),
        ("no path leads back", _inner(lambda w, g, a: (w - a * g).detach())),
        ("losses of the images up", _inner(loss=_sum)),
        ("not with those handed in",
            lambda n, w, x, y, a: {k: w[k] - a * g for k, g in _slopes(n, _own(n), x, y).items()}),
        ("inner_lr has no influence", _inner(lambda w, g, a: w - g)),
        ("these are the slopes", _inner(lambda w, g, a: g)),
        ("the biases did not move", _inner(moves=lambda name: name.endswith("weight"))),
        ("only the biases", _inner(moves=lambda name: name.endswith("bias"))),
        ("the head alone", _inner(moves=lambda name: name.startswith("head"))),
        ("two steps", lambda n, w, x, y, a: _inner()(n, _inner()(n, w, x, y, a), x, y, a)),
        ("it changed its arguments", _in_place),
        ("is not what the task asks for", lambda *z: [*_inner()(*z).values()]),
        ("nothing has moved", lambda n, w, x, y, a: {k: 1 * v for k, v in w.items()}),
    ],
    "maml_loss": [
        ("nobody uses the adapted ones", _maml(steps=lambda k: 0)),
        ("leaves out how the inner slopes depend", _maml(cut=lambda i, k: True)),
        ("create_graph", _maml(cut=lambda i, k: i < k - 1)),
        ("take their mean", _maml(outer=torch.sum)),
        ("on the support set", _maml(task=lambda sx, sy, qx, qy: (sx, sy, sx, sy))),
        ("you took one inner step", _maml(steps=lambda k: 1)),
        ("one step too many", _maml(steps=lambda k: k + 1)),
        ("adapted to the queries", _maml(task=lambda sx, sy, qx, qy: (qx, qy, qx, qy))),
        ("changed places", _maml(task=lambda sx, sy, qx, qy: (qx, qy, sx, sy))),
        ("you adapted a copy", lambda n, *z: _maml()(n, *z).detach()),
        ("last task alone", _maml(outer=lambda losses: losses[-1])),
        ("the support loss was added",
            lambda *z: _maml()(*z) + _maml(task=lambda sx, sy, qx, qy: (sx, sy, sx, sy))(*z)),
        ("", _maml(outer=torch.amax)),
        ("loss: its shape is", _maml(outer=lambda losses: losses)),
        ("you went uphill", lambda n, a, b, c, d, lr, k, loss: _maml()(n, a, b, c, d, -lr, k, loss)),
    ],
    "inner_step_for_all": [
        ("average over", lambda n, w, x, y, a: _for_all(_inner())(n, w, x, y, a / len(x))),
        ("wrong second derivative", lambda n, w, x, y, a: vmap(lambda w, x, y: _inner()(n, w, x, y, a))(w, x, y)),
        ("you went uphill", _for_all(_inner(lambda w, g, a: w + a * g))),
        ("mere numbers", _for_all(_inner(lambda w, g, a: w - a * g.detach()))),
        ("losses of the images up", _for_all(_inner(loss=_sum))),
        ("the first task alone", _first_task),
        ("a slope of its own", _common),
        ("no path leads back", _for_all(_inner(lambda w, g, a: (w - a * g).detach()))),
        ("inner_lr has no influence", _for_all(_inner(lambda w, g, a: w - g))),
        ("these are the slopes", _for_all(_inner(lambda w, g, a: g))),
        ("its shape is", lambda n, w, x, y, a: {k: v[0] for k, v in _for_all(_inner())(n, w, x, y, a).items()}),
        ("is not what the task asks for",
            lambda n, w, x, y, a: [_inner()(n, {k: v[b] for k, v in w.items()}, x[b], y[b], a)
            for b in range(len(x))]),
        ("the network's own weights", lambda n, w, x, y, a: _for_all(lambda n, v, x, y, a: {
            k: v[k] - a * g for k, g in _slopes(n, _own(n), x, y).items()})(n, w, x, y, a)),
    ],
    "one_at_a_time": [
        ("which other queries", lambda n, w, x: functional_call(n, w, (x,))),
        ("with its own weights", lambda n, w, x: torch.cat([n(q[None]) for q in x])),
        ("these are probabilities", _singly(lambda z: z.softmax(1))),
        ("these are decisions", _singly(lambda z: z.argmax(1))),
        ("logarithms of probabilities", _singly(lambda z: z.log_softmax(1))),
        ("ValueError", lambda n, w, x: torch.cat([functional_call(n, w, (q,)) for q in x])),
        ("in another order", lambda n, w, x: _singly()(n, w, x).flip(0) if len(x) > 1 else _singly()(n, w, x)[:, :1]),
        ("its shape is", lambda n, w, x: functional_call(n, w, (x[:1],))),
        ("its shape is", _singly(lambda z: z[:, None])),
        ("it returned a list", lambda n, w, x: [functional_call(n, w, (q[None],)) for q in x]),
        ("an image of zeros",
            lambda n, w, x: torch.cat([functional_call(n, w, (torch.cat([q, 0 * q])[:, None],))[:1] for q in x])),
        ("in pairs", lambda n, w, x: torch.cat([functional_call(n, w, (part,)) for part in x.split(2)])
            if len(x) > 1 else functional_call(n, w, (torch.cat([x, 0 * x]),))[:1]),
    ],
    "listens": [
        ("you say it does", lambda *z: True),
        ("you say it does not", lambda *z: False),
        ("you say it does", _asks(lambda x, y, q: (x + 1, y, q))),
        ("you say it does", _asks(lambda x, y, q: (x.flip(0), y, q))),
        ("you say it does", _asks(lambda x, y, q: (x, y, q + 1))),
        ("you say it does not", _asks(lambda x, y, q: (x, y.clone(), q))),
        ("you say it does not",
            _asks(lambda x, y, q: (x, (y + 1) % 3, q), lambda a, b: not torch.allclose(a, b, atol=0.1))),
        ("you say it does not",
            _asks(lambda x, y, q: (x, (y + 1) % 3, q), lambda a, b: bool((a.argmax(1) != b.argmax(1)).any()))),
        ("you say it does", _asks(lambda x, y, q: (x, (y + 1) % 3, q), torch.equal)),
        ("its shape is [5, 3], wanted is []", _asks(lambda x, y, q: (x, (y + 1) % 3, q), lambda a, b: a != b)),
        ("a truth value", _asks(lambda x, y, q: (x, (y + 1) % 3, q), lambda a, b: (a - b).abs().max().item())),
        ("you say it does", _asks(lambda x, y, q: (x[:6], y[:6], q))),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
