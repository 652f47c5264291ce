"""The sampler that draws N-way K-shot episodes (chapter 2).

The idea of training in the form of the test is from Vinyals et al. (2016), "Matching Networks for One Shot
Learning", section 2.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import torch
from torch import Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.data.groups import group_masks
from fslbook.data.image_classes import ImageClasses, to_unit_range
from fslbook.tasks.episode import Episode


class TaskSampler(Protocol):
    """What `fit` needs of a source of batches.

    Where it has them, its `device` says where the batches lie, its `generator` (a `torch.Generator`) is saved in
    checkpoints, and its `identity`, a string, or else its `repr`, tells its batches from those of another source.

    Example:
        >>> class Noise:
        ...     def sample(self, batch_size=1):
        ...         return torch.rand(batch_size, 3)  # for a method whose loss takes [B, 3]
        >>> source: TaskSampler = Noise()
        >>> source.sample(4).shape
        torch.Size([4, 3])
    """

    def sample(self, batch_size: int = 1) -> Any:
        """Draw the next batch of `batch_size` tasks, in the form that the method's `loss` takes."""


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
        within_group: draw all classes of a task from one group, on Omniglot an alphabet; each group that has n_way
            classes is as likely as the others. Such tasks are harder.

    Raises:
        ValueError: a number is too small, or larger than the classes allow.

    Example:
        >>> images = torch.zeros(6, 1, 28, 28, dtype=torch.uint8)
        >>> classes = ImageClasses(images, torch.tensor([3, 3]), ("a", "b"))
        >>> EpisodeSampler(classes, n_way=2, k_shot=1, n_query=2).sample().query_x.shape
        torch.Size([1, 4, 1, 28, 28])
    """

    def __init__(
        self,
        classes: ImageClasses,
        n_way: int = 5,
        k_shot: int = 1,
        n_query: int = 15,
        *,
        seed: int = 0,
        within_group: bool = False,
    ) -> None:
        self.n_way, self.k_shot = check_whole_number("n_way", n_way, 2), check_whole_number("k_shot", k_shot, 1)
        self.n_query = check_whole_number("n_query", n_query, least=1)
        self.classes, self.within_group, self.seed = classes, within_group, check_whole_number("seed", seed, least=0)
        self._drawn = _enough(classes, *self._needed())  # classes of a task, images of each
        self._in_group = group_masks(classes, self.n_way) if within_group else None
        self.generator = torch.Generator(classes.images.device).manual_seed(self.seed)
        self._starts = classes.starts
        # A random number beyond the end of a shorter class is masked, so that only its own images are drawn.
        positions = torch.arange(int(classes.counts.max()), device=classes.counts.device)
        self._beyond_end = positions >= classes.counts[:, None]  # [number of classes, largest count]
        self._uneven = bool(self._beyond_end.any())

    def __repr__(self) -> str:
        return (
            f"{self.n_way}-way {self.k_shot}-shot, {self.n_query} queries a class, "
            f"from {len(self.classes)} classes ({self.classes.fingerprint}), seed {self.seed}"
            + ", within a group"
            * self.within_group
        )

    @property
    def device(self) -> torch.device:
        """Where the images and the episodes lie."""
        return self.classes.images.device

    @property
    def identity(self) -> str:
        """Tells which episodes these are: settings, the content of the images, and the kind of device."""
        return f"{self!r}, content {getattr(self.classes, 'content', '')}, on {self.device.type}"

    def sample(self, batch_size: int = 1) -> Episode:
        """Draw the next `batch_size` episodes.

        Args:
            batch_size: number of tasks B, at least 1.

        Returns:
            an `Episode` with support_x [B, N*K, C, H, W] and query_x [B, N*n_query, C, H, W].
        """
        return self._episode(self.sample_indices(batch_size)[1])

    def batches(self, n_tasks: int, batch_size: int) -> Iterator[Episode]:
        """The next `n_tasks` tasks in batches: those that `sample()` draws one by one, however they are batched.

        A GPU's random numbers depend on how many are drawn at once, so each task is drawn by itself: the first
        tasks of a long evaluation are those of a short one.

        Args:
            n_tasks: how many tasks in all, at least 1.
            batch_size: tasks in a batch, at least 1; the last batch may be smaller.
        """
        rows = torch.cat([self.sample_indices()[1] for _ in range(n_tasks)])  # [n_tasks, N, K + n_query]
        yield from map(self._episode, rows.split(batch_size))

    def _episode(self, rows: Tensor) -> Episode:
        """The episode of these image rows [B, N, K + n_query]."""
        batch_size = len(rows)
        x = to_unit_range(self.classes.images[rows])  # [B, N, K + Q, C, H, W]
        support, query = x[:, :, : self.k_shot].flatten(1, 2), x[:, :, self.k_shot :].flatten(1, 2)
        y = torch.arange(self.n_way, device=x.device)
        support_y = y.repeat_interleave(self.k_shot).expand(batch_size, -1)
        query_y = y.repeat_interleave(self.n_query).expand(batch_size, -1)
        return Episode(support, support_y, query, query_y, self.n_way, check=False)

    def _needed(self) -> tuple[int, int, str, str]:
        """Classes of a task, images of each, and both in words."""
        images = self.k_shot + self.n_query
        who, what = f"{self.n_way}-way needs", f"{self.k_shot} support and {self.n_query} query images"
        return self.n_way, images, who, what

    def sample_indices(self, batch_size: int = 1) -> tuple[Tensor, Tensor]:
        """Draw the next episodes as numbers: class indices [B, N] and image rows [B, N, K + n_query].

        Args:
            batch_size: number of tasks B, at least 1.
        """
        batch_size = check_whole_number("batch_size", batch_size, least=1)
        n_drawn = self._drawn[0]
        n_classes, longest = self._beyond_end.shape
        # One random row an episode: on the CPU the episodes do not depend on how many are drawn at once.
        size = (batch_size, n_classes + n_drawn * longest + self.within_group)
        noise = torch.rand(size, generator=self.generator, device=self.generator.device)
        priority = noise[:, :n_classes]
        if self._in_group is not None:
            group = (noise[:, -1] * len(self._in_group)).long()  # [B]
            priority = priority.masked_fill(~self._in_group[group], -1.0)
        chosen = priority.topk(n_drawn).indices  # [B, N]
        order = noise[:, n_classes : n_classes + n_drawn * longest]
        order = order.unflatten(1, (n_drawn, longest))  # [B, N, largest count]
        if self._uneven:
            order = order.masked_fill(self._beyond_end[chosen], -1.0)
        return chosen, self._starts[chosen][..., None] + self._positions(order, chosen)

    def _positions(self, order: Tensor, chosen: Tensor) -> Tensor:
        """Which images of the chosen classes [B, N]: those with the largest numbers of order [B, N, largest count]."""
        return order.topk(self._drawn[1]).indices  # [B, N, K + Q]

    def restarted(self, classes: ImageClasses | None = None) -> EpisodeSampler:
        """A new sampler that begins again at the first episode.

        Args:
            classes: other tensors of the same classes, for instance their features; by default the same.
        """
        classes = self.classes if classes is None else classes
        sizes = (self.n_way, self.k_shot, self.n_query)
        return EpisodeSampler(classes, *sizes, seed=self.seed, within_group=self.within_group)


def _enough(classes: ImageClasses, n_classes: int, n_images: int, who: str, what: str) -> tuple[int, int]:
    if not isinstance(classes, ImageClasses):
        raise ValueError(f"classes must be ImageClasses, such as data.base, got {type(classes).__name__}")
    if n_classes > len(classes):
        raise ValueError(f"{who} {n_classes} classes, the data set has {len(classes)}")
    smallest = int(classes.counts.argmin())
    name, has = classes.names[smallest], int(classes.counts[smallest])
    if n_images > has:
        raise ValueError(f"{what} need {n_images} images a class, but class {name!r} has {has}")
    return n_classes, n_images
