"""Checks of arguments that several modules share."""

from __future__ import annotations

import math
import operator

import numpy as np
import torch
from torch import Tensor, nn


def check_whole_number(name: str, value: object, least: int) -> int:
    """The value as an `int`; refuse one that is not a whole number or is too small.

    NumPy's integers and tensors that hold a single integer are whole numbers, truth values are not.

    Args:
        name: of the argument, for the message.
        value: what was given.
        least: the smallest number that is allowed.

    Raises:
        ValueError: says the name of the argument, the least allowed number and the one that was given.

    Example:
        >>> check_whole_number("n_way", 5, least=2)
        5
    """
    try:
        number = None if _is_truth_value(value) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or number < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return number


def check_positive(name: str, value: object) -> float:
    """The value as a `float`; refuse one that is not above 0 and finite.

    Args:
        name: of the argument, for the message.
        value: what was given.

    Raises:
        ValueError: says the name of the argument and what was given.

    Example:
        >>> check_positive("inner_lr", 0.4)
        0.4
    """
    try:
        number = math.nan if _is_truth_value(value) or isinstance(value, str) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:  # also false for NaN
        raise ValueError(f"{name} must be {'finite' if number == math.inf else 'positive'}, got {value!r}")
    return number


def _is_truth_value(value: object) -> bool:
    return isinstance(value, (bool, np.bool_)) or (isinstance(value, Tensor) and value.dtype == torch.bool)


def readable(x: Tensor) -> bool:
    """Whether the numbers in `x` can be looked at; not while a CUDA graph is captured, for it has none yet.

    Args:
        x: any shape, any device.

    Example:
        >>> readable(torch.zeros(2)), readable(torch.zeros(2, device="meta"))
        (True, False)
    """
    return not (x.is_meta or (x.is_cuda and torch.cuda.is_current_stream_capturing()))


def check_same_device(method: nn.Module, images: torch.device) -> None:
    """Refuse a method whose parameters and buffers do not all lie where the images lie; nothing is moved in secret.

    Args:
        method: any module.
        images: the device of the images.

    Raises:
        ValueError: says both devices.

    Example:
        >>> check_same_device(nn.Linear(2, 2), torch.device("cpu"))
    """
    for tensor in (*method.parameters(), *method.buffers()):
        if tensor.device != images:
            name = type(method).__name__
            raise ValueError(f"{name} is on {tensor.device}, the images are on {images}; move one with .to(device)")


def check_module(name: str, value: object) -> None:
    """Refuse what is no module of PyTorch, such as a class that was not called.

    Args:
        name: of the argument, for the message.
        value: what was given.

    Raises:
        TypeError: says the name of the argument, what was given, and what to do.

    Example:
        >>> check_module("encoder", nn.Flatten())
    """
    if isinstance(value, type):
        raise TypeError(f"{name} must be a module, got the class {value.__name__}: call it, {value.__name__}(...)")
    if not isinstance(value, nn.Module):
        raise TypeError(f"{name} must be a torch.nn.Module, got {value!r}")
