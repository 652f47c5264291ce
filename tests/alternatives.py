"""For every exercise, correct versions that are written differently from the solution: a check must accept them too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F


def _prototypes_by_matrix(embeddings, labels, n_way):
    members = F.one_hot(labels, n_way).to(embeddings.dtype)  # [S, N]
    return (members.T @ embeddings) / members.sum(dim=0)[:, None]


def _prototypes_by_index_add(embeddings, labels, n_way):
    sums = torch.zeros(n_way, embeddings.shape[1], dtype=embeddings.dtype).index_add(0, labels, embeddings)
    return sums / labels.bincount(minlength=n_way)[:, None]


def _squares_by_product(queries, prototypes):
    return queries.square().sum(1, keepdim=True) - 2 * queries @ prototypes.T + prototypes.square().sum(1)


def _leave_one_out_at_once(embeddings, labels, n_way):
    members = F.one_hot(labels, n_way).to(embeddings.dtype)
    sums, counts = members.T @ embeddings, members.sum(dim=0)
    distances = torch.cdist(embeddings, sums / counts[:, None])
    own = (sums[labels] - embeddings) / (counts[labels] - 1)[:, None]
    distances[torch.arange(len(labels)), labels] = (embeddings - own).norm(dim=1)
    return (distances.argmin(dim=1) == labels).double().mean()


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


def _class_sums_by_matrix(maps, labels, n_way):
    members = F.one_hot(labels, n_way).to(maps.dtype)
    return (members.T @ maps.flatten(1)).view(n_way, *maps.shape[1:])


def _class_sums_by_index_add(maps, labels, n_way):
    return maps.new_zeros(n_way, *maps.shape[1:]).index_add(0, labels, maps)


def _pairs_by_repeats(classes, queries):
    first = classes.repeat(len(queries), 1, 1, 1)
    return torch.cat([first, queries.repeat_interleave(len(classes), dim=0)], dim=1)


def _relation_loss_by_mask(scores, query_y):
    right = torch.arange(scores.shape[1]) == query_y[:, None]
    return ((1 - scores[right]).square().sum() + scores[~right].square().sum()) / scores.numel()


def _slope_by_autograd(logits, targets):
    z = logits.clone().requires_grad_()
    ((z.sigmoid() - targets) ** 2).sum().backward()
    return z.grad


def _answers_by_loop(scores, threshold):
    found = [(row.max() >= threshold, row.argmax()) for row in scores]
    return torch.tensor([int(best) if sure else -1 for sure, best in found])


ALTERNATIVES: dict[str, list[Callable[..., Any]]] = {
    # chapter 4
    "prototypes": [_prototypes_by_matrix, _prototypes_by_index_add],
    "squared_distances": [_squares_by_product, lambda q, c: torch.stack([(q - x).square().sum(1) for x in c], dim=1)],
    "updated_prototype": [lambda c, k, x: (c * k + x) / (k + 1)],
    "as_linear_layer": [lambda c: (2 * c, 10 - (c * c).sum(1)), lambda c: [2 * c, -(c.norm(dim=1) ** 2)]],
    "leave_one_out_accuracy": [_leave_one_out_at_once],
    # chapter 5
    "cosine_similarities": [_cosines_one_by_one, _cosines_with_a_floor],
    "class_probabilities": [_votes_by_loop, _votes_by_index_add],
    "matching_loss": [_matching_loss_by_class, _matching_loss_by_loop],
    "confidence_caps": [_caps_by_softmax],
    "scale_for_confidence": [lambda p, n: torch.tensor(p * (n - 1) / (1 - p)).sqrt().log()],
    "images_attended": [_perplexity_by_library, lambda a: torch.distributions.Categorical(a).perplexity()],
    # chapter 6
    "class_sums": [_class_sums_by_matrix, _class_sums_by_index_add],
    "stacked_pairs": [_pairs_by_repeats],
    "relation_loss": [_relation_loss_by_mask, lambda r, y: F.mse_loss(r, F.one_hot(y, r.shape[1]).to(r.dtype))],
    "relation_cost": [lambda c, s, n: sum(n * 9 * c * c * k for k in (2 * s * s, (s // 2) * (s // 2)))],
    "squared_error_slope": [_slope_by_autograd],
    "answer_or_none": [_answers_by_loop],
}
