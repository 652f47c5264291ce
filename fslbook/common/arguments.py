"""Checks of arguments that several modules share."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def check_whole_number(name: str, value: object, least: int) -> None:
    """Refuse a size that is not a whole number or is too small.

    Raises:
        ValueError: says the name of the argument, the least allowed number and the one that was given.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")


def check_positive(name: str, value: float) -> None:
    """Refuse a number that is not above 0 and finite.

    Raises:
        ValueError: says the name of the argument and the number that was given.
    """
    if not 0 < value < math.inf:  # also false for NaN
        raise ValueError(f"{name} must be positive, got {value}")


def readable(x: Tensor) -> bool:
    """Whether the numbers in `x` can be looked at; not while a CUDA graph is captured, for it has none yet."""
    return not (x.is_meta or (x.is_cuda and torch.cuda.is_current_stream_capturing()))


def check_same_device(method: nn.Module, images: torch.device) -> None:
    """Refuse a method whose parameters do not lie where the images lie; nothing is moved in secret.

    Raises:
        ValueError: says both devices.
    """
    parameter = next(method.parameters(), None)
    if parameter is not None and parameter.device != images:
        name = type(method).__name__
        raise ValueError(f"{name} is on {parameter.device}, the images are on {images}; move one with .to(device)")
