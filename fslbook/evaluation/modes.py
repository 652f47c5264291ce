"""Evaluation mode for a while, also where several threads ask the same method."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from torch import nn

_LOCK = threading.Lock()
_USERS: WeakKeyDictionary[nn.Module, tuple[int, bool]] = WeakKeyDictionary()
"""How many blocks hold a module in evaluation mode, and the mode it had before the first of them."""


@contextmanager
def evaluation_mode(method: nn.Module) -> Iterator[None]:
    """Put `method` into evaluation mode, and every part of it back as it was afterwards.

    Blocks may lie inside each other and run in several threads: the last one to leave a part puts it back.

    Args:
        method: any module.

    Example:
        >>> layer = nn.Dropout().train()
        >>> with evaluation_mode(layer):
        ...     print(layer.training)
        False
        >>> layer.training
        True
    """
    parts = [*method.modules()]
    with _LOCK:
        for part in parts:
            users, before = _USERS.get(part, (0, part.training))
            _USERS[part] = (users + 1, before)
        method.eval()
    try:
        yield
    finally:
        with _LOCK:
            for part in parts:
                _leave(part)


def _leave(part: nn.Module) -> None:
    users, before = _USERS[part]
    if users > 1:
        _USERS[part] = (users - 1, before)
    else:
        del _USERS[part]
        part.training = before
