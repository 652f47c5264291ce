"""Episodes: batches of N-way K-shot tasks (chapter 2). The words are those of Snell et al. (2017)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Episode:
    """A batch of B independent few-shot tasks.

    Args:
        support_x: labelled images, float in [0, 1], [B, S, C, H, W]; after an encoder, features [B, S, D].
        support_y: their labels, int64 [B, S], in 0..n_way-1. Classes may have different numbers of images.
        query_x: images to classify [B, Q, C, H, W].
        query_y: their labels, int64 [B, Q], used for losses and scores only.
        n_way: number of classes N in each task.
        check: look at every value once. Only code that built the tensors itself may switch it off.

    Raises:
        ValueError: shapes do not fit, a label is not in 0..n_way-1, a class has no support, or an image holds NaN.
    """

    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor
    n_way: int
    check: InitVar[bool] = True

    def __post_init__(self, check: bool) -> None:
        if check:
            _check_shapes(self)
            _check_values(self)

    @property
    def batch_size(self) -> int:
        """Number of tasks B."""
        return len(self.support_x)

    def map(self, function: Callable[[Tensor], Tensor]) -> Episode:
        """Apply an encoder to all images as one batch: [B*(S+Q), C, H, W] to [B*(S+Q), ...]."""
        n_support = self.support_x.shape[1]
        images = torch.cat([self.support_x, self.query_x], dim=1)  # [B, S + Q, C, H, W]
        features = function(images.flatten(0, 1)).unflatten(0, images.shape[:2])  # [B, S + Q, ...]
        support, query = features[:, :n_support], features[:, n_support:]
        return replace(self, support_x=support, query_x=query, check=False)

    def tasks(self) -> list[Episode]:
        """The B tasks as episodes of one task each, views of the same tensors."""
        parts = zip(self.support_x, self.support_y, self.query_x, self.query_y, strict=True)
        return [
            Episode(support_x[None], support_y[None], query_x[None], query_y[None], self.n_way, check=False)
            for support_x, support_y, query_x, query_y in parts
        ]

    def to(self, device: torch.device | str) -> Episode:
        """The same tasks on another device."""
        support_x, support_y = self.support_x.to(device), self.support_y.to(device)
        query_x, query_y = self.query_x.to(device), self.query_y.to(device)
        return Episode(support_x, support_y, query_x, query_y, self.n_way, check=False)


def _check_shapes(episode: Episode) -> None:
    for part in ("support", "query"):
        x, y = getattr(episode, f"{part}_x"), getattr(episode, f"{part}_y")
        if x.shape[:2] != y.shape or y.ndim != 2:
            raise ValueError(f"{part}_y must be [B, number of images] = {[*x.shape[:2]]}, got {[*y.shape]}")
    if len(episode.support_x) != len(episode.query_x):
        raise ValueError(f"support holds {len(episode.support_x)} tasks, query {len(episode.query_x)}")
    shapes = [*episode.support_x.shape[2:]], [*episode.query_x.shape[2:]]
    if shapes[0] != shapes[1]:
        raise ValueError(f"support images have shape {shapes[0]}, query images {shapes[1]}")


def _check_values(episode: Episode) -> None:
    n_way = episode.n_way
    for part in ("support", "query"):
        y = getattr(episode, f"{part}_y")
        if y.dtype != torch.int64:
            raise ValueError(f"{part}_y must be int64, got {y.dtype}")
        if y.numel() and not 0 <= int(y.min()) <= int(y.max()) < n_way:
            raise ValueError(f"{part} labels must be in 0..{n_way - 1}, found {int(y.min())}..{int(y.max())}")
        if not torch.isfinite(getattr(episode, f"{part}_x")).all():
            raise ValueError(f"{part} images contain NaN or infinity")
    for task, labels in enumerate(episode.support_y):
        missing = set(range(n_way)) - set(labels.tolist())
        if missing:
            raise ValueError(f"task {task}: no support image for class {min(missing)} of 0..{n_way - 1}")
