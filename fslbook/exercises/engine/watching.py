"""Watches what a learner's function does: each operation on tensors, with the sizes that come out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


@dataclass
class Work:
    """What was done.

    Args:
        steps: of each operation its name, such as "mm", and the shape of what came out.

    Example:
        >>> work = Work([("mm", (3, 4)), ("add", (5,))])
        >>> work.largest, work.count("mm", at_least=12)
        (12, 1)
    """

    steps: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)

    @property
    def largest(self) -> int:
        """The number of entries of the largest tensor that was made."""
        return max((_size(shape) for _, shape in self.steps), default=0)

    def count(self, *names: str, at_least: int = 1) -> int:
        """How many operations of these names made a tensor of so many entries."""
        return sum(name in names and _size(shape) >= at_least for name, shape in self.steps)


class _Watch(TorchDispatchMode):
    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        found: Iterable[Any] = out if isinstance(out, (tuple, list)) else (out,)
        name = func.overloadpacket.__name__
        self.work.steps += [(name, tuple(x.shape)) for x in found if isinstance(x, Tensor)]
        return out


def watched(function: Callable[..., Any], work: Work) -> Callable[..., Any]:
    """`function`, of which each operation is noted in `work`.

    Args:
        function: anything that can be called.
        work: grows with each operation, those of backward passes included.

    Example:
        >>> import torch
        >>> work = Work()
        >>> watched(torch.mm, work)(torch.ones(3, 2), torch.ones(2, 4)).shape
        torch.Size([3, 4])
        >>> work.steps
        [('mm', (3, 4))]
    """

    def version(*arguments: Any) -> Any:
        with _Watch(work):
            return function(*arguments)

    return version


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for side in shape:
        size *= side
    return size
