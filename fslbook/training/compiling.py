"""Hand a method's loss to torch.compile, which fuses its small operations into fewer, larger ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Loss = Callable[[Any], Tensor]


def loss_of(method: nn.Module, device: torch.device, *, compiled: bool) -> Loss:
    """`method.loss`, compiled if that is asked for and can be; a line says why where it cannot.

    Args:
        method: a module with `loss(batch)`, a scalar.
        device: where it computes.
        compiled: whether to compile.

    Example:
        >>> from fslbook.methods import NearestNeighbour
        >>> method = NearestNeighbour()
        >>> loss_of(method, torch.device("cpu"), compiled=False) == method.loss
        True
    """
    loss: Loss = method.loss  # type: ignore[assignment]
    if not compiled:
        return loss
    if reason := why_not_compiled(method, device):
        print(f"not compiled: {reason}")
        return loss
    return torch.compile(loss)


def why_not_compiled(method: nn.Module, device: torch.device) -> str | None:
    """What keeps the loss from being compiled, in words; None where nothing does.

    Args:
        method: a part of it may say by `adapts` that it differentiates inside its loss, or by a text
            `why_not_compiled` what else speaks against it.
        device: where it computes.

    Example:
        >>> from fslbook.methods import MAML
        >>> why_not_compiled(MAML(nn.Linear(4, 5)), torch.device("cpu"))
        'MAML differentiates inside its loss, which torch.compile cannot do'
    """
    if any(getattr(part, "adapts", False) for part in method.modules()):
        return f"{type(method).__name__} differentiates inside its loss, which torch.compile cannot do"
    for part in method.modules():
        if reason := getattr(part, "why_not_compiled", None):
            return f"{type(part).__name__}: {reason}"
    try:
        torch.compile(torch.neg)(torch.zeros(2, device=device))
    except Exception as error:  # whatever a missing or broken compiler raises
        return f"torch.compile does not work here ({str(error).strip().splitlines()[0]})"
    return None
