"""Recognises how wrong numbers hang together with the right ones: turned round, doubled, in another order."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def pattern(answer: Tensor, expected: Tensor, tolerance: float = 1e-4) -> str | None:
    """What the wrong numbers have to do with the right ones in words, or None.

    Args:
        answer: wrong numbers of any shape [...].
        expected: the right ones, of the same shape.
        tolerance: relative and absolute.

    Example:
        >>> pattern(torch.tensor([-1.0, -2.0]), torch.tensor([1.0, 2.0]))
        'the sign is turned round'
        >>> pattern(torch.tensor([2.0, 1.0, 5.0]), torch.tensor([1.0, 2.0, 5.0]))
        'they are the right numbers in another order'
    """
    a, e = answer.detach().double(), expected.detach().double()

    def alike(x: Tensor, y: Tensor) -> bool:
        return bool(torch.isclose(x, y, rtol=tolerance, atol=tolerance).all())

    if not a.numel() or not (a.isfinite().all() and e.isfinite().all()):
        return None
    if alike(a, torch.zeros_like(a)):
        return "yours is 0" if a.ndim == 0 else "all of yours are 0"
    found = next((words for words, change in _CHANGES.items() if alike(a, change(e)) and _far(change(e), e)), None)
    return found or (_of_many(a, e, alike) if a.numel() > 1 else None)


_CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "the sign is turned round": lambda e: -e,
    "yours is twice what it must be": lambda e: 2 * e,
    "yours is half of what it must be": lambda e: e / 2,
    "yours is 100 times what it must be, as in percent": lambda e: 100 * e,
    "yours is the square of what it must be": lambda e: e.square(),
    "yours is the square root of what it must be": lambda e: e.sqrt(),
    "yours is one minus what it must be": lambda e: 1 - e,
    "yours is one over what it must be": lambda e: 1 / e,
    "yours is the logarithm of what it must be": lambda e: e.log(),
    "yours is the exponential of what it must be": lambda e: e.exp(),
}


def _far(x: Tensor, y: Tensor) -> bool:
    """Near 0 and 1 a square is much the same as the number itself: there nothing can be told."""
    return bool(((x - y).abs() > 0.01 * (1 + y.abs())).any())


def _of_many(a: Tensor, e: Tensor, alike: Callable[[Tensor, Tensor], bool]) -> str | None:
    factor = float((a * e).sum() / e.square().sum().clamp_min(1e-30))
    if alike(a, factor * e):
        return f"yours are {factor:.3g} times what they must be"
    offset = float((a - e).mean())
    if alike(a, e + offset):
        return f"yours are too {'large' if offset > 0 else 'small'} by {abs(offset):.3g}, all alike"
    if alike(a, a.mean().expand_as(a)):
        return "yours are all the same number"
    if alike(a.flatten().sort().values, e.flatten().sort().values):
        return "they are the right numbers in another order"
    if e.ndim > 1 and alike(a.softmax(dim=-1), e.softmax(dim=-1)):
        return "in each row yours are off by one amount"
    if e.ndim > 1 and alike(a.softmax(dim=-1), e):
        return "a softmax is missing"
    if e.ndim > 1 and alike(a, e.softmax(dim=-1)):
        return "there is one softmax too many"
    return _where(torch.isclose(a, e, rtol=1e-4, atol=1e-4))


def _where(right: Tensor) -> str | None:
    """Named are the rows, or the entries, that alone are wrong, if they are fewer than half."""
    rows = right.flatten(1).all(dim=1) if right.ndim > 1 else right
    wrong = (~rows).nonzero().flatten().tolist()
    if not 0 < 2 * len(wrong) < len(rows):
        return None
    kind = "row" if right.ndim > 1 else "number"
    return f"wrong {'is' if len(wrong) == 1 else 'are'} {kind} {', '.join(map(str, wrong))} (counted from 0) alone"
