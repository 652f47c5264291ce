"""One picture file: what looks white is 255 and what looks black is 0, whatever the file stores."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import PIL
import pytest
from pictures import SIDE, noise, png, read, saved
from PIL import Image


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


@pytest.mark.parametrize(("base", "mode", "suffix"), [("L", "LA", "png"), ("L", "LA", "tif"), ("P", "PA", "tif")])
def test_grey_and_palettes_with_transparency_are_laid_on_white(
    base: str, mode: str, suffix: str, tmp_path: Path
) -> None:
    image = Image.new(base, (SIDE, SIDE), 40)
    if base == "P":
        image.putpalette([*range(256)] * 3)  # number 40 means (120, 121, 122)
    image.putalpha(Image.fromarray(layers((40,))[..., 1]))
    assert image.mode == mode
    seen = on_white({"L": 40, "P": 121}[base])
    assert np.abs(read(saved(tmp_path / f"1.{suffix}", image)) - seen).max() <= 1


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


def test_colours_measured_as_lab_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"1.tif has pixels of mode LAB, whose white is unknown"):
        read(saved(tmp_path / "1.tif", Image.new("LAB", (SIDE, SIDE))))


@pytest.mark.parametrize(
    ("mode", "white", "suffix"),
    [
        *(("1", 1, "png"), ("1", 1, "tif"), ("L", 255, "bmp"), ("P", 255, "png"), ("RGB", "white", "gif")),
        *(("RGBX", (255, 255, 255, 0), "tif"), ("CMYK", (0, 0, 0, 0), "jpg"), ("CMYK", (0, 0, 0, 0), "tif")),
        ("YCbCr", (255, 128, 128), "jpg"),
    ],
)
@pytest.mark.parametrize("grey", [True, False])
def test_white_is_white_in_every_mode(mode: str, white: object, suffix: str, grey: bool, tmp_path: Path) -> None:
    image = Image.new(mode, (SIDE, SIDE), white)
    if mode == "P":
        image.putpalette([*range(256)] * 3)
        image = image.convert("RGB").convert("P")
    assert read(saved(tmp_path / f"1.{suffix}", image), grey).min() >= 254


def test_brightness_and_colour_apart_become_red_green_and_blue(tmp_path: Path) -> None:
    path = saved(tmp_path / "1.tif", Image.new("YCbCr", (SIDE, SIDE), (255, 128, 128)))
    if int(PIL.__version__.split(".")[0]) < 13:
        pytest.skip("older Pillows refuse such a file")
    assert read(path, grey=False).min() == 255


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
