"""Damaged and hostile picture files: named in an error, and never another error."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from pictures import cats_and_dogs, noise
from PIL import Image

from fslbook import image_folder
from fslbook.data.picture import read_picture

MODULE = sys.modules["fslbook.data.picture"]


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n and then nothing"])
def test_an_unreadable_image_is_named(content: bytes, tmp_path: Path) -> None:
    folder = cats_and_dogs(tmp_path)
    (folder / "dog" / "broken.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"broken.png is not a readable image"):
        image_folder(folder)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".webp", ".tif"])
def test_a_truncated_image_is_named(suffix: str, tmp_path: Path) -> None:
    folder = cats_and_dogs(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8)
    broken = folder / "dog" / f"broken{suffix}"
    Image.fromarray(noise).save(broken)
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    with pytest.raises(ValueError, match=rf"broken{suffix} is not a readable image"):
        image_folder(folder)


def test_no_single_bit_of_a_png_changes_a_pixel(tmp_path: Path) -> None:
    """PNG has checksums; what is read in spite of damage looks as before."""
    path = tmp_path / "1.png"
    Image.fromarray(noise(6, 6)).save(path)
    whole, right, refused = path.read_bytes(), read_picture(path, 12, grey=True), 0
    for bit in range(8 * len(whole)):
        try:
            assert read_bit_flipped(path, whole, bit).equal(right), f"bit {bit}"
        except ValueError as error:
            assert "1.png is not a readable image" in str(error)
            refused += 1
    assert refused > 7 * len(whole)


def read_bit_flipped(path: Path, whole: bytes, bit: int):
    damaged = bytearray(whole)
    damaged[bit // 8] ^= 1 << bit % 8
    path.write_bytes(damaged)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, on what it makes of the damage
        return read_picture(path, 12, grey=True)


@pytest.mark.parametrize("suffix", [".jpg", ".gif", ".bmp", ".webp", ".tif"])
def test_single_bits_of_other_formats_are_read_or_named(suffix: str, tmp_path: Path) -> None:
    """They have no checksums, so damaged pixels may look sound; but no other error comes out."""
    path = tmp_path / f"1{suffix}"
    Image.fromarray(noise(6, 6)).save(path)
    whole = path.read_bytes()
    for bit in np.random.default_rng(0).permutation(8 * len(whole))[:400].tolist():
        try:
            assert read_bit_flipped(path, whole, bit).shape == (1, 12, 12)
        except ValueError as error:
            assert f"1{suffix} " in str(error)


@pytest.mark.parametrize("side", [120, 200])
def test_a_bomb_is_refused_by_name(side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow warns from its limit on, and fails from twice its limit on."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    Image.new("1", (side, side)).save(tmp_path / "1.png")
    with pytest.raises(ValueError, match=r"1.png is not a readable image: Image size .* exceeds limit of"):
        read_picture(tmp_path / "1.png", 12, grey=True)


def test_other_formats_are_not_tried(tmp_path: Path) -> None:
    """By its content a file could start Ghostscript, whatever its suffix says."""
    path = tmp_path / "1.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n")
    with pytest.raises(ValueError, match=r"1.png is not a readable image: cannot identify"):
        read_picture(path, 12, grey=True)


def test_a_fault_of_ours_is_not_hidden_as_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "on_white", lambda image, file: image.no_such_attribute)
    with pytest.raises(AttributeError):
        image_folder(cats_and_dogs(tmp_path))


def test_want_of_memory_is_not_taken_for_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(image: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "load", greedy)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", greedy)
    with pytest.raises(MemoryError):
        image_folder(cats_and_dogs(tmp_path))
