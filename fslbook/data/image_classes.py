"""Images held as one tensor and grouped by class: what every episode is drawn from."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class ImageClasses:
    """M images of several classes in one tensor; the images of a class stand next to each other.

    Few-shot learning splits *classes*, never the images of a class, so this object can be cut by class only
    (`select`). Chapter 2 builds episodes from it.

    Args:
        images: uint8 [M, C, H, W] in 0..255, or float features [M, ...]; class after class.
        counts: int64 [number of classes], how many images each class has; sums to M.
        names: one name a class. The part before the first "/" is its group, on Omniglot the alphabet.

    Raises:
        ValueError: counts, names and images do not fit together, a class is empty, a name occurs twice, or
            float images hold NaN or infinity.
    """

    images: Tensor
    counts: Tensor
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.names):
            raise ValueError(f"{len(self.counts)} counts but {len(self.names)} class names")
        if int(self.counts.sum()) != len(self.images):
            raise ValueError(f"counts add up to {int(self.counts.sum())}, but there are {len(self.images)} images")
        if len(self.counts) == 0:
            raise ValueError("counts is empty; at least one class is needed")
        self._check_classes()
        if self.images.is_floating_point() and (bad := int((~self.images.isfinite()).flatten(1).any(1).sum())):
            raise ValueError(f"{bad} of {len(self.images)} images contain NaN or infinity")

    def _check_classes(self) -> None:
        smallest = int(self.counts.argmin())
        if self.counts[smallest] < 1:
            name, count = self.names[smallest], int(self.counts[smallest])
            raise ValueError(f"class {name!r} has {count} images; every class needs at least one")
        if len(set(self.names)) != len(self.names):
            name, times = Counter(self.names).most_common(1)[0]
            raise ValueError(f"class name {name!r} occurs {times} times; names must differ from each other")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Tensor:
        """The images of one class [count, C, H, W]."""
        start = int(self.starts[index])
        return self.images[start : start + int(self.counts[index])]

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

    def select(self, classes: Sequence[int]) -> ImageClasses:
        """The given classes, in the given order, with all of their images.

        Raises:
            ValueError: no class is given.
            IndexError: a class index is out of range.
        """
        if len(classes) == 0:
            raise ValueError("select needs at least one class")
        images = torch.cat([self[i] for i in classes])
        return ImageClasses(images, self.counts[list(classes)], tuple(self.names[i] for i in classes))

    def with_rotations(self) -> ImageClasses:
        """Four classes for each one: the drawings turned by 0, 90, 180 and 270 degrees.

        Used by most Omniglot recipes (Santoro et al. 2016; Vinyals et al. 2016). Rotate *after* splitting,
        as here, and a character and its rotations can never fall into two splits.
        """
        turned = torch.cat([torch.rot90(self.images, k, dims=(-2, -1)) for k in range(4)])  # [4M, C, H, W]
        names = [f"{name}/{90 * k:03d}" if k else name for k in range(4) for name in self.names]
        return ImageClasses(turned, self.counts.repeat(4), tuple(names))

    def to(self, device: torch.device | str) -> ImageClasses:
        """The same classes with their images on another device."""
        return replace(self, images=self.images.to(device), counts=self.counts.to(device))


def concatenate(first: ImageClasses, second: ImageClasses) -> ImageClasses:
    """The classes of both, for instance base and validation classes for a final training run.

    Raises:
        ValueError: a class name occurs in both, or the images differ in shape.
    """
    if first.images.shape[1:] != second.images.shape[1:]:
        raise ValueError(f"image shapes differ: {[*first.images.shape[1:]]} and {[*second.images.shape[1:]]}")
    images = torch.cat([first.images, second.images])
    return ImageClasses(images, torch.cat([first.counts, second.counts]), first.names + second.names)


def to_unit_range(x: Tensor) -> Tensor:
    """Stored bytes 0..255 become floats in [0, 1]; features stay as they are."""
    return x.float() / 255 if x.dtype == torch.uint8 else x


def group_masks(classes: ImageClasses, n_way: int) -> Tensor:
    """Which classes are in each of the groups that have `n_way` of them: bool [number of such groups, classes].

    Raises:
        ValueError: no group is that large.
    """
    sizes = Counter(classes.groups)
    large = sorted(group for group, size in sizes.items() if size >= n_way)
    if not large:
        name, size = sizes.most_common(1)[0]
        raise ValueError(f"{n_way}-way needs {n_way} classes in one group; the largest, {name!r}, has {size}")
    return torch.tensor([[group == name for group in classes.groups] for name in large], device=classes.images.device)


def from_arrays(arrays: dict[str, Tensor]) -> ImageClasses:
    """Build `ImageClasses` from one uint8 tensor [count, C, H, W] a class, keyed by the class's name."""
    counts = torch.tensor([len(array) for array in arrays.values()])
    return ImageClasses(torch.cat(list(arrays.values())), counts, tuple(arrays))


@dataclass(frozen=True)
class Splits:
    """One data set cut by class: learn on `base`, choose on `validation`, report on `novel`."""

    name: str
    base: ImageClasses
    validation: ImageClasses
    novel: ImageClasses

    def __repr__(self) -> str:
        sizes = f"{len(self.base)} base, {len(self.validation)} validation and {len(self.novel)} novel classes"
        return f"Splits({self.name}: {sizes})"

    def with_rotations(self) -> Splits:
        """Rotations as new classes in every split; the rotations of a class stay in its split."""
        parts = (part.with_rotations() for part in (self.base, self.validation, self.novel))
        return Splits(self.name, *parts)

    def to(self, device: torch.device | str) -> Splits:
        """All three splits on another device."""
        return Splits(self.name, self.base.to(device), self.validation.to(device), self.novel.to(device))
