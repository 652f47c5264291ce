"""For every exercise, correct versions that are written differently from the solution: a check must accept them too."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad, vjp, vmap
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


# chapter 7


def _hvp_by_two_gradients(loss, theta, v):
    theta = theta.detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss(theta), theta, create_graph=True)
    return torch.autograd.grad(slope @ v, theta)[0]


def _adapted_by_func(loss, theta, alpha, steps):
    return theta if steps == 0 else _adapted_by_func(loss, theta - alpha * grad(loss)(theta), alpha, steps - 1)


def _adapted_by_backward(loss, theta, alpha, steps):
    for _ in range(steps):
        theta = theta.sub(torch.autograd.grad(loss(theta), [theta], create_graph=True)[0], alpha=alpha)
    return theta


def _best_start_by_descent(curvatures, minima, alpha, steps):
    curvatures, minima, start = curvatures.double(), minima.double(), torch.zeros(())
    for _ in range(2000):
        away = start - minima
        for _ in range(steps):
            away = away - alpha * curvatures * away
        for _ in range(steps):
            away = away - alpha * curvatures * away
        start = start - 0.3 * (curvatures * away).mean()
    return start.float()


def _share_at_once(support, query, theta, alpha, steps):
    theta = theta.detach().requires_grad_()
    end = _adapted_by_func(support, theta, alpha, steps)
    first = torch.autograd.grad(query(end), end, retain_graph=True)[0]
    full = torch.autograd.grad(end, theta, first)[0]
    return float((first - full).norm() / full.norm())


# chapter 8


def _func_step(network, weights, x, y, inner_lr):
    slopes = grad(lambda w: F.cross_entropy(functional_call(network, w, (x,)), y))(weights)
    return {name: weights[name] - inner_lr * slope for name, slope in slopes.items()}


def _maml_loss_by_vmap(network, support_x, support_y, query_x, query_y, inner_lr, steps, loss):
    def outer(sx, sy, qx, qy):
        weights = dict(network.named_parameters())
        for _ in range(steps):
            slopes = grad(lambda w: loss(functional_call(network, w, (sx,)), sy))(weights)
            weights = {name: w - inner_lr * slopes[name] for name, w in weights.items()}
        return loss(functional_call(network, weights, (qx,)), qy)

    return vmap(outer)(support_x, support_y, query_x, query_y).mean()


def _steps_by_loop(network, weights, x, y, inner_lr):
    tasks = [_func_step(network, {n: w[i] for n, w in weights.items()}, x[i], y[i], inner_lr) for i in range(len(x))]
    return {name: torch.stack([task[name] for task in tasks]) for name in weights}


def _singly_by_vmap(network, weights, queries):
    return vmap(lambda query: functional_call(network, weights, (query[None],))[0])(queries)


def _listens_by_swapping(learner, support_x, support_y, query_x, n_way):
    swapped = torch.where(support_y == 0, 1, torch.where(support_y == 1, 0, support_y))
    return (learner(support_x, support_y, query_x) != learner(support_x, swapped, query_x)).any()


# chapter 9


def _fomaml_by_a_copy(network, support_x, support_y, query_x, query_y, inner_lr, steps, loss):
    learner = deepcopy(network)
    inner = torch.optim.SGD(learner.parameters(), lr=inner_lr)
    for _ in range(steps):
        inner.zero_grad()
        loss(learner(support_x), support_y).backward()
        inner.step()
    learner.zero_grad()
    loss(learner(query_x), query_y).backward()
    return {name: w.grad for name, w in learner.named_parameters()}


def _reptile_in_place(network, x, y, inner_lr, steps, loss):
    theta = {name: w.detach().clone() for name, w in network.named_parameters()}
    total = {name: torch.zeros_like(w) for name, w in theta.items()}
    for task in range(len(x)):
        inner = torch.optim.SGD(network.parameters(), lr=inner_lr)
        for _ in range(steps):
            inner.zero_grad()
            loss(network(x[task]), y[task]).backward()
            inner.step()
        for name, w in network.named_parameters():
            total[name] += (theta[name] - w.detach()) / len(x)
        network.load_state_dict(theta)
    return total


def _rate_gradient_by_autograd(support, query, theta, rates):
    rates, slope = rates.detach().requires_grad_(), grad(support)(theta)
    return torch.autograd.grad(query(theta - rates * slope), rates)[0]


def _anil_by_func(network, weights, x, y, inner_lr):
    head = {name: w for name, w in weights.items() if "head" in name}
    slopes = grad(lambda w: F.cross_entropy(functional_call(network, {**weights, **w}, (x,)), y))(head)
    return {**weights, **{name: w - inner_lr * slopes[name] for name, w in head.items()}}


def _cka_by_kernels(a, b):
    centring = torch.eye(len(a), dtype=a.dtype) - 1 / len(a)
    k, m = (centring @ x @ x.T @ centring for x in (a, b))
    return float((k * m).sum() / (k.norm() * m.norm()))


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
    # chapter 7
    "valley_steps": [
        lambda w, H, t, a, k: t + torch.linalg.matrix_power(torch.eye(len(w), dtype=w.dtype) - a * H, k) @ (w - t)
    ],
    "hessian_vector_product": [
        _hvp_by_two_gradients,
        lambda loss, theta, v: vjp(grad(loss), theta)[1](v)[0],
        lambda loss, theta, v: torch.autograd.functional.hvp(loss, theta, v)[1],
    ],
    "adapted": [_adapted_by_func, _adapted_by_backward],
    "back_through_steps": [
        lambda H, g, a: g if not len(H) else torch.linalg.multi_dot([*(torch.eye(4, dtype=g.dtype) - a * H), g])
    ],
    "best_start": [_best_start_by_descent],
    "hessian_share": [_share_at_once],
    # chapter 8
    "inner_lr_for_the_mean": [lambda a, n, k: torch.tensor(a * n)],
    "inner_step": [_func_step],
    "maml_loss": [_maml_loss_by_vmap],
    "inner_step_for_all": [_steps_by_loop, vmap(_func_step, in_dims=(None, 0, 0, 0, None))],
    "one_at_a_time": [_singly_by_vmap],
    "listens": [_listens_by_swapping],
    # chapter 9
    "epsilon_at": [lambda i, n, e: e * (n - i) / n],
    "fomaml_gradient": [_fomaml_by_a_copy],
    "reptile_gradient": [_reptile_in_place],
    "rate_gradient": [_rate_gradient_by_autograd],
    "anil_step": [_anil_by_func],
    "linear_cka": [_cka_by_kernels],
}
