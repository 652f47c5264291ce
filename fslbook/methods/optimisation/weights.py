"""Weights by name, and their order in memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn

Weights = dict[str, Tensor]
"""Parameters of a network by name, as `torch.func.functional_call` takes them."""

LARGE_BATCH = 16
"""From this many images on, a CPU convolves faster with the channels last in memory; below, the plain order wins."""


def in_fast_order(network: nn.Module, weights: Weights, x: Tensor) -> Weights:
    """The weights in the order in memory in which the network is quickest on a batch like `x`.

    Args:
        network: whose other parameters are added where the order changes.
        weights: some or all of its parameters by name.
        x: a batch [M, ...].

    Example:
        >>> weights = in_fast_order(nn.Linear(2, 2), {}, torch.zeros(20, 2))  # no images: as they were
        >>> len(weights)
        0
    """
    large = x.ndim == 4 and len(x) >= LARGE_BATCH and x.device.type == "cpu"
    return channels_last(dict(network.named_parameters()) | weights) if large else weights


def channels_last(weights: Weights) -> Weights:
    """The same numbers in another order in memory; `to` also moves a one-channel kernel, `contiguous` would not.

    Args:
        weights: by name; only those with four dimensions are convolutions' kernels.

    Example:
        >>> channels_last({"kernel": torch.zeros(4, 2, 3, 3)})["kernel"].stride()
        (18, 1, 6, 2)
    """
    return {name: w.to(memory_format=torch.channels_last) if w.ndim == 4 else w for name, w in weights.items()}
