"""The letters, digits and operators of Matplotlib's own fonts, in print."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from PIL import ImageFont
from torch import Tensor

from fslbook.data.drawing import printed

FONTS = ("DejaVuSans.ttf", "STIXGeneral.ttf")
"""Plain faces from Matplotlib's font folder; a character is taken from the first that has it."""

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


def repertoire(fonts: Sequence[str] = FONTS) -> dict[str, Tensor]:
    """All letters, digits and operators of `SCRIPTS` in print.

    Args:
        fonts: files in Matplotlib's font folder.

    Returns:
        bool [64, 64] per character, keyed by class name such as "Lao/U+0E81", in the order of `SCRIPTS`.

    Raises:
        FileNotFoundError: a font is missing.
        ValueError: a font is damaged, or has no letters of a script.

    Example:
        >>> repertoire(())
        Traceback (most recent call last):
        ValueError: fonts is empty; name at least one
    """
    if not fonts:
        raise ValueError("fonts is empty; name at least one")
    found: dict[str, dict[str, Tensor]] = {script: {} for script in SCRIPTS}
    for file in fonts:
        font, characters = open_font(font_path(file))
        for character in characters:
            script, name = script_of(character), f"U+{ord(character):04X}"
            if script and name not in found[script] and (ink := printed(font, character)) is not None:
                found[script][name] = ink
    if missing := [script for script in SCRIPTS if not found[script]]:
        raise ValueError(f"{', '.join(fonts)} in {font_path('')} have no characters of {', '.join(missing)}")
    return {f"{script}/{name}": ink for script, inks in found.items() for name, ink in inks.items()}


def font_path(file: str) -> Path:
    """Where Matplotlib keeps a font.

    Args:
        file: its name.

    Example:
        >>> font_path("DejaVuSans.ttf").is_file()
        True
    """
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / file


def open_font(path: Path) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    """A font and the characters that it has, sorted.

    Args:
        path: of a TrueType file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a font, or a damaged one.

    Example:
        >>> font, characters = open_font(font_path("DejaVuSans.ttf"))
        >>> "A" in characters
        True
    """
    if not path.is_file():
        raise FileNotFoundError(f"font {path} is missing; reinstall Matplotlib, which brings it along")
    content = path.read_bytes()
    # Every TrueType file carries a number that makes the sum of all its words this one; FreeType does not look.
    words = np.frombuffer(content + bytes(-len(content) % 4), dtype=">u4")
    if words.sum(dtype=np.uint32) != 0xB1B0AFBA:
        raise ValueError(f"{path} is not a readable font (its checksum is wrong); reinstall Matplotlib")
    font = ImageFont.truetype(str(path), 96, layout_engine=ImageFont.Layout.BASIC)
    return font, [chr(code_point) for code_point in sorted(FT2Font(str(path)).get_charmap())]


def fonts_digest() -> str:
    """Eight hexadecimal digits that tell versions of `FONTS` apart, by sha256.

    Example:
        >>> len(fonts_digest())
        8
    """
    fonts = [font_path(file) for file in FONTS]
    return hashlib.sha256(b"".join(path.read_bytes() for path in fonts if path.is_file())).hexdigest()[:8]


def script_of(character: str) -> str | None:
    """The script of a letter, digit or operator; None for marks, accented letters, ligatures and everything else.

    Args:
        character: a single one.

    Example:
        >>> script_of("Ж"), script_of("∀"), script_of("é")
        ('Cyrillic', 'Mathematics', None)
    """
    category, name = unicodedata.category(character), unicodedata.name(character, "")
    if category == "Sm" and "\u2200" <= character <= "\u22ff":
        return "Mathematics"
    composed = unicodedata.decomposition(character).split(" ")[0] not in ("", "<font>")
    if category not in ("Lu", "Ll", "Lo", "Nd") or composed:
        return None
    return next((script for script, start in SCRIPTS.items() if start and name.startswith(start)), None)
