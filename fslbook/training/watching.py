"""Look over the shoulder of a loss: the logits that it computes on its way give the training accuracy for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def watching(method: nn.Module) -> Iterator[list[Tensor]]:
    """Note what `method(batch)` returns inside the block; nothing stays on the method afterwards.

    Args:
        method: any module. One that stands for another names it as `makes_logits`, and that one is watched.

    Returns:
        a list of the tensors [.., Q, N, ...] so far, detached; empty where the loss makes no logits.

    Example:
        >>> method = nn.Linear(2, 3)
        >>> with watching(method) as logits:
        ...     loss = method(torch.ones(4, 2)).sum()
        >>> [x.shape for x in logits]
        [torch.Size([4, 3])]
    """
    seen: list[Tensor] = []

    def remember(module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            seen.append(output.detach())

    handle = getattr(method, "makes_logits", method).register_forward_hook(remember)
    try:
        yield seen
    finally:
        handle.remove()


def accuracy(logits: list[Tensor], batch: Any, loss: Tensor) -> Tensor:
    """Share of the queries of a batch that are answered correctly.

    Nothing is read from the device or sent to it, which would break a CUDA graph.

    Args:
        logits: [B, Q, N, ...], in as many parts along B as there are; of images that belong to no task, [M, N].
        batch: its `query_y`, if it has any, holds the labels, int64 [B, Q, ...]; else its `labels`, int64 [M].
        loss: a scalar on the device of the logits.

    Returns:
        a scalar in 0..1; NaN where there are no logits, no labels, or the two do not belong together.

    Example:
        >>> from types import SimpleNamespace
        >>> logits = torch.tensor([[[3.0, 1.0], [2.0, 0.0]]])  # [1, 2, 2]
        >>> accuracy([logits], SimpleNamespace(query_y=torch.tensor([[0, 1]])), torch.zeros(()))
        tensor(0.5000)
    """
    labels = getattr(batch, "query_y", getattr(batch, "labels", None))
    if not isinstance(labels, Tensor) or labels.is_floating_point() or not _fit_together(logits, labels):
        return loss.new_full((), float("nan"))  # filled there: sending a number would break a capture
    return (torch.cat(logits).argmax(dim=min(2, labels.ndim)) == labels).float().mean()


def _fit_together(logits: list[Tensor], labels: Tensor) -> bool:
    classes = min(2, labels.ndim)  # the dimension of the logits that the labels lack
    if not classes or any(x.ndim != labels.ndim + 1 for x in logits):
        return False
    shapes = {(*x.shape[1:classes], *x.shape[classes + 1 :]) for x in logits}
    return shapes == {(*labels.shape[1:],)} and sum(len(x) for x in logits) == len(labels)
