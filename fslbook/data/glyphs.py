"""Letters of many scripts, drawn by varied pens from Matplotlib's own fonts: the data set that needs no network."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import torch
from matplotlib.ft2font import FT2Font
from PIL import ImageFont
from torch import Tensor

from fslbook.data.cache import cached, data_root
from fslbook.data.drawing import SIZE, distances, draw, printed, skeletons
from fslbook.data.image_classes import ImageClasses
from fslbook.data.splits import Splits

FONTS = ("DejaVuSans.ttf", "STIXGeneral.ttf")
"""Plain faces from Matplotlib's font folder; a character is taken from the first that has it."""

# The scripts of the held-out splits; all others are base.
NOVEL = ("Georgian", "Lao", "N'Ko", "Tifinagh")
VALIDATION = ("Armenian", "Ogham", "Old_Italic")

# The held-out scripts come first: of two characters that look alike the first is kept, so these stay whole.
SCRIPTS = {
    "Georgian": "GEORGIAN",
    "Lao": "LAO",
    "N'Ko": "NKO",
    "Tifinagh": "TIFINAGH",
    "Armenian": "ARMENIAN",
    "Ogham": "OGHAM LETTER",
    "Old_Italic": "OLD ITALIC",
    "Hebrew": "HEBREW LETTER",
    "Arabic": "ARABIC LETTER",
    "Greek": "GREEK",
    "Latin": "LATIN",
    "Cyrillic": "CYRILLIC",
    "Canadian_Aboriginal": "CANADIAN",
    "Fraktur": "MATHEMATICAL FRAKTUR",
    "Script": "MATHEMATICAL SCRIPT",
    "Double-struck": "MATHEMATICAL DOUBLE-STRUCK",
    "Mathematics": "",
}
"""How the Unicode names of each script's letters and digits begin; "Mathematics" is the block of operators."""

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
    Lao, N'Ko and Tifinagh, validation Armenian, Ogham and Old Italic, base the other scripts (`SCRIPTS`). Of
    characters that differ by no more than a dot one is kept, and none is another one turned by quarters, so that
    `with_rotations` makes no class twice, except where a character equals its own rotation, such as a circle.

    Args:
        root: where the packed drawings are kept; by default $FSLBOOK_DATA, else ~/.cache/fslbook.
        seed: of the drawings; the characters do not depend on it, only on the version of Matplotlib's fonts.

    Returns:
        splits of uint8 images [M, 1, 28, 28], class names such as "Latin/U+0041", the script being the group.

    Raises:
        FileNotFoundError: a font is missing.
        ValueError: a font is unreadable, or has no letters of a script.
    """
    folder = data_root(root)
    classes = cached(f"glyphs-{SIZE}-recipe{RECIPE}-seed{seed}", lambda: draw_characters(distinct(), seed), folder)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for index, script in enumerate(classes.groups):
        parts[2 if script in NOVEL else 1 if script in VALIDATION else 0].append(index)
    return Splits("glyphs", *(classes.select(part) for part in parts))


def draw_characters(skeleton_distances: dict[str, Tensor], seed: int = 0) -> ImageClasses:
    """Draw each character 20 times.

    Args:
        skeleton_distances: float [64, 64] a character, keyed by its name, as `distinct` returns.
        seed: of the drawings; neither the global generator nor the number of threads plays a part.
    """
    generator = torch.Generator().manual_seed(seed)
    portions = torch.stack([*skeleton_distances.values()]).split(64)  # for the sake of memory
    drawings = torch.cat([draw(portion, N_DRAWINGS, generator) for portion in portions])  # [M, 20, 1, 28, 28]
    counts = torch.full((len(drawings),), N_DRAWINGS)
    return ImageClasses(drawings.flatten(0, 1), counts, tuple(skeleton_distances))


def distinct() -> dict[str, Tensor]:
    """The characters that look like no earlier one, neither upright nor turned by quarters.

    Returns:
        distance to the skeleton in pixels, float [64, 64], keyed by class name, in the order of `SCRIPTS`.
    """
    characters = repertoire()
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
    """
    ink, far = distance <= NEAR, (distance > FAR).flatten(1).float().T  # [M, 64, 64], [64 * 64, M]
    # Ink of the turned i that lies far from j. The other way round, it is j turned back that lies far from i.
    lost = [torch.rot90(ink, turn, dims=(1, 2)).flatten(1).float() @ far for turn in range(4)]
    return torch.stack([torch.maximum(lost[turn], lost[-turn].T) for turn in range(4)])


def repertoire(fonts: Sequence[str] = FONTS) -> dict[str, Tensor]:
    """All letters, digits and operators of `SCRIPTS` in print.

    Args:
        fonts: files in Matplotlib's font folder.

    Returns:
        bool [64, 64] a character, keyed by class name such as "Lao/U+0E81", in the order of `SCRIPTS`.

    Raises:
        FileNotFoundError: a font is missing.
        ValueError: a font is unreadable, or has no letters of a script.
    """
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    found: dict[str, dict[str, Tensor]] = {script: {} for script in SCRIPTS}
    for file in fonts:
        font, characters = open_font(folder / file)
        for character in characters:
            script, name = script_of(character), f"U+{ord(character):04X}"
            if script and name not in found[script] and (ink := printed(font, character)) is not None:
                found[script][name] = ink
    if missing := [script for script in SCRIPTS if not found[script]]:
        raise ValueError(f"{', '.join(fonts)} in {folder} have no characters of {', '.join(missing)}")
    return {f"{script}/{name}": ink for script, inks in found.items() for name, ink in inks.items()}


def open_font(path: Path) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    """A font and the characters that it has, sorted.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a font.
    """
    if not path.is_file():
        raise FileNotFoundError(f"font {path} is missing; reinstall Matplotlib, which brings it along")
    try:
        font = ImageFont.truetype(str(path), 96, layout_engine=ImageFont.Layout.BASIC)
        return font, [chr(code_point) for code_point in sorted(FT2Font(str(path)).get_charmap())]
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path} is not a readable font ({error}); reinstall Matplotlib") from error


def script_of(character: str) -> str | None:
    """The script of a letter, digit or operator; None for marks, accented letters, ligatures and everything else."""
    category, name = unicodedata.category(character), unicodedata.name(character, "")
    if category == "Sm" and "\u2200" <= character <= "\u22ff":
        return "Mathematics"
    composed = unicodedata.decomposition(character).split(" ")[0] not in ("", "<font>")
    if category not in ("Lu", "Ll", "Lo", "Nd") or composed:
        return None
    return next((script for script, start in SCRIPTS.items() if start and name.startswith(start)), None)
