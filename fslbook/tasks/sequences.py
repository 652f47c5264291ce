"""Sequences of images of a few classes, each class many times: the task of chapter 15.

Santoro et al. (2016), "Meta-Learning with Memory-Augmented Neural Networks", section 2: the labels are shuffled anew in
each sequence, and a learner sees the label of an image only after it has answered.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from fslbook.common.arguments import check_whole_number
from fslbook.data.image_classes import ImageClasses, to_unit_range
from fslbook.tasks.sampler import EpisodeSampler


@dataclass(frozen=True)
class LabelledSequence:
    """B sequences of T images with a label each; labels mean something only inside their sequence.

    Args:
        x: images [B, T, C, H, W], or features [B, T, D].
        y: labels int64 [B, T] in 0..n_way-1.
        n_way: number of labels N.
        check: look at shapes and labels. Only code that built the tensors itself may switch it off.

    Raises:
        ValueError: shapes, types or labels do not fit.

    Example:
        >>> sequence = LabelledSequence(torch.rand(1, 4, 8), torch.tensor([[0, 1, 0, 0]]), n_way=2)
        >>> sequence.instances
        tensor([[1, 1, 2, 3]])
    """

    x: Tensor
    y: Tensor
    n_way: int
    check: InitVar[bool] = True

    def __post_init__(self, check: bool) -> None:
        if not check:
            return
        if self.y.ndim != 2 or self.x.ndim < 3 or self.x.shape[:2] != self.y.shape:
            raise ValueError(f"a sequence takes x [B, T, ...] and y [B, T], got {[*self.x.shape]}, {[*self.y.shape]}")
        if self.y.dtype != torch.int64:
            raise ValueError(f"labels y must be int64, got {self.y.dtype}")
        if self.y.numel() and not 0 <= int(self.y.min()) <= int(self.y.max()) < self.n_way:
            raise ValueError(f"labels must lie in 0..{self.n_way - 1}, got {int(self.y.min())}..{int(self.y.max())}")

    @property
    def instances(self) -> Tensor:
        """How often the class of each image has come so far, this time counted: int64 [B, T], from 1."""
        seen = F.one_hot(self.y, self.n_way).cumsum(dim=1)  # [B, T, N]
        return seen.gather(2, self.y[..., None])[..., 0]


class SequenceSampler:
    """Draws sequences of `n_way` classes with `n_each` different images each, in random order.

    Args:
        classes: the classes to draw from; features [M, D] in place of images give sequences of features.
        n_way: classes a sequence, at least 2.
        n_each: images of each class, at least 2; T = n_way * n_each.
        seed: the same seed gives the same sequences on the same kind of device.

    Raises:
        ValueError: a number is too small, or larger than the classes allow.

    Example:
        >>> classes = ImageClasses(torch.zeros(6, 1, 8, 8, dtype=torch.uint8), torch.tensor([3, 3]), ("a", "b"))
        >>> SequenceSampler(classes, n_way=2, n_each=3).sample(4).x.shape
        torch.Size([4, 6, 1, 8, 8])
    """

    def __init__(self, classes: ImageClasses, n_way: int = 5, n_each: int = 10, *, seed: int = 0) -> None:
        self.n_each = check_whole_number("n_each", n_each, least=2)
        self._tasks = EpisodeSampler(classes, n_way, 1, self.n_each - 1, seed=seed)
        self.n_way, self.generator = self._tasks.n_way, self._tasks.generator

    def __repr__(self) -> str:
        return f"sequences of {self.n_each} images a class, {self._tasks!r}"

    @property
    def device(self) -> torch.device:
        """Where the images and the sequences lie."""
        return self._tasks.device

    @property
    def identity(self) -> str:
        """Tells which sequences these are: settings, the content of the images, and the kind of device."""
        return f"sequences of {self._tasks.identity}"

    def sample(self, batch_size: int = 1) -> LabelledSequence:
        """Draw the next sequences; which class of a sequence is label 0 is chance.

        Args:
            batch_size: number of sequences B, at least 1.
        """
        rows = self._tasks.sample_indices(batch_size)[1].flatten(1)  # [B, T], class by class
        order = torch.rand(rows.shape, generator=self.generator, device=rows.device).argsort(dim=1)
        x = to_unit_range(self._tasks.classes.images[rows.gather(1, order)])  # [B, T, ...]
        return LabelledSequence(x, order // self.n_each, self.n_way, check=False)

    def restarted(self) -> SequenceSampler:
        """A new sampler that begins again at the first sequence."""
        return SequenceSampler(self._tasks.classes, self.n_way, self.n_each, seed=self._tasks.seed)
