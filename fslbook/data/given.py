"""Images and labels as a person gives them: tensors, arrays, lists of pictures; names, numbers, dates."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sized
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from fslbook.data.image_classes import to_unit_range
from fslbook.data.picture import on_white


def given_images(images: Any) -> Tensor:
    """A copy of the images as float32 in 0..1, [M, C, H, W].

    Args:
        images: a tensor or an array [M, C, H, W], or grey [M, H, W]: uint8 in 0..255, or floating point in 0..1; or a
            list of such images, or of pictures of Pillow. Transparent pictures are put on white.

    Raises:
        TypeError: something else.
        ValueError: another number of dimensions, images of several sizes, or numbers whose white is unknown.

    Example:
        >>> given_images([Image.new("L", (9, 8), 255)] * 3).shape
        torch.Size([3, 1, 8, 9])
    """
    x = _stacked(images) if isinstance(images, list | tuple) else _tensor(images)
    shape = [*x.shape]
    x = x[:, None] if x.ndim == 3 else x  # grey
    if x.ndim != 4:
        raise ValueError(f"images must be [M, C, H, W] or [M, H, W], got {shape}")
    if shape[-1] in (3, 4) and min(x.shape[1:3]) > 4:
        raise ValueError(f"images must be [M, C, H, W], got {shape}: put the channels before height and width")
    if x.dtype == torch.uint8 and x.numel() and int(x.max()) == 1:
        raise ValueError("images are bytes, but only 0 and 1, and white is 255; multiply by 255, or give floats")
    x = to_unit_range(x).to(torch.float32, copy=True)
    if x.numel() and not (float(x.min()) >= 0 and float(x.max()) <= 1):  # also false for NaN
        raise ValueError(f"float images must lie in 0..1, found {float(x.min()):g}..{float(x.max()):g}")
    return x


def _stacked(images: list[Any] | tuple[Any, ...]) -> Tensor:
    """A list of images [C, H, W] or [H, W] as one tensor."""
    tensors = [_picture(x, i) if isinstance(x, Image.Image) else _tensor(x) for i, x in enumerate(images)]
    for i, x in enumerate(tensors):
        if x.shape != tensors[0].shape or x.dtype != tensors[0].dtype:
            kinds = [f"{t.dtype} {[*t.shape]}".removeprefix("torch.") for t in (tensors[0], x)]
            raise ValueError(f"images must be of one size and type: image 0 is {kinds[0]}, image {i} is {kinds[1]}")
    return torch.stack(tensors) if tensors else torch.zeros(0, 1, 1, 1)


def _picture(image: Image.Image, number: int) -> Tensor:
    """uint8 [C, H, W]: one channel for grey and black-and-white pictures, otherwise three."""
    mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
    pixels = torch.from_numpy(np.array(on_white(image, f"picture {number}").convert(mode)))  # [H, W] or [H, W, 3]
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)


def _tensor(images: Any) -> Tensor:
    if isinstance(images, Tensor):
        return images.detach()
    if isinstance(images, Image.Image) or not isinstance(images, np.ndarray):
        kind = type(images).__name__
        raise TypeError(f"images must be a tensor, an array or a list of pictures, got {kind}; put one image in a list")
    if images.dtype.kind == "f":
        images = images.astype(np.float32)  # whatever its byte order
    if images.dtype not in (np.uint8, np.float32):
        raise ValueError(f"images must be uint8 in 0..255 or floating point, got {images.dtype}; convert them")
    return torch.from_numpy(images.copy())  # whatever its strides


def given_labels(labels: Any) -> list[Hashable]:
    """The labels as a list of plain values of one type; numbers of NumPy and PyTorch become those of Python.

    Args:
        labels: a list, an array [M] or a tensor [M] with one label per image; whatever can be a key of a dictionary.

    Raises:
        TypeError: something else.
        ValueError: a label is missing (None, NaN) or cannot be a key, there is more than one per image, or the types
            differ.

    Example:
        >>> given_labels(np.array(["cat", "dog"])), given_labels(torch.tensor([2, 0]))
        (['cat', 'dog'], [2, 0])
    """
    if (
        isinstance(labels, str | bytes | dict | set)
        or not isinstance(labels, Iterable)
        or not isinstance(labels, Sized)
    ):
        raise TypeError(f"labels must be a list or an array with one label per image, got {type(labels).__name__}")
    shape = getattr(labels, "shape", None)
    if shape is not None and len(shape) != 1:
        raise ValueError(f"labels must be [number of images], got {[*shape]}")
    plain = [_plain(label, i) for i, label in enumerate(labels)]
    for label in plain:
        if type(label) is not type(plain[0]):
            two = " and ".join(f"{type(one).__name__} ({one!r})" for one in (plain[0], label))
            raise ValueError(f"labels must be of one type, got {two}; str() makes names of all")
    return plain


def _plain(label: Any, number: int) -> Hashable:
    if isinstance(label, Tensor) or (isinstance(label, np.generic) and label.dtype.kind not in "mM"):
        if label.ndim:
            raise ValueError(f"label {number} is a tensor of shape {[*label.shape]}: each image needs one label")
        label = label.item()
    if not isinstance(label, Hashable):
        raise ValueError(f"label {number} is a {type(label).__name__}: give names or numbers, one per image")
    if label is None or bool(label != label):
        raise ValueError(f"label {number} is {label!r}: each image needs a label")
    return label


def label_array(labels: list[Hashable]) -> np.ndarray:
    """The labels as an array [M] that gives them back as they are: numbers and names as NumPy has them, else objects.

    Args:
        labels: of one type, as `given_labels` gives them.

    Example:
        >>> label_array([1, 2]), label_array([(1, 2), (3, 4)]).shape
        (array([1, 2]), (2,))
    """
    if labels and type(labels[0]) in (str, int, float, bool):
        array = np.asarray(labels)
        if array.tolist() == labels:
            return array
    objects = np.empty(len(labels), dtype=object)
    for i, label in enumerate(labels):  # an assignment at once would take tuples apart
        objects[i] = label
    return objects
