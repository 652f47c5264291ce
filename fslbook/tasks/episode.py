"""Episodes: batches of N-way K-shot tasks (chapter 2). The words are those of Snell et al. (2017)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from fslbook.tasks.episode_checks import check_shapes, check_values

TENSORS = ("support_x", "support_y", "query_x", "query_y", "unlabelled_x")


@dataclass(frozen=True)
class Episode:
    """A batch of B independent few-shot tasks.

    Targets are labels int64 [B, images], one label per pixel int64 [B, images, H, W], or numbers float [B, images, D].

    Args:
        support_x: labelled images, float in [0, 1], [B, S, C, H, W]; after an encoder, features [B, S, D].
        support_y: their targets [B, S, ...]; labels lie in 0..n_way-1. Classes may have different numbers of images.
        query_x: images to classify [B, Q, C, H, W].
        query_y: their targets [B, Q, ...], used for losses and scores only; None where they are not known.
        n_way: number of classes N in each task; in regression the length D of a target.
        unlabelled_x: further images of the task without labels [B, U, C, H, W]; None where there are none.
        check: look at every value once. Only code that built the tensors itself may switch it off.

    Raises:
        ValueError: shapes, types or devices do not fit, a label is not in 0..n_way-1, a class has no support, or an
            image or a target holds NaN.

    Example:
        >>> x, y = torch.rand(1, 2, 1, 28, 28), torch.tensor([[0, 1]])
        >>> Episode(x, y, x, None, n_way=2).batch_size
        1
    """

    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor | None
    n_way: int
    unlabelled_x: Tensor | None = None
    check: InitVar[bool] = True

    def __post_init__(self, check: bool) -> None:
        if check:
            check_shapes(self)
            check_values(self)

    @property
    def batch_size(self) -> int:
        """Number of tasks B."""
        return len(self.support_x)

    @property
    def targets(self) -> Tensor:
        """The query targets [B, Q, ...], for a loss or a score.

        Raises:
            ValueError: the episode has none.
        """
        if self.query_y is None:
            raise ValueError("this episode has no query labels (query_y is None): they are needed for losses alone")
        return self.query_y

    def without_labels(self) -> Episode:
        """The same tasks with the query labels taken away, so that nobody can look at them."""
        return replace(self, query_y=None, check=False)

    def map(self, function: Callable[[Tensor], Tensor]) -> Episode:
        """Apply an encoder to all images as one batch: [B*(S+Q+U), C, H, W] to [B*(S+Q+U), ...].

        Args:
            function: images [M, C, H, W] to features [M, ...].
        """
        parts = {name: x for name, x in self._tensors().items() if name.endswith("_x")}
        images = torch.cat([*parts.values()], dim=1)  # [B, S + Q + U, C, H, W]
        features = function(images.flatten(0, 1)).unflatten(0, images.shape[:2])  # [B, S + Q + U, ...]
        pieces = features.split([x.shape[1] for x in parts.values()], dim=1)
        return replace(self, **dict(zip(parts, pieces, strict=True)), check=False)

    def tasks(self) -> list[Episode]:
        """The B tasks as episodes of one task each, views of the same tensors."""
        return self.split(1)

    def split(self, size: int) -> list[Episode]:
        """The tasks in portions of `size`, the last one perhaps smaller; views of the same tensors.

        Args:
            size: tasks per portion, at least 1.
        """
        starts = range(0, self.batch_size, size)
        return [self._of_each(partial(_rows, start=start, size=size)) for start in starts]

    def to(self, device: torch.device | str) -> Episode:
        """The same tasks on another device."""
        return self._of_each(lambda x: x.to(device))

    def _tensors(self) -> dict[str, Tensor]:
        """Those that there are, by name."""
        named = {name: getattr(self, name) for name in TENSORS}
        return {name: x for name, x in named.items() if x is not None}

    def _of_each(self, change: Callable[[Tensor], Tensor]) -> Episode:
        parts: dict[str, Any] = {name: change(x) for name, x in self._tensors().items()}
        return replace(self, **parts, check=False)


def _rows(x: Tensor, start: int, size: int) -> Tensor:
    return x[start : start + size]


def joined(episodes: list[Episode]) -> Episode:
    """All tasks of several episodes of the same kind as one episode.

    Args:
        episodes: at least one; all with the same sizes.

    Example:
        >>> x, y = torch.rand(3, 2, 4), torch.tensor([[0, 1]] * 3)
        >>> joined(Episode(x, y, x, y, n_way=2).tasks()).batch_size
        3
    """
    first = episodes[0]
    parts: dict[str, Any] = {name: torch.cat([getattr(e, name) for e in episodes]) for name in first._tensors()}
    return replace(first, **parts, check=False)
