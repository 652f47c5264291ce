"""Embed every image of a data set once, where that changes no answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from fslbook.data.image_classes import ImageClasses, to_unit_range

CACHE_SIZED, LARGE = 80, 2048
"""Images at a time: small batches stay in a CPU's cache, large ones keep a GPU busy."""


@torch.no_grad()
def embed_classes(method: nn.Module, classes: ImageClasses) -> ImageClasses:
    """The same classes with every image replaced by its features [M, ...]; in the mode that `method` is in.

    Args:
        method: with `embed(images [M, C, H, W]) -> features [M, ...]`.
        classes: M images, on the device of the method.

    Example:
        >>> from fslbook.methods import NearestNeighbour
        >>> classes = ImageClasses(torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.tensor([2, 2]), ("a", "b"))
        >>> embed_classes(NearestNeighbour(), classes).images.shape
        torch.Size([4, 4])
    """
    batch_size = CACHE_SIZED if classes.images.device.type == "cpu" else LARGE
    features = [_embed(method, images) for images in classes.images.split(batch_size)]
    return replace(classes, images=torch.cat(features))


def splits_in_two(method: nn.Module) -> bool:
    """Whether a method says that it embeds first, `embed`, and then classifies by the features alone, `classify`.

    Args:
        method: any module.

    Example:
        >>> from fslbook.methods import NearestNeighbour
        >>> splits_in_two(NearestNeighbour()), splits_in_two(nn.Identity())
        (True, False)
    """
    return callable(getattr(method, "embed", None)) and callable(getattr(method, "classify", None))


def embeds_images_alone(method: nn.Module, classes: ImageClasses) -> bool:
    """Try it: an image must have the same features in any company (batch statistics break this).

    Args:
        method: one that `splits_in_two`, in the mode in which it will be asked.
        classes: some of whose images are tried.

    Example:
        >>> from fslbook.methods import NearestNeighbour
        >>> classes = ImageClasses(torch.rand(4, 1, 2, 2), torch.tensor([2, 2]), ("a", "b"))
        >>> embeds_images_alone(NearestNeighbour(), classes)
        True
    """
    images = classes.images[:8]
    together = _embed(method, images)
    # Halves, not single images: some batch norms refuse a batch of one.
    in_halves = torch.cat([_embed(method, half) for half in images.chunk(2)])
    return torch.allclose(together, in_halves, rtol=1e-3, atol=1e-4 * float(together.abs().max()))


def _embed(method: Any, images: Tensor) -> Tensor:
    features = method.embed(to_unit_range(images))
    if not features.isfinite().all():
        name = type(method).__name__
        raise ValueError(f"{name} gave features that are not finite (NaN or infinity); are its weights finite?")
    return features
