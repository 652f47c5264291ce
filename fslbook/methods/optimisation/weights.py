"""Weights by name: a network called with other weights than its own, and their order in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.func import functional_call

Weights = dict[str, Tensor]
"""Parameters of a network by name, as `torch.func.functional_call` takes them."""

LARGE_BATCH = 16
"""From this many images on, a CPU convolves faster with the channels last in memory; below, the plain order wins."""


Predicate = Callable[[str], bool]
"""Whether the parameter of this name is meant."""

_LOCKS: WeakKeyDictionary[nn.Module, threading.RLock] = WeakKeyDictionary()
_LOCK_OF_LOCKS = threading.Lock()


def undisturbed(network: nn.Module) -> threading.RLock:
    """A lock that `called` holds while other weights are in the network; with it, nobody else puts them there.

    Args:
        network: any module.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> with undisturbed(layer):
        ...     own = dict(layer.named_parameters())
    """
    with _LOCK_OF_LOCKS:
        return _LOCKS.setdefault(network, threading.RLock())


def called(network: nn.Module, weights: Weights, x: Tensor) -> Tensor:
    """What the network gives for `x` with these weights in place of its own, one thread after the other.

    PyTorch puts them into the module for the time of the call, where other threads would meet them.

    Args:
        network: inputs [M, ...] to outputs [M, N].
        weights: some or all of its parameters by name.
        x: inputs [M, ...].

    Example:
        >>> layer = nn.Linear(1, 1)
        >>> called(layer, {"weight": torch.tensor([[2.0]]), "bias": torch.tensor([1.0])}, torch.tensor([[3.0]]))
        tensor([[7.]])
    """
    with undisturbed(network):
        return functional_call(network, weights, (x,))


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
    if not large:
        return weights
    with undisturbed(network):
        return channels_last(dict(network.named_parameters()) | weights)


def channels_last(weights: Weights) -> Weights:
    """The same numbers in another order in memory; `to` also moves a one-channel kernel, `contiguous` would not.

    Args:
        weights: by name; only those with four dimensions are convolutions' kernels.

    Example:
        >>> channels_last({"kernel": torch.zeros(4, 2, 3, 3)})["kernel"].stride()
        (18, 1, 6, 2)
    """
    return {name: w.to(memory_format=torch.channels_last) if w.ndim == 4 else w for name, w in weights.items()}


def beginnings(chosen: Predicate | Iterable[str] | None) -> Predicate | tuple[str, ...] | None:
    """Some beginnings of names as a tuple, which `str.startswith` takes; a predicate and None stay as they are.

    Args:
        chosen: a function of a name, or one or several beginnings of names.

    Raises:
        TypeError: something else.

    Example:
        >>> beginnings("head"), beginnings(["body.3", "head"])
        (('head',), ('body.3', 'head'))
    """
    if chosen is None or callable(chosen):
        return chosen
    names = (chosen,) if isinstance(chosen, str) else tuple(chosen) if isinstance(chosen, Iterable) else (chosen,)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"adapted must be beginnings of names, or a function of a name, got {chosen!r}")
    return names
