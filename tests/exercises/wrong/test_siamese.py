"""Exercises of chapter 4: wrong answers that people write, and what they are told."""

from __future__ import annotations

import torch
from exercise_helpers import assert_rejected, by_name_and_words


def _pairs(keep=lambda i, j: i < j, label=lambda a, b: a != b):
    def version(labels):
        found = [(i, j) for i in range(len(labels)) for j in range(len(labels)) if keep(i, j)]
        first, second = torch.tensor(found).T
        return first, second, label(labels[first], labels[second])

    return version


def _logits(choose=lambda d: d.amin(1), measure=torch.cdist, sign=-1):
    def version(query, support, labels, n_way):
        d = measure(query, support)
        return sign * torch.stack([choose(d[:, labels == n]) for n in range(n_way)], dim=1)

    return version


def _contrastive(pull=lambda d: d**2 / 2, push=lambda d, m: (m - d).clamp_min(0) ** 2 / 2, of=torch.mean):
    return lambda d, different, margin: of(torch.where(different, push(d, margin), pull(d)))


def _gradient(pull=lambda v, d: v, push=lambda v, d, m: -(m - d).clamp_min(0) * v / d.clamp_min(1e-9)):
    def version(x1, x2, different, margin):
        v = x1 - x2
        d = v.norm(dim=1, keepdim=True)
        return torch.where(different[:, None], push(v, d, margin), pull(v, d))

    return version


def _negatives(rule, default="farthest", others=lambda labels, a: labels != labels[a]):
    def version(distances, labels):
        out = torch.full(distances.shape, -1)
        for a in range(len(labels)):
            rows = [n for n in others(labels, a).nonzero()[:, 0].tolist() if n != a]
            for p in (labels == labels[a]).nonzero()[:, 0].tolist():
                if p != a:
                    fit = [n for n in rows if rule(distances[a, n], distances[a, p])]
                    pick, pool = (min, fit) if fit else (max if default == "farthest" else min, rows)
                    out[a, p] = pick(pool, key=lambda n, a=a: distances[a, n].item())
        return out

    return version


def _rates(same, different, t):
    return (same >= t).double().mean().item(), (different < t).double().mean().item()


def _best(same, different, badness=max):
    return min((badness(*_rates(same, different, t)), t) for t in torch.cat([same, different]).tolist())


