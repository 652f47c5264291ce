"""What images, counts and names must be like to make a set of classes; every refusal says what to do."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor


def check_images(images: object) -> None:
    """Refuse what is not a tensor of bytes [M, C, H, W], nor one of finite floating-point numbers [M, ...].

    Args:
        images: what was given.

    Raises:
        ValueError: another type or number of dimensions, nothing in it, NaN or infinity, or bytes that are 0 and 1.

    Example:
        >>> check_images(torch.zeros(2, 3, dtype=torch.int64))
        Traceback (most recent call last):
        ValueError: images must be uint8 in 0..255 or floating point, got torch.int64; convert them
    """
    if not isinstance(images, Tensor) or images.layout != torch.strided:
        kind = type(images).__name__ if not isinstance(images, Tensor) else f"one of layout {images.layout}"
        raise ValueError(f"images must be a dense tensor, got {kind}; torch.from_numpy makes one of an array")
    check_pixel_type(images)
    shape = [*images.shape]
    if images.ndim < 2 or (images.dtype == torch.uint8 and images.ndim != 4):
        raise ValueError(f"images must be bytes [M, C, H, W] or features [M, ...], got {images.dtype} {shape}")
    if images.numel() == 0 and len(images):
        raise ValueError(f"images of shape {shape} hold no numbers")
    _check_values(images)


def check_pixel_type(images: Tensor) -> None:
    """Refuse numbers of a type whose white is unknown.

    Args:
        images: any shape.

    Raises:
        ValueError: neither uint8 nor floating point; integers, truth values and complex numbers, for instance.

    Example:
        >>> check_pixel_type(torch.zeros(2, dtype=torch.uint8))
    """
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise ValueError(f"images must be uint8 in 0..255 or floating point, got {images.dtype}; convert them")


def _check_values(images: Tensor) -> None:
    if images.is_floating_point() and (bad := int((~images.isfinite()).flatten(1).any(1).sum())):
        raise ValueError(f"{bad} of {len(images)} images contain NaN or infinity")
    if images.dtype == torch.uint8 and images.numel() and int(images.max()) == 1:
        raise ValueError("images are bytes, but only 0 and 1, and white is 255; multiply by 255, or give floats")


def checked_names(names: object) -> tuple[str, ...]:
    """The names of the classes as a tuple of plain strings.

    Args:
        names: any sequence of strings, such as a list or an array.

    Raises:
        ValueError: a single string, something that is not a string, or a name twice.

    Example:
        >>> checked_names(["cat", "dog"])
        ('cat', 'dog')
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ValueError(f"names must be a tuple with one string per class, got {names!r}")
    listed = tuple(names)
    if wrong := [name for name in listed if not isinstance(name, str)]:
        raise ValueError(f"class names must be strings, got {wrong[0]!r}; use str() on each")
    if listed and (most := Counter(listed).most_common(1)[0])[1] > 1:
        raise ValueError(f"class name {most[0]!r} occurs {most[1]} times; names must differ from each other")
    return tuple(str(name) for name in listed)  # NumPy's strings are strings, but their repr is another


def class_positions(classes: object, names: Sequence[str]) -> list[int]:
    """Which classes are meant, as indices.

    Args:
        classes: a sequence or tensor of indices, of names, or of one truth value per class (a mask); or a slice.
        names: of all classes.

    Raises:
        ValueError: an unknown name, a mask of another length, a mixture, or something that is none of these.
        IndexError: an index is out of range.

    Example:
        >>> class_positions([True, False, True], ("a", "b", "c")), class_positions(["c", "a"], ("a", "b", "c"))
        ([0, 2], [2, 0])
    """
    if isinstance(classes, slice):
        return [*range(len(names))][classes]
    if isinstance(classes, str) or not isinstance(classes, Iterable):
        raise ValueError(f"classes must be a list of indices or names, a mask or a slice, got {classes!r}")
    items = classes.tolist() if hasattr(classes, "tolist") else [*classes]
    if not isinstance(items, list):
        raise ValueError(f"classes must be a list, got the single {items!r}; put it into a list")
    if not any(isinstance(item, (bool, np.bool_)) for item in items):
        return [_position(item, names) for item in items]
    if len(items) != len(names) or not all(isinstance(item, (bool, np.bool_)) for item in items):
        raise ValueError(f"a mask needs one truth value for each of the {len(names)} classes, got {items}")
    return [index for index, item in enumerate(items) if item]


def _position(item: object, names: Sequence[str]) -> int:
    if isinstance(item, str):
        if item not in names:
            raise ValueError(f"there is no class {item!r}; the names begin with {', '.join(map(repr, names[:5]))}")
        return names.index(item)
    try:
        index = operator.index(item)  # type: ignore[arg-type]
    except TypeError as error:
        raise ValueError(f"a class is given by its index or its name, got {item!r}") from error
    if not -len(names) <= index < len(names):
        raise IndexError(f"class {index} is out of range; there are {len(names)} classes")
    return index


def check_counts(counts: object, names: tuple[str, ...], images: Tensor) -> None:
    """Refuse counts that do not fit to the names and the images.

    Args:
        counts: must be int64 [number of classes] on the device of the images.
        names: one per class.
        images: [M, ...], M being the sum of the counts.

    Raises:
        ValueError: another type, shape, device or sum, no class at all, or a class without images.

    Example:
        >>> check_counts(torch.tensor([2, 0]), ("cat", "dog"), torch.zeros(2, 1, 8, 8))
        Traceback (most recent call last):
        ValueError: class 'dog' has 0 images; every class needs at least one
    """
    if not isinstance(counts, Tensor) or counts.dtype != torch.int64 or counts.ndim != 1:
        given = f"{counts.dtype} {[*counts.shape]}" if isinstance(counts, Tensor) else type(counts).__name__
        raise ValueError(f"counts must be an int64 tensor [number of classes], got {given}")
    if counts.device != images.device:
        raise ValueError(f"counts are on {counts.device}, images on {images.device}; move one with .to(device)")
    if len(counts) != len(names):
        raise ValueError(f"{len(counts)} counts but {len(names)} class names")
    if len(counts) == 0:
        raise ValueError("counts is empty; at least one class is needed")
    if int(counts.sum()) != len(images):
        raise ValueError(f"counts add up to {int(counts.sum())}, but there are {len(images)} images")
    if counts[smallest := int(counts.argmin())] < 1:
        raise ValueError(
            f"class {names[smallest]!r} has {int(counts[smallest])} images; every class needs at least one"
        )
