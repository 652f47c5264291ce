"""What the tests of the adapting methods share: small networks and the meta-gradient."""

from __future__ import annotations

import numpy as np
import torch
from helpers import assert_close
from torch import Tensor, nn

from fslbook import Episode

FORMS = ["loop", "vmap"]
VARIANTS = [
    {"form": "loop"},
    {"form": "vmap"},
    {"form": "loop", "recompute": True},
    {"form": "vmap", "recompute": True},
]


def mlp(n_way: int = 3, features: int = 5) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(features, 6), nn.Tanh(), nn.Linear(6, n_way)).double()


def small_conv(n_way: int = 3, track: bool = False) -> nn.Sequential:
    """Two convolutions with batch norm for 8×8 images; γ and β are not at their initial values."""
    torch.manual_seed(0)
    norms = [nn.BatchNorm2d(4, track_running_stats=track) for _ in range(2)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias)
    blocks = [nn.Conv2d(1, 4, 3, stride=2), norms[0], nn.Tanh(), nn.Conv2d(4, 4, 3), norms[1], nn.Tanh()]
    return nn.Sequential(*blocks, nn.Flatten(1), nn.Linear(4, n_way)).double()


def meta_gradient(method: nn.Module, episode: Episode) -> list[Tensor]:
    parameters = [p for p in method.parameters() if p.requires_grad]
    return [*torch.autograd.grad(method.loss(episode), parameters, materialize_grads=True)]


def assert_all_close(actual: list[Tensor], expected: list[Tensor] | list[np.ndarray]) -> None:
    assert len(actual) == len(expected)
    for ours, theirs in zip(actual, expected, strict=True):
        assert_close(ours, theirs)


def quadratic_task(x: Tensor, y: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """H and b of the gradient H w - b that the mean squared error of a linear model has; x [M, D], y [M, 1]."""
    x, y = x.numpy(), y.numpy()
    return 2 / len(x) * x.T @ x, 2 / len(x) * x.T @ y[:, 0]
