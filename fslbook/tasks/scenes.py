"""Scenes: several characters drawn into one picture, with the mask and the box of each.

Nobody has to label a scene by hand, for it is known where each character was put: masks and boxes are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.common.arguments import check_whole_number

INK = 0.5
"""How dark a pixel must be to belong to a character."""


@dataclass(frozen=True)
class Scenes:
    """M pictures of O objects each; a later object lies on top of an earlier one.

    Args:
        images: float [M, 1, H, W] in 0..1.
        masks: the pixels of each object that no other covers, bool [M, O, H, W].
        boxes: the smallest box around the whole object, covered or not: x1, y1, x2, y2 in pixels, float [M, O, 4];
            x2 and y2 are the first column and row behind it.

    Example:
        >>> drawn = draw_scenes(torch.ones(2, 3, 1, 8, 8), size=24, generator=Generator())
        >>> drawn.images.shape, drawn.masks.shape, drawn.boxes.shape
        (torch.Size([2, 1, 24, 24]), torch.Size([2, 3, 24, 24]), torch.Size([2, 3, 4]))
    """

    images: Tensor
    masks: Tensor
    boxes: Tensor


def draw_scenes(
    characters: Tensor, size: int, generator: Generator, *, overlap: bool = False, smallest: float = 0.75
) -> Scenes:
    """Put each character somewhere into its picture, in a size between `smallest` and its own.

    Without overlap each has a cell of its own in a grid over the picture; with it they lie anywhere. Ink adds nothing
    to ink: a pixel is as dark as the darkest character there.

    Args:
        characters: float [M, O, 1, h, h] in 0..1, dark = 1.
        size: height and width of a picture in pixels.
        generator: where the chance comes from, on the device of the characters.
        overlap: whether characters may cover each other.
        smallest: the smallest size, as a share of h, above 0 and at most 1.

    Raises:
        ValueError: the characters do not fit into the picture, one of them has no ink, or a number is out of range.

    Example:
        >>> one = draw_scenes(torch.ones(1, 1, 1, 8, 8), 8, Generator(), smallest=1.0)
        >>> one.boxes.tolist(), bool(one.masks.all())
        ([[[0.0, 0.0, 8.0, 8.0]]], True)
    """
    _check(characters, size, overlap, smallest)
    n_pictures, n_objects, height = *characters.shape[:2], characters.shape[-1]
    # One random row a picture, so that pictures do not depend on how many are drawn at once.
    numbers = 3 * n_objects + (size // height) ** 2
    noise = torch.rand(n_pictures, numbers, generator=generator, device=characters.device)
    sides = height * (smallest + (1 - smallest) * noise[:, :n_objects])  # [M, O]
    place = noise[:, n_objects : 3 * n_objects].unflatten(1, (-1, 2))  # [M, O, 2], 0 to 1
    if overlap:
        corners = place * (size - sides)[..., None]  # [M, O, 2]
    else:
        corners = _in_cells(noise[:, 3 * n_objects :], size, size // height)[:, :n_objects]  # [M, O, 2]
        corners = corners + place * (size / (size // height) - sides)[..., None]
    layers = _placed(characters, corners, sides, size)  # [M, O, H, W]
    ink = layers > INK
    from_here_on = ink.flip(1).cumsum(dim=1).flip(1)  # how many objects from this one on have ink there
    return Scenes(layers.amax(dim=1, keepdim=True), ink & (from_here_on == 1), boxes_of(ink))


def boxes_of(masks: Tensor) -> Tensor:
    """The smallest box around each mask: x1, y1, x2, y2, float [..., 4]; x2 and y2 lie one behind the last pixel.

    Args:
        masks: bool [..., H, W].

    Raises:
        ValueError: a mask is empty.

    Example:
        >>> mask = torch.zeros(1, 4, 6, dtype=torch.bool)
        >>> mask[0, 1:3, 2:5] = True
        >>> boxes_of(mask).tolist()
        [[2.0, 1.0, 5.0, 3.0]]
    """
    if not masks.flatten(-2).any(dim=-1).all():
        raise ValueError("a mask without a pixel has no box; leave the object out")
    edges = []
    for inside in (masks.any(dim=-2), masks.any(dim=-1)):  # which columns [..., W], which rows [..., H]
        length = inside.shape[-1]
        first = inside.int().argmax(dim=-1)
        edges.append((first, length - inside.flip(-1).int().argmax(dim=-1)))
    (x1, x2), (y1, y2) = edges
    return torch.stack([x1, y1, x2, y2], dim=-1).float()


def check_fits(n_objects: int, height: int, size: int, overlap: bool) -> None:
    """Refuse more or larger characters than a picture has room for.

    Args:
        n_objects: characters in a picture.
        height: of a character in pixels.
        size: height and width of a picture in pixels.
        overlap: whether characters may cover each other.

    Raises:
        ValueError: says how many there is room for.

    Example:
        >>> check_fits(5, 28, 60, overlap=False)
        Traceback (most recent call last):
        ValueError: 5 characters of 28 pixels do not fit beside each other into 60 x 60, room for 4; overlap=True stacks
    """
    cells = (check_whole_number("size", size, least=height) // height) ** 2
    if not overlap and n_objects > cells:
        what = f"{n_objects} characters of {height} pixels do not fit beside each other into {size} x {size}"
        raise ValueError(f"{what}, room for {cells}; overlap=True stacks")


def _check(characters: Tensor, size: int, overlap: bool, smallest: float) -> None:
    if not isinstance(characters, Tensor) or characters.ndim != 5 or characters.shape[2] != 1:
        shape = [*characters.shape] if isinstance(characters, Tensor) else type(characters).__name__
        raise ValueError(f"characters must be [M, O, 1, h, h], got {shape}")
    height, width = characters.shape[-2:]
    if height != width:
        raise ValueError(f"characters must be as high as wide, got {height} x {width}")
    if not 0 < smallest <= 1:
        raise ValueError(f"smallest must lie above 0 and be at most 1, got {smallest}")
    check_fits(characters.shape[1], height, size, overlap)
    if not (characters.flatten(2) > INK).any(dim=2).all():
        raise ValueError(f"a character has no ink: no value above {INK}")


def _in_cells(noise: Tensor, size: int, across: int) -> Tensor:
    """Upper left corners of all cells of a grid, x and y, in a random order, [M, cells, 2]."""
    cells = noise.argsort(dim=1)  # [M, across * across]
    return torch.stack([cells % across, cells // across], dim=-1) * (size / across)


def _placed(characters: Tensor, corners: Tensor, sides: Tensor, size: int) -> Tensor:
    """Each object alone in an empty picture, [M, O, H, W]."""
    scale = (size / sides).flatten()  # [M * O]
    shift = scale[:, None] * (1 - 2 * corners.flatten(0, 1) / size) - 1  # [M * O, 2]
    theta = torch.zeros(len(scale), 2, 3, device=characters.device)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = scale, scale, shift
    grid = F.affine_grid(theta, [len(scale), 1, size, size], align_corners=False)
    layers = F.grid_sample(characters.flatten(0, 1), grid, align_corners=False)  # [M * O, 1, H, W]
    layers = layers.view(*characters.shape[:2], size, size)
    return layers / layers.amax(dim=(-2, -1), keepdim=True)  # thin strokes fade when they shrink
