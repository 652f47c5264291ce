"""Random changes of images that leave a character the same character (chapter 12)."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F


def random_affine(
    images: Tensor,
    generator: Generator,
    *,
    degrees: float = 15,
    scale: float = 0.2,
    shift: float = 0.2,
    shear: float = 0.15,
) -> Tensor:
    """Turn, scale, shift and slant each image by chance, as another hand or another sheet of paper would.

    Each amount is drawn evenly from minus its limit to plus its limit. What is pushed in from outside is black (0).

    Args:
        images: float [M, C, H, W].
        generator: source of randomness, on the device of the images.
        degrees: limit of the angle, in degrees.
        scale: limit of the relative change of size, below 1.
        shift: limit of the shift along each axis, in halves of the image's width.
        shear: limit of the slant: columns moved per row.

    Raises:
        ValueError: the images have another shape or are no floating-point numbers, or a limit is out of range.

    Example:
        >>> images = torch.rand(4, 1, 28, 28)
        >>> random_affine(images, Generator().manual_seed(0)).shape
        torch.Size([4, 1, 28, 28])
        >>> still = random_affine(images, Generator(), degrees=0, scale=0, shift=0, shear=0)
        >>> torch.allclose(still, images, atol=1e-5)
        True
    """
    if images.ndim != 4 or not images.is_floating_point():
        raise ValueError(f"images must be floating-point [M, C, H, W], got {images.dtype} {[*images.shape]}")
    for name, limit in {"degrees": degrees, "scale": scale, "shift": shift, "shear": shear}.items():
        if not limit >= 0 or not math.isfinite(limit) or (name == "scale" and limit >= 1):
            raise ValueError(f"{name} must be at least 0{' and below 1' * (name == 'scale')}, got {limit}")
    limits = torch.tensor([math.radians(degrees), scale, shift, shift, shear], device=images.device)
    noise = 2 * torch.rand(len(images), 5, generator=generator, device=images.device) - 1
    grid = F.affine_grid(_matrices(noise * limits), [*images.shape], align_corners=False)  # [M, H, W, 2]
    return F.grid_sample(images, grid.to(images.dtype), align_corners=False)


def _matrices(amounts: Tensor) -> Tensor:
    """For each output pixel the place it is taken from, [M, 2, 3], of amounts [M, 5]."""
    angle, size, right, down, slant = amounts.unbind(dim=1)
    cos, sin, size = angle.cos(), angle.sin(), 1 + size
    rows = (torch.stack([cos, slant * cos - sin], dim=1), torch.stack([sin, slant * sin + cos], dim=1))  # [M, 2] each
    turned = torch.stack(rows, dim=1) / size[:, None, None]  # [M, 2, 2]
    return torch.cat([turned, torch.stack([right, down], dim=1)[..., None]], dim=2)
