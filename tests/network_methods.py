"""What the tests share of the methods that are networks: each one small, for 5-way episodes of 8×8 images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from fslbook import HyperNetwork, InContextLearner, LearnedOptimiser, MetaNetwork
from fslbook.methods import FewShotMethod


def encoder() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(1), nn.Linear(64, 8))


def classifier() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(1), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 5))


NETWORK_METHODS: dict[str, Callable[[], FewShotMethod]] = {
    "in context": lambda: InContextLearner(encoder(), n_features=8, width=32, n_layers=1),
    "meta network": lambda: MetaNetwork(encoder(), n_features=8, hidden=8),
    "hypernetwork": lambda: HyperNetwork(encoder(), n_features=8, hidden=16),
    "learned optimiser": lambda: LearnedOptimiser(classifier(), 3, start_lr=0.1),
}


def made(name: str) -> FewShotMethod:
    """The method with weights that are the same each time."""
    torch.manual_seed(0)
    return NETWORK_METHODS[name]()
