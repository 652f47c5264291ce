"""Episodes: N-way K-shot tasks, and the sampler that draws them (chapter 2).

The idea of training in the form of the test is from Vinyals et al. (2016), "Matching Networks for One Shot
Learning", section 2.2; N-way K-shot, support and query are used as in Snell et al. (2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from fslbook.checks import check_whole_number
from fslbook.data.image_classes import ImageClasses


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


class TaskSampler(Protocol):
    """What `fit` needs of a source of episodes; its `repr` tells one source from another."""

    generator: torch.Generator

    @property
    def device(self) -> torch.device:
        """Where the episodes lie."""

    def sample(self, batch_size: int = 1) -> Episode:
        """Draw the next `batch_size` tasks."""


class EpisodeSampler:
    """Draws N-way K-shot episodes by index arithmetic on the device where the images lie.

    Classes are drawn without replacement, then K + Q different images of each, so that no class occurs twice
    and no image is both support and query. Classes may have different numbers of images. In an episode the
    images stand class by class: S = n_way * k_shot support and n_way * n_query query images.

    Args:
        classes: the classes to draw from; features [M, D] in place of images give episodes of features.
        n_way: classes a task, at least 2.
        k_shot: support images a class, at least 1.
        n_query: query images a class, at least 1.
        seed: the same seed gives the same episodes on the same kind of device.

    Raises:
        ValueError: a number is too small, or larger than the classes allow.
    """

    def __init__(
        self, classes: ImageClasses, n_way: int = 5, k_shot: int = 1, n_query: int = 15, *, seed: int = 0
    ) -> None:
        _check_sizes(classes, n_way, k_shot, n_query)
        self.classes, self.n_way, self.k_shot, self.n_query, self.seed = classes, n_way, k_shot, n_query, seed
        self.generator = torch.Generator(classes.images.device).manual_seed(seed)
        self._starts = classes.starts
        # A random number beyond the end of a shorter class is masked, so that only its own images are drawn.
        positions = torch.arange(int(classes.counts.max()), device=classes.counts.device)
        self._beyond_end = positions >= classes.counts[:, None]  # [number of classes, largest count]
        self._uneven = bool(self._beyond_end.any())

    def __repr__(self) -> str:
        return (
            f"{self.n_way}-way {self.k_shot}-shot, {self.n_query} queries a class, "
            f"from {len(self.classes)} classes ({self.classes.fingerprint}), seed {self.seed}"
        )

    @property
    def device(self) -> torch.device:
        """Where the images and the episodes lie."""
        return self.classes.images.device

    def sample(self, batch_size: int = 1) -> Episode:
        """Draw the next `batch_size` episodes.

        Returns:
            an `Episode` with support_x [B, N*K, C, H, W] and query_x [B, N*n_query, C, H, W].
        """
        _, rows = self.sample_indices(batch_size)
        x = to_unit_range(self.classes.images[rows])  # [B, N, K + Q, C, H, W]
        support, query = x[:, :, : self.k_shot].flatten(1, 2), x[:, :, self.k_shot :].flatten(1, 2)
        y = torch.arange(self.n_way, device=x.device)
        support_y = y.repeat_interleave(self.k_shot).expand(batch_size, -1)
        query_y = y.repeat_interleave(self.n_query).expand(batch_size, -1)
        return Episode(support, support_y, query, query_y, self.n_way, check=False)

    def sample_indices(self, batch_size: int = 1) -> tuple[Tensor, Tensor]:
        """Draw the next episodes as numbers: class indices [B, N] and image rows [B, N, K + n_query]."""
        check_whole_number("batch_size", batch_size, least=1)
        n_classes, longest = self._beyond_end.shape
        # One random row an episode: on the CPU the episodes then do not depend on how they are batched.
        size = (batch_size, n_classes + self.n_way * longest)
        noise = torch.rand(size, generator=self.generator, device=self.generator.device)
        chosen = noise[:, :n_classes].topk(self.n_way).indices  # [B, N]
        order = noise[:, n_classes:].unflatten(1, (self.n_way, longest))  # [B, N, largest count]
        if self._uneven:
            order = order.masked_fill(self._beyond_end[chosen], -1.0)
        position = order.topk(self.k_shot + self.n_query).indices  # [B, N, K + Q]
        return chosen, self._starts[chosen][..., None] + position

    def restarted(self, classes: ImageClasses | None = None) -> EpisodeSampler:
        """A new sampler that begins again at the first episode, optionally over other tensors of the same classes."""
        classes = self.classes if classes is None else classes
        return EpisodeSampler(classes, self.n_way, self.k_shot, self.n_query, seed=self.seed)


def to_unit_range(x: Tensor) -> Tensor:
    """Stored bytes 0..255 become floats in [0, 1]; features stay as they are."""
    return x.float() / 255 if x.dtype == torch.uint8 else x


def _check_sizes(classes: ImageClasses, n_way: int, k_shot: int, n_query: int) -> None:
    for name, value, least in (("n_way", n_way, 2), ("k_shot", k_shot, 1), ("n_query", n_query, 1)):
        check_whole_number(name, value, least)
    if n_way > len(classes):
        raise ValueError(f"{n_way}-way needs {n_way} classes, the data set has {len(classes)}")
    smallest = int(classes.counts.argmin())
    if k_shot + n_query > int(classes.counts[smallest]):
        raise ValueError(
            f"{k_shot} support and {n_query} query images need {k_shot + n_query} images a class, "
            f"but class {classes.names[smallest]!r} has {int(classes.counts[smallest])}"
        )
