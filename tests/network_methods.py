"""What the tests share of the methods that are networks: each one small, for 5-way episodes of 8×8 images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from fslbook import HyperNetwork, InContextLearner, LearnedOptimiser, MetaNetwork, SequenceLearner
from fslbook.methods import FewShotMethod
from fslbook.methods.memory.meta_networks import PARTS
from fslbook.networks.readers import FeedForwardReader, LSTMReader, MemoryReader


def encoder() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(1), nn.Linear(64, 8))


def classifier() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(1), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 5))


READERS: dict[str, Callable[[], nn.Module]] = {
    "feed-forward": lambda: FeedForwardReader(8 + 5, 16),
    "lstm": lambda: LSTMReader(8 + 5, 32),
    "memory": lambda: MemoryReader(8 + 5, 32, n_rows=12, width=16, n_heads=2),
}
NETWORK_METHODS: dict[str, Callable[[], FewShotMethod]] = {
    f"reader, {name}": lambda reader=reader: SequenceLearner(encoder(), reader()) for name, reader in READERS.items()
}
NETWORK_METHODS |= {
    "in context": lambda: InContextLearner(encoder(), n_features=8, width=32, n_layers=1),
    "meta network": lambda: MetaNetwork(encoder(), n_features=8, hidden=8),
    "hypernetwork": lambda: HyperNetwork(encoder(), n_features=8, hidden=16),
    "learned optimiser": lambda: LearnedOptimiser(classifier(), 3, start_lr=0.1),
}
IN_A_TEAM = NETWORK_METHODS | {
    f"meta network without {part}": lambda part=part: MetaNetwork(encoder(), n_features=8, hidden=8, without=part)
    for part in PARTS
}
"""Also with parts taken out, whose weights have no gradients that a process could wait for."""


def gradients(method: nn.Module, loss: Tensor) -> dict[str, Tensor]:
    """By name, of the parameters that can be trained."""
    loss.backward()
    return {name: p.grad.clone() for name, p in method.named_parameters() if p.requires_grad and p.grad is not None}


def made(name: str) -> FewShotMethod:
    """The method with weights that are the same each time."""
    torch.manual_seed(0)
    return NETWORK_METHODS[name]()
