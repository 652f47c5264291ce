"""Exercises of chapter 1: correct versions that are written differently from the solution."""

from __future__ import annotations

import math
from copy import deepcopy

import torch
from exercise_helpers import assert_accepted, by_name
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


def _centred_by_search(images):
    """Every shift is tried."""
    moved = []
    for image in images:
        for axis in (1, 2):
            size = image.shape[axis]
            places = torch.arange(size).to(image)
            ink = image.sum(dim=(0, 3 - axis))
            away = [float((ink * (places + shift)).sum() / ink.sum() - (size - 1) / 2) for shift in range(-size, size)]
            image = image.roll(min(range(len(away)), key=lambda i: abs(away[i])) - size, dims=axis)
        moved.append(image)
    return torch.stack(moved)


VERSIONS = {
    "lucky_guesses": [
        _luck_image_by_image,
        lambda n, m, k: 1 - sum(math.comb(m, r) * (1 / n) ** r * (1 - 1 / n) ** (m - r) for r in range(k)),
    ],
    "nearest_image": [_nearest_by_loops, _nearest_by_integers],
    "gradient_step": [_step_by_autograd, lambda *a: [*_step_by_autograd(*a)]],
    "images_for_bound": [
        _bound_by_counting,
        lambda n, gap, delta: int(-((math.log(delta) - n * 32 * math.log(2)) // (2 * gap**2))),
    ],
    "recalibrated": [_recalibrated_by_many_passes, _recalibrated_by_average],
    "centred": [_centred_at_once, _centred_by_search],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
