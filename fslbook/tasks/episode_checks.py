"""What an `Episode` refuses: parts that do not fit, and values that nobody could mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from fslbook.common.arguments import check_whole_number

if TYPE_CHECKING:
    from fslbook.tasks.episode import Episode


def check_shapes(episode: Episode) -> None:
    """Refuse parts whose types, sizes or devices do not fit; no value is looked at.

    Raises:
        ValueError: names the part, and says what it should be and what it is.

    Example:
        >>> from fslbook.tasks.episode import Episode
        >>> x, y = torch.rand(1, 2, 3), torch.tensor([[0, 1]])
        >>> check_shapes(Episode(x, y, x[:, :1], y, n_way=2, check=False))
        Traceback (most recent call last):
        ValueError: query_y must be [B, number of images, ...] = [1, 1], got [1, 2]
    """
    check_whole_number("n_way", episode.n_way, least=1)
    _check_images(episode)
    _check_targets("support", episode.support_x, episode.support_y, episode.n_way)
    if episode.query_y is not None:
        _check_targets("query", episode.query_x, episode.query_y, episode.n_way)
        if episode.query_y.dtype != episode.support_y.dtype or episode.query_y.shape[2:] != episode.support_y.shape[2:]:
            kinds = [f"{y.dtype} {[*y.shape]}" for y in (episode.support_y, episode.query_y)]
            raise ValueError(f"support and query targets must be of one kind, got {kinds[0]} and {kinds[1]}")
    devices = {name: x.device for name, x in episode._tensors().items()}
    if len(set(devices.values())) > 1:
        raise ValueError(f"all parts must lie on one device, got {', '.join(f'{n} {d}' for n, d in devices.items())}")


def check_values(episode: Episode) -> None:
    """Refuse labels out of range, classes without support, and numbers that are not finite.

    Raises:
        ValueError: names the part and the value.

    Example:
        >>> from fslbook.tasks.episode import Episode
        >>> x, y = torch.rand(1, 2, 3), torch.tensor([[0, 0]])
        >>> check_values(Episode(x, y, x, y, n_way=2, check=False))
        Traceback (most recent call last):
        ValueError: task 0: no support image for class 1 of 0..1
    """
    for name, x in episode._tensors().items():
        part = name.split("_")[0]
        if x.is_floating_point() and not torch.isfinite(x).all():
            raise ValueError(f"{part} {'images' if name.endswith('_x') else 'targets'} contain NaN or infinity")
        if name.endswith("_y") and not x.is_floating_point():
            _check_labels(part, x, episode.n_way)
    if not episode.support_y.is_floating_point():
        _check_support_of_every_class(episode.support_y, episode.n_way)


def _check_images(episode: Episode) -> None:
    support = episode.support_x
    for name, x in episode._tensors().items():
        part = name.split("_")[0]
        if not isinstance(x, Tensor):
            raise ValueError(f"{name} must be a tensor, got {type(x).__name__}")
        if not name.endswith("_x"):
            continue
        if not x.is_floating_point():
            raise ValueError(f"{name} must be floating point, got {x.dtype}; bytes become images by x.float() / 255")
        if x.dtype != support.dtype:
            raise ValueError(f"support images are {support.dtype}, {part} images {x.dtype}; give both one type")
        if x.ndim < 3:
            raise ValueError(f"{name} must be [B, images, ...], got {[*x.shape]}")
        if len(x) != len(support):
            raise ValueError(f"support holds {len(support)} tasks, {part} {len(x)}")
        if x.shape[2:] != support.shape[2:]:
            raise ValueError(f"support images have shape {[*support.shape[2:]]}, {part} images {[*x.shape[2:]]}")


def _check_targets(part: str, x: Tensor, y: Tensor, n_way: int) -> None:
    if y.ndim < 2 or x.shape[:2] != y.shape[:2]:
        raise ValueError(f"{part}_y must be [B, number of images, ...] = {[*x.shape[:2]]}, got {[*y.shape]}")
    if y.is_floating_point() and y.ndim == 3:
        if y.shape[2] != n_way:
            raise ValueError(f"n_way is the length of a target in regression: {part}_y has {y.shape[2]}, n_way {n_way}")
    elif y.dtype != torch.int64:
        raise ValueError(f"{part}_y must be int64, got {y.dtype}; numbers as targets are float [B, images, D]")


def _check_labels(part: str, y: Tensor, n_way: int) -> None:
    if y.numel() and not 0 <= int(y.min()) <= int(y.max()) < n_way:
        raise ValueError(f"{part} labels must be in 0..{n_way - 1}, found {int(y.min())}..{int(y.max())}")


def _check_support_of_every_class(support_y: Tensor, n_way: int) -> None:
    for task, labels in enumerate(support_y.flatten(1)):
        missing = set(range(n_way)) - set(labels.unique().tolist())
        if missing:
            raise ValueError(f"task {task}: no support image for class {min(missing)} of 0..{n_way - 1}")
