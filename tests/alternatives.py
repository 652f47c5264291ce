"""For every exercise, correct versions that are written differently from the solution: a check must accept them too."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F


def _luck_image_by_image(n_classes, n_images, n_right):
    if n_right <= 0:
        return 1.0
    chances = torch.zeros(n_images + 1, dtype=torch.float64)
    chances[0] = 1
    for _ in range(n_images):
        chances = chances * (1 - 1 / n_classes) + chances.roll(1) / n_classes
    return chances[n_right:].sum()


def _nearest_by_loops(images, labels, new):
    found = []
    for one in new:
        gaps = [(one.double() - other.double()).square().sum() for other in images]
        found.append(labels[int(torch.stack(gaps).argmin())])
    return torch.stack(found)


def _nearest_by_integers(images, labels, new):
    images, new = (x if x.is_floating_point() else x.long() for x in (images, new))
    return labels[(new[:, None] - images[None]).pow(2).flatten(2).sum(-1).min(dim=1).indices]


def _step_by_autograd(weight, bias, x, y, lr):
    layer = nn.Linear(*reversed(weight.shape)).to(weight.dtype)
    layer.load_state_dict({"weight": weight, "bias": bias})
    F.cross_entropy(layer(x), y).backward()
    torch.optim.SGD(layer.parameters(), lr=lr).step()
    return layer.weight, layer.bias


def _bound_by_counting(n_parameters, gap, delta):
    needed = (32 * n_parameters * math.log(2) - math.log(delta)) / 2
    m = int(needed / gap**2) - 2
    while math.sqrt(needed / m) > gap:
        m += 1
    return torch.tensor(m)


@torch.no_grad()
def _recalibrated_by_many_passes(network, images):
    network = deepcopy(network).train()
    for _ in range(100 if network[1].momentum > 0.05 else 1000):
        network(images)
    return network.eval()


def _recalibrated_by_average(network, images):
    network = deepcopy(network).train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    network(images)
    return network.eval()


def _centred_at_once(images):
    height, width = images.shape[2:]
    total = images.sum(dim=(1, 2, 3))
    rows = (images.sum(dim=(1, 3)) * torch.arange(height)).sum(1) / total
    columns = (images.sum(dim=(1, 2)) * torch.arange(width)).sum(1) / total
    down, right = ((height - 1) / 2 - rows).round().long(), ((width - 1) / 2 - columns).round().long()
    padded = F.pad(images, (width, width, height, height))  # instead of rolling
    cuts = zip(padded, (height - down).tolist(), (width - right).tolist(), strict=True)
    return torch.stack([x[:, top : top + height, left : left + width] for x, top, left in cuts])


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


def _relabelled_by_comparison(support_ids, query_ids):
    first = (support_ids[:, None] == support_ids).int().argmax(dim=1)  # where each id appears first
    order = support_ids[first.unique()]
    return tuple((ids[:, None] == order).nonzero()[:, 1] for ids in (support_ids, query_ids))


def _split_by_sets(labels, n_novel):
    novel_ids = set(random.sample(sorted(set(labels.tolist())), n_novel))
    rows = range(len(labels))
    novel = [i for i in rows if labels[i].item() in novel_ids]
    return torch.tensor([i for i in rows if i not in set(novel)]), torch.tensor(novel)


def _episode_by_topk(labels, n_way, k_shot, n_query):
    classes = labels.unique()
    chosen = classes[torch.rand(len(classes)).topk(n_way).indices]
    noise = torch.rand(n_way, len(labels)).masked_fill(labels != chosen[:, None], -1)
    rows = noise.topk(k_shot + n_query).indices  # [N, K + q]
    y = torch.arange(n_way)[:, None]
    support, query = rows[:, :k_shot], rows[:, k_shot:]
    return support.flatten(), y.expand_as(support).flatten(), query.flatten(), y.expand_as(query).flatten()


def _episode_in_any_order(labels, n_way, k_shot, n_query):
    support, query = [], []
    for y, c in enumerate(random.sample(sorted(set(labels.tolist())), n_way)):
        rows = random.sample([i for i, label in enumerate(labels.tolist()) if label == c], k_shot + n_query)
        support += [(row, y) for row in rows[:k_shot]]
        query += [(row, y) for row in rows[k_shot:]]
    random.shuffle(support)
    random.shuffle(query)
    return [torch.tensor(column) for part in (support, query) for column in zip(*part, strict=True)]


def _leaks_by_sets(support_x, query_x):
    count = 0
    for support, query in zip(support_x, query_x, strict=True):
        known = {tuple(image.flatten().tolist()) for image in support}
        count += any(tuple(image.flatten().tolist()) in known for image in query)
    return count


def _interval_by_hand(right):
    accuracy = right.sum(dim=1).double() / right.shape[1]
    mean = accuracy.sum() / len(accuracy)
    variance = (accuracy - mean).square().sum() / (len(accuracy) - 1)
    return mean, 1.96 * (variance / len(accuracy)).sqrt()


def _needed_by_covariance(a, b, half_width):
    (var_a, cov), (_, var_b) = torch.cov(torch.stack([a, b])).tolist()
    return tuple(math.ceil(v * (1.96 / half_width) ** 2) for v in (var_a + var_b - 2 * cov, var_a + var_b))


def _pairs_by_loops(labels):
    found = [(j, i, int(labels[i] != labels[j])) for i in range(len(labels)) for j in range(i + 1, len(labels))]
    return [torch.tensor(column) for column in zip(*found, strict=True)]


def _logits_by_scatter(query, support, labels, n_way):
    logits = torch.full((len(query), n_way), -torch.inf, dtype=query.dtype)
    for z, y in zip(support, labels.tolist(), strict=True):
        logits[:, y] = torch.maximum(logits[:, y], -(query - z).norm(dim=1))
    return logits


def _contrastive_by_formula(distances, different, margin):
    y = different.to(distances.dtype)
    return ((1 - y) * distances**2 / 2 + y * F.relu(margin - distances) ** 2 / 2).mean()


def _contrastive_by_loop(distances, different, margin):
    total = 0
    for d, y in zip(distances, different, strict=True):
        total = total + 0.5 * (max(0 * d, margin - d) ** 2 if y else d**2)
    return total / len(distances)


def _gradient_pair_by_pair(x1, x2, different, margin):
    rows = []
    for a, b, y in zip(x1, x2, different.tolist(), strict=True):
        d = (a - b).norm().item()
        factor = 1 if not y else (0 if d >= margin or d == 0 else (d - margin) / d)
        rows.append(factor * (a - b))
    return torch.stack(rows)


def _negatives_by_loop(distances, labels):
    negatives = torch.full(distances.shape, -1)
    for a, p in (labels[:, None] == labels).nonzero().tolist():
        other = (labels != labels[a]).nonzero()[:, 0]
        beyond = other[distances[a, other] > distances[a, p]]
        if a != p:
            best = beyond[distances[a, beyond].argmin()] if len(beyond) else other[distances[a, other].argmax()]
            negatives[a, p] = best
    return negatives


def _equal_error_by_bisection(same, different):
    low, high = 0.0, float(different.max())
    for _ in range(60):
        middle = (low + high) / 2
        missed, accepted = (same >= middle).double().mean(), (different < middle).double().mean()
        low, high = (middle, high) if missed > accepted else (low, middle)
    return (missed + accepted) / 2, high


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
    # chapter 1
    "lucky_guesses": [_luck_image_by_image],
    "nearest_image": [_nearest_by_loops, _nearest_by_integers],
    "gradient_step": [_step_by_autograd, lambda *a: [*_step_by_autograd(*a)]],
    "images_for_bound": [_bound_by_counting],
    "recalibrated": [_recalibrated_by_many_passes, _recalibrated_by_average],
    "centred": [_centred_at_once],
    # chapter 2
    "relabelled": [_relabelled_by_comparison],
    "split_by_class": [_split_by_sets],
    "draw_episode": [_episode_by_topk, _episode_in_any_order],
    "count_leaks": [_leaks_by_sets],
    "interval": [_interval_by_hand],
    "episodes_needed": [_needed_by_covariance],
    # chapter 3
    "pairs": [_pairs_by_loops],
    "siamese_logits": [_logits_by_scatter],
    "contrastive": [_contrastive_by_formula, _contrastive_by_loop],
    "contrastive_gradient": [_gradient_pair_by_pair],
    "semi_hard_negatives": [_negatives_by_loop],
    "equal_error": [_equal_error_by_bisection],
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
