"""One number that stands for everything in a nested collection of tensors and plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def checksum(content: object) -> str:
    """64 hexadecimal digits that change with any bit of the content: sha256 of all types, shapes, bytes and names.

    Args:
        content: mappings, lists and tuples of tensors (on any device) and plain values, nested as you like.

    Example:
        >>> first, second = {"weight": torch.zeros(2), "steps": 3}, {"weight": torch.zeros(2), "steps": 4}
        >>> checksum(first) == checksum(dict(first)), checksum(first) == checksum(second)
        (True, False)
    """
    sha = hashlib.sha256()
    _add(sha, content)
    return sha.hexdigest()


def _add(sha: Any, x: object) -> None:
    if isinstance(x, Tensor):
        sha.update(f"tensor {x.dtype} {[*x.shape]} {x.requires_grad};".encode())
        sha.update(x.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    elif isinstance(x, Mapping):
        # A state dict carries the versions of its modules beside its entries.
        _add(sha, ["mapping", *x.items(), [*getattr(x, "_metadata", {}).items()]])
    elif isinstance(x, (list, tuple)):
        sha.update(f"{len(x)} of:".encode())
        for part in x:
            _add(sha, part)
    else:
        sha.update(f"{type(x).__name__} {x!r};".encode())
