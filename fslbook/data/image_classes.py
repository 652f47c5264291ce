"""Images held as one tensor and grouped by class: what every episode is drawn from."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from fslbook.data.checks import check_counts, check_images, check_pixel_type, checked_names, class_positions


@dataclass(frozen=True, eq=False)
class ImageClasses:
    """M images of several classes in one tensor; the images of a class stand next to each other.

    Few-shot learning splits *classes*, never the images of a class, so this object can be cut by class only
    (`select`). Chapter 2 builds episodes from it.

    Args:
        images: uint8 [M, C, H, W] in 0..255, or float features [M, ...]; class after class. Not copied.
        counts: int64 [number of classes], how many images each class has; sums to M.
        names: one per class. The part before the first "/" is its group, on Omniglot the alphabet.

    Raises:
        ValueError: counts, names and images do not fit together or lie on several devices, a class is empty, a name
            occurs twice, images are of another type or shape, hold NaN or infinity, or are bytes of 0 and 1 alone.

    Example:
        >>> images = torch.randint(256, (5, 1, 28, 28), dtype=torch.uint8)
        >>> classes = ImageClasses(images, torch.tensor([2, 3]), ("cat", "dog"))
        >>> classes
        ImageClasses(2 classes, 5 images of 1×28×28, on cpu)
        >>> classes[1].shape
        torch.Size([3, 1, 28, 28])
    """

    images: Tensor
    counts: Tensor
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        check_images(self.images)
        object.__setattr__(self, "names", checked_names(self.names))  # the way to set a field of a frozen object
        check_counts(self.counts, self.names, self.images)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int | str) -> Tensor:
        """The images of one class [count, C, H, W], as a view.

        Args:
            index: of the class, or its name.

        Raises:
            IndexError: the index is out of range.
            ValueError: an unknown name, or something else; several classes come from `select`.

        Example:
            >>> classes = ImageClasses(torch.rand(5, 1, 8, 8), torch.tensor([2, 3]), ("cat", "dog"))
            >>> len(classes[0]), len(classes["dog"])
            (2, 3)
        """
        (position,) = class_positions([index], self.names)
        start = int(self.starts[position])
        return self.images[start : start + int(self.counts[position])]

    def __repr__(self) -> str:
        shape = "×".join(str(n) for n in self.images.shape[1:])
        return f"ImageClasses({len(self)} classes, {len(self.images):,} images of {shape}, on {self.images.device})"

    @property
    def starts(self) -> Tensor:
        """Row of each class's first image, int64 [number of classes]."""
        return self.counts.cumsum(0) - self.counts

    @property
    def labels(self) -> Tensor:
        """Class index of every image, int64 [M]."""
        return torch.arange(len(self), device=self.counts.device).repeat_interleave(self.counts)

    @property
    def groups(self) -> tuple[str, ...]:
        """Group of each class, the part of its name before the first "/" (alphabet, script)."""
        return tuple(name.split("/")[0] for name in self.names)

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell sets of classes apart, by names and counts."""
        return f"{zlib.crc32(repr((self.names, self.counts.tolist())).encode()):08x}"

    @cached_property
    def content(self) -> str:
        """64 hexadecimal digits that tell images apart: sha256 of their type, shape and bytes, on any device.

        Names and counts play no part; see `fingerprint`. It is computed once, so change no image in place.
        """
        sha = hashlib.sha256(f"{self.images.dtype} {[*self.images.shape]}".encode())
        # As bytes, since NumPy knows no bfloat16.
        sha.update(self.images.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        return sha.hexdigest()

    def select(self, classes: Sequence[int] | Sequence[str] | Sequence[bool] | Tensor | slice) -> ImageClasses:
        """The given classes, in the given order, with all of their images.

        Args:
            classes: indices, names, a mask with one truth value per class, or a slice.

        Raises:
            ValueError: no class is given, one is given twice, a name is unknown, or a mask has another length.
            IndexError: a class index is out of range.

        Example:
            >>> animals = ImageClasses(torch.rand(6, 1, 8, 8), torch.tensor([2, 3, 1]), ("cat", "dog", "emu"))
            >>> animals.select([2, 0]).names, animals.select(["dog"]).names, animals.select(animals.counts > 1).names
            (('emu', 'cat'), ('dog',), ('cat', 'dog'))
        """
        positions = class_positions(classes, self.names)
        if not positions:
            raise ValueError("select needs at least one class")
        of_class = self.images.split(self.counts.tolist())
        images = torch.cat([of_class[i] for i in positions])
        return ImageClasses(images, self.counts[positions], tuple(self.names[i] for i in positions))

    def with_rotations(self) -> ImageClasses:
        """Four classes for each one: the drawings turned by 0, 90, 180 and 270 degrees.

        Used by most Omniglot recipes (Santoro et al. 2016; Vinyals et al. 2016). Rotate *after* splitting,
        as here, and a character and its rotations can never fall into two splits.

        Returns:
            classes of images [4M, C, H, H]; first all upright ones, then those turned by 90 degrees, and so on.

        Raises:
            ValueError: the images are not square [M, C, H, H], or were turned before.

        Example:
            >>> ImageClasses(torch.rand(2, 1, 8, 8), torch.tensor([2]), ("cat",)).with_rotations().names
            ('cat', 'cat/090', 'cat/180', 'cat/270')
        """
        shape = [*self.images.shape]
        if len(shape) != 4 or shape[-1] != shape[-2]:
            raise ValueError(f"only square images [M, C, H, H] can be turned by quarters, got {shape}")
        turned = torch.cat([torch.rot90(self.images, k, dims=(-2, -1)) for k in range(4)])  # [4M, C, H, W]
        names = [f"{name}/{90 * k:03d}" if k else name for k in range(4) for name in self.names]
        return ImageClasses(turned, self.counts.repeat(4), tuple(names))

    def to(self, device: torch.device | str) -> ImageClasses:
        """The same classes with their images on another device.

        Args:
            device: such as "cuda".

        Example:
            >>> ImageClasses(torch.rand(2, 1, 8, 8), torch.tensor([2]), ("cat",)).to("cpu").images.device
            device(type='cpu')
        """
        return replace(self, images=self.images.to(device), counts=self.counts.to(device))


def to_unit_range(x: Tensor) -> Tensor:
    """Stored bytes 0..255 become floats in [0, 1]; features stay as they are.

    Args:
        x: uint8 or floating point, any shape.

    Raises:
        ValueError: another type, whose white is unknown.

    Example:
        >>> to_unit_range(torch.tensor([0, 255], dtype=torch.uint8))
        tensor([0., 1.])
    """
    check_pixel_type(x)
    return x.float() / 255 if x.dtype == torch.uint8 else x
