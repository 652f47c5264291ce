"""Characters in print: which script each belongs to, and fonts that cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from fslbook.data.fonts import FONTS, font_path, fonts_digest, open_font, repertoire, script_of

MODULE = sys.modules["fslbook.data.fonts"]


@pytest.mark.parametrize(
    ("script", "characters"),
    [
        ("Latin", "Aß"),
        ("Cyrillic", "Ж"),
        ("N'Ko", "\u07c0"),
        ("Fraktur", "𝔄"),
        ("Mathematics", "∀⊗"),
        (None, "é\u0301ﬁ7+← \ue000\u0378"),  # composed, mark, ligature, no script's own, blank, unassigned
    ],
)
def test_script_of(script: str | None, characters: str) -> None:
    assert [script_of(character) for character in characters] == [script] * len(characters)


def test_a_missing_unreadable_or_poor_font_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"Absent\.ttf is missing"):
        open_font(tmp_path / "Absent.ttf")
    (tmp_path / "Broken.ttf").write_bytes(b"not a font")
    with pytest.raises(ValueError, match=r"Broken\.ttf is not a readable font"):
        open_font(tmp_path / "Broken.ttf")
    with pytest.raises(ValueError, match=r"STIXGeneral\.ttf in .* have no characters of Georgian, Lao"):
        repertoire(("STIXGeneral.ttf",))
    with pytest.raises(ValueError, match="fonts is empty"):
        repertoire(())


@pytest.mark.parametrize("file", FONTS)
def test_a_single_flipped_bit_in_a_font_is_refused(file: str, tmp_path: Path) -> None:
    """FreeType would draw other characters without a word."""
    whole = font_path(file).read_bytes()
    for bit in np.random.default_rng(0).integers(8 * len(whole), size=40).tolist():
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / file).write_bytes(damaged)
        with pytest.raises(ValueError, match=r"\.ttf is not a readable font \(its checksum is wrong\)"):
            open_font(tmp_path / file)


def test_other_fonts_have_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So drawings of older fonts are never read from the cache."""
    before = fonts_digest()
    for file in FONTS:
        (tmp_path / file).write_bytes(font_path(file).read_bytes() + b"x")
    monkeypatch.setattr(MODULE, "font_path", lambda file: tmp_path / file)
    assert len(before) == 8 and fonts_digest() != before
