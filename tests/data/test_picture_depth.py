"""Pictures of 16 and more bits: scaled by the depth of their format, or refused by name."""

from __future__ import annotations

import struct
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from pictures import SIDE, png, read, saved, with_tag
from PIL import Image

RAMP = np.linspace(0, 65535, SIDE * SIDE).round().astype(np.uint16).reshape(SIDE, SIDE)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("white", [65535, 30000])
def test_16_bits_are_scaled_by_the_depth_of_the_format(white: int, suffix: str, tmp_path: Path) -> None:
    """Not by the brightest pixel, else pictures of one set could not be compared."""
    values = (RAMP.astype(np.int64) * white // 65535).astype(np.uint16)
    assert np.array_equal(read(saved(tmp_path / f"1.{suffix}", Image.fromarray(values))), np.round(values / 257))


def test_16_bits_of_the_other_byte_order_are_read(tmp_path: Path) -> None:
    image = Image.frombytes("I;16B", (SIDE, SIDE), RAMP.astype(">u2").tobytes())
    assert np.array_equal(read(saved(tmp_path / "1.tif", image)), np.round(RAMP / 257))


def test_16_bits_with_white_as_zero_are_turned_round(tmp_path: Path) -> None:
    path = with_tag(saved(tmp_path / "1.tif", Image.fromarray(RAMP)), 262, before=1, after=0)
    assert np.array_equal(read(path), 255 - np.round(RAMP / 257))


@pytest.mark.parametrize(("colour", "numbers"), [(2, 3), (4, 2), (6, 4)])
def test_16_bits_in_colour_or_with_alpha_are_scaled_too(colour: int, numbers: int, tmp_path: Path) -> None:
    values = [0, 0x8000, 0xFFFF]
    opaque = [[v] * numbers if colour == 2 else [v] * (numbers - 1) + [0xFFFF] for v in values]
    path = png(tmp_path / "1.png", 16, colour, [struct.pack(f">{3 * numbers}H", *chain(*opaque))] * 3, 3)
    assert read(path, size=3)[0].tolist() == [0, 0x80, 255]


def test_12_bits_in_a_place_for_16_are_refused_and_not_black(tmp_path: Path) -> None:
    message = r"1.png would come out black, for its brightest number is 4095 where white is 65535; scale it"
    with pytest.raises(ValueError, match=message):
        read(saved(tmp_path / "1.png", Image.fromarray(RAMP // 16)))
    black = saved(tmp_path / "black.png", Image.fromarray(np.zeros((SIDE, SIDE), dtype=np.uint16)))
    assert read(black).max() == 0


@pytest.mark.parametrize("kind", ["int32", "float32"])
def test_numbers_without_a_known_white_are_refused_by_name(kind: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "1.tif", Image.fromarray((RAMP / 65535).astype(kind)))
    mode = {"int32": "I", "float32": "F"}[kind]
    with pytest.raises(ValueError, match=rf"1.tif has pixels of mode {mode}, whose white is unknown; save it"):
        read(path)


def test_16_bits_held_on_their_side_are_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn clockwise by 90 degrees to view"
    path = saved(tmp_path / "1.png", Image.fromarray(RAMP), exif=exif)
    assert np.array_equal(read(path), np.round(np.rot90(RAMP, -1) / 257))
