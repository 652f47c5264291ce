"""Tensors inside tuples, lists, dicts and modules: changing them, comparing them, saying what form they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn


def map_tensors(change: Callable[[Tensor], Tensor], value: Any) -> Any:
    """`value` with `change` applied to every tensor in its tuples, lists, dicts and modules (those are copied).

    Args:
        change: takes a tensor of any shape [...], gives the tensor that takes its place.
        value: anything; what holds no tensor is handed back as it is.

    Raises:
        RecursionError: a list or dict contains itself.

    Example:
        >>> map_tensors(torch.Tensor.double, [torch.zeros(1), "a"])
        [tensor([0.], dtype=torch.float64), 'a']
    """
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: map_tensors(change, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [map_tensors(change, item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, nn.Module):
        return deepcopy(value)._apply(change)
    return value


def require_gradients(value: Any) -> None:
    """Let every floating-point tensor in `value` require a gradient.

    Args:
        value: tensors, or tuples, lists and dicts of them.

    Example:
        >>> x, labels = torch.zeros(2), torch.tensor([0, 1])
        >>> require_gradients((x, labels))
        >>> x.requires_grad, labels.requires_grad
        (True, False)
    """
    map_tensors(lambda x: x.requires_grad_(x.is_floating_point()), value)


def has_floats(value: Any) -> bool:
    """Whether `value` holds a tensor of floating-point numbers.

    Args:
        value: anything.

    Example:
        >>> has_floats((3, [torch.tensor(1)])), has_floats((3, [torch.tensor(1.0)]))
        (False, True)
    """
    return any(isinstance(x, Tensor) and x.is_floating_point() for x in _leaves(value))


def has_nan(value: Any) -> bool:
    """Whether some number in `value` is not a number.

    Args:
        value: anything.

    Example:
        >>> has_nan([1.0, torch.zeros(2)]), has_nan([1.0, torch.zeros(2) / 0])
        (False, True)
    """
    return any(bool(x.isnan().any()) if isinstance(x, Tensor) else x != x for x in _leaves(value))


def _leaves(value: Any) -> Iterator[Any]:
    """The tensors in a structure, and whatever else is no container."""
    if isinstance(value, nn.Module):
        value = _tensors_of(value)
    if isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    else:
        yield value


def same(a: Any, b: Any) -> bool:
    """Whether two structures hold the same: numbers, tensors (NaN is NaN), and modules with their modes and settings.

    Gradients that were left in a module do not count. Of what is neither number, text, tensor, container nor module,
    the type alone is compared.

    Args:
        a: anything.
        b: anything.

    Example:
        >>> same([1, torch.zeros(2)], [1, torch.zeros(2)]), same([1, 2], [1, 3])
        (True, False)
        >>> same(nn.Dropout(0.5), nn.Dropout(0.5).eval())
        False
    """
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return _same_tensor(a, b)
    if isinstance(a, nn.Module):
        return _settings(a) == _settings(b) and same(_tensors_of(a), _tensors_of(b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(item, b[key]) for key, item in a.items())
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or a != a if isinstance(a, (bool, int, float, str)) else True


def _same_tensor(a: Tensor, b: Tensor) -> bool:
    return (a.shape, a.dtype, a.device) == (b.shape, b.dtype, b.device) and torch.allclose(
        a, b, rtol=0, atol=0, equal_nan=True
    )


def _settings(module: nn.Module) -> dict[str, tuple[type, dict[str, Any]]]:
    """Of each part its kind, and what it was told: its mode, its momentum, ..."""
    return {name: (type(part), _plain(vars(part))) for name, part in module.named_modules()}


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: x for name, x in attributes.items() if x is None or isinstance(x, (bool, int, float, str))}


def _tensors_of(module: nn.Module) -> dict[str, Tensor]:
    return {name: x.detach() for name, x in [*module.named_parameters(), *module.named_buffers()]}


def readable(value: Any) -> bool:
    """Whether the numbers of every tensor in `value` can be looked at: none lies on meta, none is sparse or nested.

    Args:
        value: anything.

    Example:
        >>> readable((3, [torch.zeros(1)])), readable([torch.zeros(1, device="meta")])
        (True, False)
    """
    tensors = (x for x in _leaves(value) if isinstance(x, Tensor))
    return all(x.layout == torch.strided and not x.is_nested and not x.is_meta for x in tensors)
