"""Pen drawings of printed characters: thin each to its skeleton, then draw that again with varied hands."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

SIZE = 28
"""Side length in pixels of a finished drawing."""

CANVAS = 64
"""Side length in pixels of the canvas on which a printed character is thinned."""

CHARACTER = 44
"""The longer side of each printed character on the canvas, in canvas pixels."""

REACH = 12
"""Distances to a skeleton are exact up to here, in canvas pixels; no pen is as wide."""

ROTATION, SHEAR, SHIFT, SCALE, WOBBLE = 9.0, 0.15, 0.08, 0.12, 0.07
"""How unlike the hands are, as standard deviations: rotation in degrees, the slope of a slant, the share of half the
image's side, the logarithm of width and height, and at each of 5×5 knots again the share of half a side. Chosen so that
characters stay readable while nearest neighbours on pixels fail on most of them."""

PEN, PEN_SPREAD = 0.85, 0.35
"""Half the width of a stroke in pixels of a drawing, and by how much it may be more or less."""


def printed(font: ImageFont.FreeTypeFont, character: str) -> Tensor | None:
    """One character in print, its bounding box centred.

    Args:
        font: at any size; the larger, the finer.
        character: a single one.

    Returns:
        bool [CANVAS, CANVAS], ink being True; None if nothing is printed.

    Example:
        >>> from PIL import ImageFont
        >>> from matplotlib import get_data_path
        >>> font = ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", 96)
        >>> printed(font, "H").shape, printed(font, " ")
        (torch.Size([64, 64]), None)
    """
    side = 4 * int(font.size)
    page = Image.new("L", (side, side))
    ImageDraw.Draw(page).text((side // 2, side // 2), character, fill=255, font=font, anchor="mm")
    if (box := page.getbbox()) is None:
        return None
    cut = page.crop(box)
    width, height = (max(1, round(n * CHARACTER / max(cut.size))) for n in cut.size)
    canvas = Image.new("L", (CANVAS, CANVAS))
    canvas.paste(cut.resize((width, height), Image.Resampling.BOX), ((CANVAS - width) // 2, (CANVAS - height) // 2))
    ink = torch.from_numpy(np.array(canvas)) > 127  # [CANVAS, CANVAS]
    return ink if ink.any() else None


def skeletons(ink: Tensor) -> Tensor:
    """Thin all characters at once to lines one pixel wide.

    Algorithm A1 of Guo and Hall (1989), "Parallel thinning with two-subiteration algorithms": it neither cuts a
    stroke nor loses a dot.

    Args:
        ink: bool [M, H, W]; the outermost pixels must be paper.

    Returns:
        bool [M, H, W].

    Example:
        >>> bar = torch.zeros(1, 9, 9, dtype=torch.bool)
        >>> bar[0, 3:6, 2:7] = True
        >>> int(bar.sum()), int(skeletons(bar).sum())
        (15, 3)
    """
    # In NumPy, since hundreds of small steps shared out among threads take minutes on a busy machine.
    lines, before = ink.numpy().copy(), -1
    while (now := int(lines.sum())) != before:
        before = now
        for turn in (0, 4):
            lines &= ~_removable(lines, turn)
    return torch.from_numpy(lines)


def _removable(ink: np.ndarray, turn: int) -> np.ndarray:
    """The edge pixels that one sub-iteration takes away: those of one side (turn 0) or of the opposite one (4)."""
    shifts = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))
    p = [np.roll(ink, shift, axis=(-2, -1)) for shift in shifts]  # neighbours clockwise, north first
    pairs = [(p[i], p[i + 1], p[(i + 2) % 8]) for i in (0, 2, 4, 6)]
    crossings = _count([~a & (b | c) for a, b, c in pairs])
    neighbours = np.minimum(_count([a | b for a, b, _ in pairs]), _count([b | c for _, b, c in pairs]))
    q = p[turn:] + p[:turn]
    kept = (q[4] | q[5] | ~q[7]) & q[6]
    return ink & (crossings == 1) & (neighbours >= 2) & (neighbours <= 3) & ~kept


def _count(masks: list[np.ndarray]) -> np.ndarray:
    return np.stack(masks).sum(axis=0, dtype=np.uint8)


def distances(lines: Tensor) -> Tensor:
    """Distance of every pixel to the nearest pixel of its skeleton, at most REACH.

    Args:
        lines: bool [M, H, W].

    Returns:
        float32 [M, H, W], in pixels.

    Example:
        >>> dot = torch.zeros(1, 5, 5, dtype=torch.bool)
        >>> dot[0, 0, 0] = True
        >>> distances(dot)[0, 3, 4]
        tensor(5.)
    """
    squares = (torch.arange(-REACH, REACH + 1.0)).square()  # [2 * REACH + 1]
    nearest = torch.where(lines, 0.0, float(REACH**2))
    for _ in range(2):  # a squared distance is the sum of one along the rows and one along the columns
        windows = F.pad(nearest, (REACH, REACH), value=REACH**2).unfold(-1, 2 * REACH + 1, 1)  # [M, H, W, window]
        nearest = (windows + squares).amin(dim=-1).mT
    return nearest.sqrt()


def draw(skeleton_distances: Tensor, n_drawings: int, generator: torch.Generator) -> Tensor:
    """Draw every character `n_drawings` times, each time with another slant, size, place, wobble and pen.

    Args:
        skeleton_distances: float [M, CANVAS, CANVAS] from `distances`, in pixels of the canvas.
        n_drawings: drawings per character.
        generator: the only source of chance.

    Returns:
        uint8 [M, n_drawings, 1, SIZE, SIZE], ink 255 and paper 0.

    Example:
        >>> lines = torch.zeros(1, CANVAS, CANVAS, dtype=torch.bool)
        >>> lines[0, 12:52, 32] = True
        >>> draw(distances(lines), n_drawings=3, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([1, 3, 1, 28, 28])
    """
    n_characters = len(skeleton_distances)
    places = _affine_places(n_characters * n_drawings, generator)
    places = places + _wobble(n_characters * n_drawings, generator)  # [M * n, SIZE, SIZE, 2]
    grid = places.view(n_characters, n_drawings * SIZE, SIZE, 2)
    distance = F.grid_sample(skeleton_distances[:, None], grid, padding_mode="border", align_corners=False)
    distance = distance.view(n_characters, n_drawings, SIZE, SIZE) * (SIZE / CANVAS)  # in pixels of the drawing
    spread = 2 * torch.rand(n_characters, n_drawings, 1, 1, generator=generator) - 1
    pen = PEN + PEN_SPREAD * spread
    ink = (pen + 0.5 - distance).clamp(0, 1)  # the pen's edge covers a pixel in part
    return (255 * ink).round().byte()[:, :, None]


def _affine_places(number: int, generator: torch.Generator) -> Tensor:
    """Where each pixel of a drawing lies on the canvas, in -1..1 as (x, y): float [number, SIZE, SIZE, 2]."""
    noise = torch.randn(6, number, 1, 1, generator=generator)
    angle, shear, right, down = math.radians(ROTATION) * noise[0], SHEAR * noise[1], SHIFT * noise[2], SHIFT * noise[3]
    wide, high = (SCALE * noise[4]).exp(), (SCALE * noise[5]).exp()
    line = (torch.arange(SIZE) + 0.5) * 2 / SIZE - 1  # centres of the pixels
    y, x = line[:, None] + down, line + right  # [number, SIZE, 1], [number, 1, SIZE]
    turned_x, turned_y = x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()
    return torch.stack([wide * (turned_x + shear * turned_y), high * turned_y], dim=-1)


def _wobble(number: int, generator: torch.Generator) -> Tensor:
    """A smooth random displacement of every place on the canvas: float [number, SIZE, SIZE, 2]."""
    knots = WOBBLE * torch.randn(number, 2, 5, 5, generator=generator)
    smooth = F.interpolate(knots, (SIZE, SIZE), mode="bicubic", align_corners=True)
    return smooth.permute(0, 2, 3, 1)
