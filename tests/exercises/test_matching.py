"""Exercises of chapter 6: correct versions that are written differently from the solution."""

from __future__ import annotations

import math

import torch
from exercise_helpers import assert_accepted, by_name
from torch.nn import functional as F


def _cosines_one_by_one(queries, support):
    return torch.stack([F.cosine_similarity(queries, g[None], dim=1) for g in support], dim=1)


def _cosines_with_a_floor(queries, support):
    f, g = (x / x.norm(dim=1, keepdim=True).clamp_min(1e-6) for x in (queries, support))
    return torch.einsum("qd,sd->qs", f, g)


def _votes_by_loop(similarities, labels, n_way, scale):
    out = similarities.new_zeros(len(similarities), n_way)
    for q, row in enumerate(similarities):
        weights = ((row - row.max()) * scale).exp()
        for s, weight in enumerate(weights / weights.sum()):
            out[q, labels[s]] += weight
    return out


def _votes_by_index_add(similarities, labels, n_way, scale):
    weights = (scale * similarities).softmax(dim=-1)
    return torch.zeros(len(weights), n_way, dtype=weights.dtype).index_add(1, labels, weights)


def _matching_loss_by_class(scores, labels, query_y, n_way):
    log_weights = scores.log_softmax(dim=1)
    logs = torch.stack([log_weights[:, labels == n].logsumexp(dim=1) for n in range(n_way)], dim=1)
    return F.nll_loss(logs, query_y)


def _matching_loss_by_loop(scores, labels, query_y, n_way):
    losses = [row.logsumexp(0) - row[labels == y].logsumexp(0) for row, y in zip(scores, query_y, strict=True)]
    return sum(losses) / len(losses)


def _caps_by_softmax(shots, scale):
    caps = []
    for k in shots.tolist():
        cosines = torch.cat([torch.ones(k), -torch.ones(int(shots.sum()) - k)])
        caps.append((scale * cosines).softmax(0)[:k].sum())
    return torch.stack(caps)


def _perplexity_by_library(attention):
    return torch.special.entr(attention).sum(dim=-1).exp()


VERSIONS = {
    "cosine_similarities": [_cosines_one_by_one, _cosines_with_a_floor],
    "class_probabilities": [_votes_by_loop, _votes_by_index_add],
    "matching_loss": [_matching_loss_by_class, _matching_loss_by_loop],
    "confidence_caps": [_caps_by_softmax, lambda k, s: torch.sigmoid(2 * s + torch.log(k / (k.sum() - k)))],
    "scale_for_confidence": [
        lambda p, n: torch.tensor(p * (n - 1) / (1 - p)).sqrt().log(),
        lambda p, n: (math.log(p) - math.log1p(-p) + math.log(n - 1)) / 2,
    ],
    "images_attended": [_perplexity_by_library, lambda a: torch.distributions.Categorical(a).perplexity()],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
