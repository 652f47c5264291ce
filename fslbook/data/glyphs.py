"""Letters of many scripts, drawn by varied pens from Matplotlib's own fonts: the data set that needs no network."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.data.cache import cached, data_root
from fslbook.data.drawing import SIZE, distances, draw, skeletons
from fslbook.data.fonts import fonts_digest, repertoire
from fslbook.data.image_classes import ImageClasses
from fslbook.data.splits import Splits

# The scripts of the held-out splits; all others are base.
NOVEL = ("Georgian", "Lao", "N'Ko", "Tifinagh")
VALIDATION = ("Armenian", "Ogham", "Old_Italic")

N_DRAWINGS = 20
"""Drawings a character, as in Omniglot."""

RECIPE = 1
"""Part of the cache's name, to be raised with every change of the drawings, so that no old ones are read."""

NEAR, FAR = 2.5, 5.0
"""Distances from a skeleton in canvas pixels: up to NEAR lies ink, beyond FAR no ink of a similar character."""

LEAST_DIFFERENCE, LEAST_TURNED_DIFFERENCE = 30, 15
"""Canvas pixels in which two characters must differ upright, so that one dot (21 to 26) is not enough; and when one of
them is turned, so that only a true copy falls out and a script does not lose too many letters."""

SHORTEST = 20
"""Pixels of a skeleton; what has fewer is all dots, such as "∴"."""


def glyphs(root: str | Path | None = None, seed: int = 0) -> Splits:
    """Over 1,000 characters, each drawn 20 times at 28×28; ink is 1 and paper 0 once scaled to [0, 1].

    Every character is thinned to its skeleton and drawn anew with a random slant, size, place, wobble and pen.
    Classes are cut by script, so that novel characters come from scripts never seen before: novel are Georgian,
    Lao, N'Ko and Tifinagh, validation Armenian, Ogham and Old Italic, base the other scripts (`fonts.SCRIPTS`). Of
    characters that differ by no more than a dot one is kept, and none is another one turned by quarters, so that
    `with_rotations` makes no class twice, except where a character equals its own rotation, such as a circle.

    Args:
        root: where the packed drawings are kept; by default $FSLBOOK_DATA, else ~/.cache/fslbook. In a folder that
            cannot be written to they are drawn anew each time, with a warning.
        seed: of the drawings, at least 0; the characters do not depend on it, only on Matplotlib's fonts.

    Returns:
        splits of uint8 images [M, 1, 28, 28], class names such as "Latin/U+0041", the script being the group.

    Raises:
        FileNotFoundError: a font is missing, or there is no home folder.
        ValueError: a font is damaged, or has no letters of a script, or the seed is no whole number.

    Example:
        >>> glyphs(seed=-1)
        Traceback (most recent call last):
        ValueError: seed must be a whole number of at least 0, got -1
    """
    seed, folder = check_whole_number("seed", seed, least=0), data_root(root)
    name = f"glyphs-{SIZE}-recipe{RECIPE}-fonts{fonts_digest()}-seed{seed}"
    classes = cached(name, lambda: draw_characters(distinct(repertoire()), seed), folder)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for index, script in enumerate(classes.groups):
        parts[2 if script in NOVEL else 1 if script in VALIDATION else 0].append(index)
    return Splits("glyphs", *(classes.select(part) for part in parts))


def draw_characters(skeleton_distances: dict[str, Tensor], seed: int = 0) -> ImageClasses:
    """Draw each character 20 times.

    Args:
        skeleton_distances: float [64, 64] per character, in canvas pixels, keyed by its name, as `distinct` returns.
        seed: of the drawings; neither the global generator nor the number of threads plays a part.

    Returns:
        one class per character, uint8 images [M, 1, 28, 28], ink 255 and paper 0.

    Example:
        >>> ink = torch.zeros(1, 64, 64, dtype=torch.bool)
        >>> ink[0, 12:52, 32] = True
        >>> draw_characters({"Latin/l": distances(ink)[0]})
        ImageClasses(1 classes, 20 images of 1×28×28, on cpu)
    """
    generator = torch.Generator().manual_seed(seed)
    portions = torch.stack([*skeleton_distances.values()]).split(64)  # for the sake of memory
    drawings = torch.cat([draw(portion, N_DRAWINGS, generator) for portion in portions])  # [M, 20, 1, 28, 28]
    counts = torch.full((len(drawings),), N_DRAWINGS)
    return ImageClasses(drawings.flatten(0, 1), counts, tuple(skeleton_distances))


def distinct(characters: dict[str, Tensor]) -> dict[str, Tensor]:
    """The characters that look like no earlier one, neither upright nor turned by quarters.

    Args:
        characters: bool [64, 64] each, by class name, as `repertoire` returns.

    Returns:
        distance to the skeleton in canvas pixels, float [64, 64], by class name, in the same order.

    Example:
        >>> bar = torch.zeros(64, 64, dtype=torch.bool)
        >>> bar[10:54, 30:34] = True
        >>> list(distinct({"upright": bar, "lying": bar.T, "cross": bar | bar.T}))
        ['upright', 'cross']
    """
    # In small portions, which stay in the processor's cache: several times as fast as all at once.
    portions = torch.stack([*characters.values()]).split(32)
    lines = torch.cat([skeletons(portion) for portion in portions])  # [M, 64, 64]
    distance = torch.cat([distances(portion) for portion in lines.split(32)])  # [M, 64, 64]
    upright, *turned = differences(distance)
    alike = (upright < LEAST_DIFFERENCE) | (torch.stack(turned).amin(dim=0) < LEAST_TURNED_DIFFERENCE)  # [M, M]
    kept: list[int] = []
    for index in torch.nonzero(lines.sum(dim=(1, 2)) >= SHORTEST)[:, 0].tolist():
        if not alike[index, kept].any():
            kept.append(index)
    names = list(characters)
    return {names[index]: distance[index] for index in kept}


def differences(distance: Tensor) -> Tensor:
    """How much any two characters differ: the canvas pixels in which one has ink far from all ink of the other.

    Args:
        distance: to the skeleton, float [M, 64, 64].

    Returns:
        float [4, M, M]; entry [turn, i, j] compares i, turned by that many quarters counter-clockwise, with j.

    Example:
        >>> lines = torch.zeros(2, 64, 64, dtype=torch.bool)
        >>> lines[0, 12:52, 32], lines[1, 31, 12:52] = True, True  # upright, and lying
        >>> upright, turned, *_ = differences(distances(lines))
        >>> bool(upright[0, 1] > 0), float(turned[0, 1])
        (True, 0.0)
    """
    ink, far = distance <= NEAR, (distance > FAR).flatten(1).float().T  # [M, 64, 64], [64 * 64, M]
    # Ink of the turned i that lies far from j. The other way round, it is j turned back that lies far from i.
    lost = [torch.rot90(ink, turn, dims=(1, 2)).flatten(1).float() @ far for turn in range(4)]
    return torch.stack([torch.maximum(lost[turn], lost[-turn].T) for turn in range(4)])