WRONG = {
    "pairs": [
        ("paired with itself", _pairs(lambda i, j: True)),
        ("paired with itself", _pairs(lambda i, j: i <= j)),
        ("a pair occurs twice", _pairs(lambda i, j: i != j)),
        ("pairs are missing", _pairs(lambda i, j: j == i + 1)),
        ("pairs are missing", _pairs(lambda i, j: i == 0 < j)),
        ("wrong way round", _pairs(label=lambda a, b: a == b)),
        ("make it truth values", _pairs(label=lambda a, b: (a != b).float())),
        ("make it truth values", _pairs(label=lambda a, b: (a != b).long())),
        ("does not belong to these pairs", _pairs(label=lambda a, b: torch.ones(len(a), dtype=torch.bool))),
        ("return 3 tensors", lambda y: _pairs()(y)[:2]),
        ("return 3 tensors", lambda y: [x.tolist() for x in _pairs()(y)]),
        ("return 3 tensors", lambda y: (torch.combinations(torch.arange(len(y))), _pairs()(y)[2])),
        ("one dimension", lambda y: [x[:, None] for x in _pairs()(y)]),
        ("not those of an image", lambda y: (_pairs()(y)[0] + 1, _pairs()(y)[1] + 1, _pairs()(y)[2])),
    ],
    "siamese_logits": [
        ("these are distances", _logits(sign=1)),
        ("the mean distance", _logits(lambda d: d.mean(1))),
        ("the farthest image", _logits(lambda d: d.amax(1))),
        ("take the root", _logits(measure=lambda q, s: torch.cdist(q, s) ** 2)),
        ("sorted by class", lambda q, s, y, n: -torch.cdist(q, s)[:, :n]),
        ("added up the distances", _logits(lambda d: d.sum(1))),
        ("absolute differences", _logits(measure=lambda q, s: torch.cdist(q, s, p=1))),
        ("from the mean image", lambda q, s, y, n: -torch.cdist(q, torch.stack([s[y == c].mean(0) for c in range(n)]))),
        ("inner products", _logits(lambda d: -d.amax(1), measure=lambda q, s: q @ s.T, sign=-1)),
        ("its shape is [4, 7], wanted is [7, 4]", lambda *a: _logits()(*a).T),
        ("one softmax too many", lambda *a: _logits()(*a).softmax(1)),
        ("wanted are floating-point numbers", lambda *a: _logits()(*a).argmax(1, keepdim=True).expand(-1, a[3])),
    ],
    "contrastive": [
        ("1 means *different*", lambda d, y, m: _contrastive()(d, ~y, m)),
        ("have a factor ½", _contrastive(lambda d: d**2, lambda d, m: (m - d).clamp_min(0) ** 2)),
        ("beyond the margin", _contrastive(push=lambda d, m: (m - d) ** 2 / 2)),
        ("margin minus the squared distance", _contrastive(push=lambda d, m: (m - d**2).clamp_min(0) / 2)),
        ("the push is not squared", _contrastive(push=lambda d, m: (m - d).clamp_min(0) / 2)),
        ("sum over the pairs", _contrastive(of=torch.sum)),
        ("the pull is not squared", _contrastive(pull=lambda d: d / 2)),
        ("they must be pushed apart", _contrastive(push=lambda d, m: 0 * d)),
        ("they must be pulled", _contrastive(pull=lambda d: 0 * d)),
        ("its shape is [12], wanted is []", _contrastive(of=lambda x: x)),
        ("beyond the margin", _contrastive(push=lambda d, m: ((m - d) ** 2).clamp_min(0) / 2)),
        ("means of the two kinds", lambda d, y, m: _contrastive()(d[y], y[y], m) + _contrastive()(d[~y], y[~y], m)
            if 0 < y.sum() < len(y) else _contrastive()(d, y, m)),
        ("yours is always 1", lambda d, y, m: _contrastive()(d, y, 1.0)),
    ],
    "contrastive_gradient": [
        ("downhill", lambda *a: -_gradient()(*a)),
        ("changed places", lambda a, b, y, m: _gradient()(a, b, ~y, m)),
        ("the gradient of a distance", _gradient(push=lambda v, d, m: -(m - d).clamp_min(0) * v)),
        ("is flat", _gradient(push=lambda v, d, m: -(m - d) * v / d.clamp_min(1e-9))),
        ("0 / 0", _gradient(lambda v, d: d * (v / d), lambda v, d, m: -(m - d).clamp_min(0) * (v / d))),
        ("this is for the mean", lambda *a: _gradient()(*a) / len(a[0])),
        ("yours is twice",
            _gradient(lambda v, d: 2 * v, lambda v, d, m: -2 * (m - d).clamp_min(0) * v / d.clamp_min(1e-9))),
        ("with respect to x2", lambda a, b, y, m: _gradient()(b, a, y, m)),
        ("bring them together", _gradient(push=lambda v, d, m: (m - d).clamp_min(0) * v / d.clamp_min(1e-9))),
        ("always length 1", _gradient(push=lambda v, d, m: -(d < m).float() * v / d.clamp_min(1e-9))),
        ("a unit vector", _gradient(pull=lambda v, d: v / d.clamp_min(1e-9))),
        ("its shape is [8], wanted is [8, 5]", lambda *a: _gradient()(*a).norm(dim=1)),
    ],
    "semi_hard_negatives": [
        ("also where it is nearer", _negatives(lambda n, p: False, "nearest")),
        ("farthest image of all", _negatives(lambda n, p: False)),
        ("anchor's own class", _negatives(lambda n, p: n > p, others=lambda labels, a: labels == labels)),
        ("the nearest came out", _negatives(lambda n, p: n > p, "nearest")),
        ("", _negatives(lambda n, p: n < p)),
        ("",
            lambda d, y: torch.where((y[:, None] == y) & (torch.eye(len(y)) == 0), torch.randint(len(y), d.shape), -1)),
        ("on the diagonal", lambda d, y: _negatives(lambda n, p: n > p)(d, y).fill_diagonal_(0)),
        ("wanted are whole numbers", lambda d, y: _negatives(lambda n, p: n > p)(d, y).float()),
        ("are of different classes",
            lambda d, y: torch.where(y[:, None] == y, _negatives(lambda n, p: n > p)(d, y), 0)),
        ("rows and columns", lambda d, y: _negatives(lambda n, p: n > p)(d, y).T.contiguous()),
        ("looked from the positive", lambda d, y: _by_positive(d, y)),
        ("its shape is", lambda d, y: _negatives(lambda n, p: n > p)(d, y)[0]),
    ],
    "equal_error": [
        ("not equally frequent", lambda s, d: _best(s, d, lambda a, b: a + b)),
        ("not equally frequent", lambda s, d: (max(_rates(s, d, t := (s.mean() + d.mean()).item() / 2)), t)),
        ("not equally frequent", lambda s, d: (max(_rates(s, d, t := torch.cat([s, d]).median().item())), t)),
        ("share of right answers", lambda s, d: (1 - _best(s, d)[0], _best(s, d)[1])),
        ("not that of this threshold", lambda s, d: (2 * _best(s, d)[0], _best(s, d)[1])),
        ("changed places", lambda s, d: _best(s, d)[::-1]),
        ("return two numbers", lambda s, d: _best(s, d)[0]),
        ("return two numbers", lambda s, d: [s, d]),
        ("in percent", lambda s, d: (100 * _best(s, d)[0], _best(s, d)[1])),
        ("finite", lambda s, d: (_best(s, d)[0], float("inf"))),
        ("", lambda s, d: _best(d, s)),
        ("not equally frequent", lambda s, d: (0.05, s.quantile(0.95).item())),
    ],
}  # fmt: skip


def _by_positive(d, y):
    out = _negatives(lambda n, p: n > p)(d, y)
    for a in range(len(y)):
        for p in range(len(y)):
            if out[a, p] >= 0:
                out[a, p] = torch.where(y != y[a], d[p], torch.inf).argmin()
    return out


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
