"""Make one set of classes out of several tensors or sets, where they are alike."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from fslbook.data.image_classes import ImageClasses


def concatenate(first: ImageClasses, second: ImageClasses) -> ImageClasses:
    """The classes of both, for instance base and validation classes for a final training run.

    Args:
        first: images [M, ...].
        second: images [M', ...] of the same shape and type, on the same device.

    Raises:
        ValueError: a class name occurs in both, or the images differ in shape, type or device.

    Example:
        >>> cats = ImageClasses(torch.rand(2, 1, 8, 8), torch.tensor([2]), ("cat",))
        >>> dogs = ImageClasses(torch.rand(3, 1, 8, 8), torch.tensor([3]), ("dog",))
        >>> concatenate(cats, dogs)
        ImageClasses(2 classes, 5 images of 1×8×8, on cpu)
    """
    check_alike({"first": first.images, "second": second.images})
    images = torch.cat([first.images, second.images])
    return ImageClasses(images, torch.cat([first.counts, second.counts]), first.names + second.names)


def from_arrays(arrays: dict[str, Tensor]) -> ImageClasses:
    """Build `ImageClasses` from one tensor per class.

    Args:
        arrays: uint8 [count, C, H, W] or float [count, ...] by the class's name, all of one shape and type.

    Raises:
        ValueError: no class, or the tensors differ in shape, type or device.

    Example:
        >>> from_arrays({"cat": torch.rand(2, 1, 8, 8), "dog": torch.rand(3, 1, 8, 8)})
        ImageClasses(2 classes, 5 images of 1×8×8, on cpu)
    """
    if not arrays:
        raise ValueError("arrays is empty; at least one class is needed")
    for name, array in arrays.items():
        if not isinstance(array, Tensor):
            raise ValueError(f"images of {name!r} must be a tensor, got {type(array).__name__}")
    check_alike(arrays)
    counts = torch.tensor([len(array) for array in arrays.values()])
    images = torch.cat([*arrays.values()])
    return ImageClasses(images, counts.to(images.device), tuple(arrays))


def check_alike(images: Mapping[str, Tensor]) -> None:
    """Refuse images that cannot stand in one tensor.

    Args:
        images: [count, ...] each, by a name for the message.

    Raises:
        ValueError: two of them differ in shape, type or device; torch would turn bytes 0..255 into floats in silence.

    Example:
        >>> check_alike({"cat": torch.zeros(2, 1, 8, 8), "dog": torch.zeros(3, 1, 8, 8, dtype=torch.uint8)})
        Traceback (most recent call last):
        ValueError: image types differ: torch.float32 (cat) and torch.uint8 (dog)
    """
    (first, one), *others = images.items()
    for name, other in others:
        for what, a, b in (
            ("shapes", [*one.shape[1:]], [*other.shape[1:]]),
            ("types", one.dtype, other.dtype),
            ("devices", one.device, other.device),
        ):
            if a != b:
                raise ValueError(f"image {what} differ: {a} ({first}) and {b} ({name})")
