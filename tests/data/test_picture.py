"""One picture file: what looks white is 255 and what looks black is 0, whatever the file stores."""

from __future__ import annotations

import struct
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from pictures import noise, png, with_tag
from PIL import Image

from fslbook.data.picture import read_picture

SIDE = 8


def read(path: Path, grey: bool = True, size: int = SIDE) -> np.ndarray:
    """[size, size] or [3, size, size]."""
    pixels = read_picture(path, size, grey).numpy()
    return pixels[0] if grey else pixels


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def stroke() -> np.ndarray:
    """Where ink is: a bar, with a soft edge. Shares in 0..1, [8, 8]."""
    ink = np.zeros((SIDE, SIDE))
    ink[2:4], ink[4] = 1, 0.4
    return ink


def layers(colour: tuple[int, ...]) -> np.ndarray:
    """A stroke of this colour on a transparent ground, which is black where nobody sees it: bytes [8, 8, C + 1]."""
    alpha = np.round(255 * stroke())[..., None]
    return np.concatenate([np.broadcast_to(colour, (SIDE, SIDE, len(colour))) * (alpha > 0), alpha], 2).astype(np.uint8)


def on_white(colour: int) -> np.ndarray:
    """What one sees of it."""
    alpha = np.round(255 * stroke()) / 255
    return colour * alpha + 255 * (1 - alpha)


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
@pytest.mark.parametrize("colour", [(0, 0, 0), (200, 30, 90)])
def test_a_transparent_ground_is_white(colour: tuple[int, int, int], suffix: str, tmp_path: Path) -> None:
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    path = saved(tmp_path / f"1.{suffix}", Image.fromarray(layers(colour)), **options)
    for channel, value in zip(read(path, grey=False), colour, strict=True):
        assert np.abs(channel - on_white(value)).max() <= 1
    luma = np.dot([0.299, 0.587, 0.114], colour)
    assert np.abs(read(path) - on_white(luma)).max() <= 1.5


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("mode", ["LA", "PA"])
def test_grey_and_palettes_with_transparency_are_laid_on_white(mode: str, suffix: str, tmp_path: Path) -> None:
    image = Image.fromarray(layers((40,)) if mode == "LA" else layers((40, 40, 40))).convert(mode)
    if (mode, suffix) == ("PA", "png"):
        pytest.skip("PNG has no such mode")
    assert np.abs(read(saved(tmp_path / f"1.{suffix}", image)) - on_white(40)).max() <= 1


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_a_transparent_colour_of_a_palette_is_white(suffix: str, tmp_path: Path) -> None:
    image = Image.fromarray((stroke() > 0.5).astype(np.uint8), "P")  # 0 is the ground, 1 the stroke, and both are black
    image.putpalette([0, 0, 0, 0, 0, 0])
    path = saved(tmp_path / f"1.{suffix}", image, transparency=0)
    assert np.array_equal(read(path), np.where(stroke() > 0.5, 0, 255))


def test_a_palette_with_shares_of_transparency_is_laid_on_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.round(2 * stroke()).astype(np.uint8), "P")
    image.putpalette([0, 0, 0] * 3)
    path = saved(tmp_path / "1.png", image, transparency=bytes([0, 51, 255]))
    assert np.array_equal(read(path), np.array([255, 204, 0])[np.round(2 * stroke()).astype(int)])


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_transparent_grey_is_white_at_every_depth(depth: int, tmp_path: Path) -> None:
    """Black strokes on a ground of the second darkest grey, which is declared to be transparent."""
    bits = "".join("0" * depth if ink else "1".zfill(depth) for ink in [1, 0, 0, 1, 1, 0, 1, 0])
    row = int(bits, 2).to_bytes(depth, "big")
    path = png(tmp_path / "1.png", depth, 0, [row] * SIDE, SIDE, struct.pack(">H", 1))
    assert read(path)[0].tolist() == [0, 255, 255, 0, 0, 255, 0, 255]


@pytest.mark.parametrize(("colour", "numbers"), [(0, 1), (2, 3)])
def test_a_transparent_colour_of_16_bits_is_refused(colour: int, numbers: int, tmp_path: Path) -> None:
    row = struct.pack(f">{2 * numbers}H", *[1000] * numbers, *[65535] * numbers)
    path = png(tmp_path / "1.png", 16, colour, [row], 2, struct.pack(f">{numbers}H", *[1000] * numbers))
    with pytest.raises(ValueError, match=r"1.png has 16 bits and a transparent colour; save it with an alpha channel"):
        read(path)


def test_a_picture_that_is_transparent_everywhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"1.png is transparent everywhere"):
        read(saved(tmp_path / "1.png", Image.new("RGBA", (SIDE, SIDE), (9, 9, 9, 0))))


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


def test_colours_measured_as_lab_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"1.tif has pixels of mode LAB, whose white is unknown"):
        read(saved(tmp_path / "1.tif", Image.new("LAB", (SIDE, SIDE))))


@pytest.mark.parametrize(
    ("mode", "white", "suffix"),
    [
        *(("1", 1, "png"), ("1", 1, "tif"), ("L", 255, "bmp"), ("P", 255, "png"), ("RGB", "white", "gif")),
        *(("RGBX", (255, 255, 255, 0), "tif"), ("CMYK", (0, 0, 0, 0), "jpg"), ("CMYK", (0, 0, 0, 0), "tif")),
        *(("YCbCr", (255, 128, 128), "jpg"), ("YCbCr", (255, 128, 128), "tif")),
    ],
)
@pytest.mark.parametrize("grey", [True, False])
def test_white_is_white_in_every_mode(mode: str, white: object, suffix: str, grey: bool, tmp_path: Path) -> None:
    image = Image.new(mode, (SIDE, SIDE), white)
    if mode == "P":
        image.putpalette([*range(256)] * 3)
        image = image.convert("RGB").convert("P")
    assert read(saved(tmp_path / f"1.{suffix}", image), grey).min() >= 254


def test_a_picture_with_several_frames_is_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(noise(SIDE, SIDE, seed=seed)) for seed in range(3)]
    for suffix in ("gif", "png", "webp", "tif"):
        path = saved(tmp_path / f"1.{suffix}", frames[0], save_all=True, append_images=frames[1:])
        with pytest.raises(ValueError, match=rf"1.{suffix} has 3 frames; save the one that you mean as a picture of"):
            read(path)


def test_a_telephones_photograph_with_a_preview_is_one_picture(tmp_path: Path) -> None:
    photograph, preview = (Image.new("RGB", (60, 40), colour) for colour in ("white", "black"))
    path = saved(tmp_path / "1.mpo", photograph, save_all=True, append_images=[preview]).rename(tmp_path / "1.jpg")
    assert read(path).min() >= 254


def test_16_bits_held_on_their_side_are_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn clockwise by 90 degrees to view"
    path = saved(tmp_path / "1.png", Image.fromarray(RAMP), exif=exif)
    assert np.array_equal(read(path), np.round(np.rot90(RAMP, -1) / 257))
