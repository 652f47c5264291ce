"""What can be drawn, said before anything is drawn."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from fslbook.tasks import Episode


def check_image(image: object) -> None:
    """Refuse what is no image.

    Args:
        image: must be a tensor [C, H, W] with values in 0..1; C is 1 or 3.

    Raises:
        TypeError: no tensor.
        ValueError: another shape, or other values.

    Example:
        >>> check_image(torch.rand(1, 8, 8))
    """
    if not isinstance(image, Tensor):
        raise TypeError(f"an image must be a tensor [C, H, W], got {type(image).__name__}")
    if image.ndim != 3 or image.shape[0] not in (1, 3) or not image.numel():
        raise ValueError(f"an image must be [C, H, W] with C = 1 or 3, got {[*image.shape]}")
    low, high = float(image.min()), float(image.max())
    if not (low >= 0 and high <= 1):  # also true for NaN
        raise ValueError(f"an image must have values in 0..1, found {low:g}..{high:g}; divide bytes by 255")


def check_task(episode: Episode, task: int, n_query: int = 1, names: Sized | None = None) -> None:
    """Refuse a task that the episode has not, and what does not fit its classes.

    Args:
        episode: images [B, S, C, H, W] and [B, Q, C, H, W].
        task: must lie in 0..B-1.
        n_query: at least 1.
        names: as many as there are classes, if any.

    Raises:
        ValueError: says which of them does not fit.

    Example:
        >>> from fslbook import Episode
        >>> x, y = torch.rand(1, 2, 1, 8, 8), torch.tensor([[0, 1]])
        >>> check_task(Episode(x, y, x, y, n_way=2), 0)
    """
    if not 0 <= task < len(episode.support_x):
        raise ValueError(f"task must be one of 0..{len(episode.support_x) - 1}, got {task}")
    if n_query < 1:
        raise ValueError(f"n_query must be at least 1, got {n_query}")
    if names is not None and len(names) != episode.n_way:
        raise ValueError(f"names must be one per class, {episode.n_way}, got {len(names)}")
    check_image(episode.support_x[task, 0])


def check_features(features: Tensor, n: int) -> None:
    """Refuse what has no `n` principal components.

    Args:
        features: must be finite floating-point numbers [M, D].
        n: must lie in 1..min(M, D).

    Raises:
        ValueError: says what does not fit.

    Example:
        >>> check_features(torch.rand(5, 3), n=2)
    """
    if features.ndim != 2 or not features.is_floating_point():
        raise ValueError(f"features must be floating-point [M, D], got {features.dtype} {[*features.shape]}")
    if not 1 <= n <= min(features.shape):
        raise ValueError(f"features {[*features.shape]} have 1..{min(features.shape)} components, got n={n}")
    if not torch.isfinite(features).all():
        raise ValueError("features must be finite, they hold NaN or infinity")
