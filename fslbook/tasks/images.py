"""Batches of images that belong to no task: for ordinary training (chapter 11) and for training without labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.data.image_classes import ImageClasses, to_unit_range

Augmentation = Callable[[Tensor, Generator], Tensor]
"""Images [M, C, H, W] and a source of randomness to as many changed images."""


@dataclass(frozen=True)
class LabelledImages:
    """A batch of images with the classes they are of.

    Args:
        images: float [M, C, H, W] in 0..1.
        labels: int64 [M], class numbers of the whole data set.

    Example:
        >>> LabelledImages(torch.rand(2, 1, 8, 8), torch.tensor([7, 3])).labels.tolist()
        [7, 3]
    """

    images: Tensor
    labels: Tensor


class _Drawing:
    """Draws images one by one, with replacement, whatever their class."""

    def __init__(self, classes: ImageClasses, augment: Augmentation | None, seed: int) -> None:
        if not isinstance(classes, ImageClasses):
            raise ValueError(f"classes must be ImageClasses, such as data.base, got {type(classes).__name__}")
        if augment is not None and not callable(augment):
            raise ValueError(f"augment must be a function of images and a generator, got {type(augment).__name__}")
        self.classes, self.augment = classes, augment
        self.seed = check_whole_number("seed", seed, least=0)
        self.generator = Generator(classes.images.device).manual_seed(self.seed)

    def __repr__(self) -> str:
        name = getattr(self.augment, "__name__", repr(self.augment))
        return f"{type(self).__name__} of {self.classes.fingerprint}, augment {name}, seed {self.seed}"

    @property
    def device(self) -> torch.device:
        """Where the images and the batches lie."""
        return self.classes.images.device

    @property
    def identity(self) -> str:
        """Tells which batches these are: settings, the content of the images, and the kind of device."""
        return f"{self!r}, content {self.classes.content}, on {self.device.type}"

    def _rows(self, n: int) -> Tensor:
        n = check_whole_number("batch_size", n, least=1)
        return torch.randint(len(self.classes.images), (n,), generator=self.generator, device=self.device)

    def _changed(self, images: Tensor) -> Tensor:
        return images if self.augment is None else self.augment(images, self.generator)


class ImageSampler(_Drawing):
    """Draws labelled images for ordinary training: no tasks, one label for each class of the data set.

    Args:
        classes: what to draw from; each image is as likely as the others.
        augment: changes each image by chance, such as `random_affine`; None leaves them.
        seed: the same seed gives the same batches on the same kind of device.

    Raises:
        ValueError: `classes` are no `ImageClasses`, or `augment` is no function.

    Example:
        >>> classes = ImageClasses(torch.rand(6, 1, 8, 8), torch.tensor([3, 3]), ("a", "b"))
        >>> batch = ImageSampler(classes).sample(4)
        >>> batch.images.shape, batch.labels.shape
        (torch.Size([4, 1, 8, 8]), torch.Size([4]))
    """

    def __init__(self, classes: ImageClasses, *, augment: Augmentation | None = None, seed: int = 0) -> None:
        super().__init__(classes, augment, seed)
        self._labels = classes.labels

    def sample(self, batch_size: int = 1) -> LabelledImages:
        """Draw the next `batch_size` images.

        Args:
            batch_size: number of images M, at least 1.
        """
        rows = self._rows(batch_size)
        return LabelledImages(self._changed(to_unit_range(self.classes.images[rows])), self._labels[rows])


class ViewSampler(_Drawing):
    """Draws two views of each of several images and no labels, for training without labels (chapter 12).

    Args:
        classes: what to draw from; which image is of which class is not used.
        augment: changes each image by chance, such as `random_affine`; each view is changed by itself.
        seed: the same seed gives the same batches on the same kind of device.

    Raises:
        ValueError: `classes` are no `ImageClasses`, or `augment` is no function.

    Example:
        >>> from fslbook.tasks.augmentation import random_affine
        >>> classes = ImageClasses(torch.rand(6, 1, 8, 8), torch.tensor([3, 3]), ("a", "b"))
        >>> ViewSampler(classes, random_affine).sample(4).shape
        torch.Size([4, 2, 1, 8, 8])
    """

    def __init__(self, classes: ImageClasses, augment: Augmentation, *, seed: int = 0) -> None:
        super().__init__(classes, augment, seed)

    def sample(self, batch_size: int = 1) -> Tensor:
        """Draw two views of each of the next images, float [M, 2, C, H, W].

        Args:
            batch_size: number of images M, at least 2: a loss that contrasts needs others.
        """
        rows = self._rows(check_whole_number("batch_size", batch_size, least=2))
        images = to_unit_range(self.classes.images[rows])  # [M, C, H, W]
        return self._changed(torch.cat([images, images])).unflatten(0, (2, -1)).transpose(0, 1)
