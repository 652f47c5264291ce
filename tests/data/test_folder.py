"""image_folder: your own images, one sub-folder a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fslbook import EpisodeSampler, image_folder


def save(path: Path, colour: object = 0, size: tuple[int, int] = (28, 28), mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)
    return path


def cats_and_dogs(folder: Path) -> Path:
    """Two cats and three dogs of mixed sizes, modes and kinds of file."""
    save(folder / "cat" / "1.png", 10)
    save(folder / "cat" / "2.JPG", 20, size=(40, 90))
    save(folder / "dog" / "a.bmp", (200, 200, 200), mode="RGB")
    save(folder / "dog" / "b.png", 210, size=(5, 5))
    save(folder / "dog" / "c.gif", 1, mode="1")
    return folder


def test_every_sub_folder_is_a_class(tmp_path: Path) -> None:
    folder = cats_and_dogs(tmp_path)
    (folder / "readme.txt").write_text("not a class")
    (folder / "cat" / "notes.txt").write_text("not an image")
    (folder / ".hidden").mkdir()
    classes = image_folder(folder)
    assert classes.names == ("cat", "dog")
    assert classes.counts.tolist() == [2, 3]
    assert classes.images.shape == (5, 1, 28, 28)
    assert classes.images.dtype == torch.uint8
    means = classes.images.double().mean(dim=(1, 2, 3))
    assert torch.allclose(means, torch.tensor([10.0, 20, 200, 210, 255]).double(), atol=2)
    EpisodeSampler(classes, n_way=2, k_shot=1, n_query=1).sample()


@pytest.mark.parametrize(("grey", "channels"), [(True, 1), (False, 3)])
@pytest.mark.parametrize("size", [16, 28, 84])
def test_size_and_channels(grey: bool, channels: int, size: int, tmp_path: Path) -> None:
    assert image_folder(cats_and_dogs(tmp_path), size, grey).images.shape == (5, channels, size, size)


def test_colours_keep_their_channels_and_pixels_their_place(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 3), dtype=np.uint8)
    pixels[0, 3] = (250, 120, 10)  # top right
    (tmp_path / "a").mkdir()
    Image.fromarray(pixels).save(tmp_path / "a" / "1.png")
    save(tmp_path / "b" / "1.png", (1, 2, 3), mode="RGB")
    classes = image_folder(tmp_path, size=4, grey=False)
    assert classes[0][0, :, 0, 3].tolist() == [250, 120, 10]
    assert classes[0].count_nonzero() == 3
    assert classes[1][0, :, 2, 2].tolist() == [1, 2, 3]


def test_a_photograph_held_upright_stays_upright(tmp_path: Path) -> None:
    pixels = np.zeros((20, 10), dtype=np.uint8)
    pixels[:10] = 255  # white above black
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side, "turn clockwise by 90 degrees to view"
    (tmp_path / "a").mkdir()
    Image.fromarray(np.rot90(pixels)).save(tmp_path / "a" / "1.png", exif=exif)
    save(tmp_path / "b" / "1.png")
    image = image_folder(tmp_path, size=8)[0][0, 0]
    assert image[:3].min() > 200
    assert image[5:].max() < 50


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere is not a folder"):
        image_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"1.png is not a folder"):
        image_folder(save(tmp_path / "1.png"))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has 0 sub-folders; .*at least two are needed"):
        image_folder(tmp_path)


def test_images_without_class_folders_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    with pytest.raises(ValueError, match=r"has 0 sub-folders; each class needs one"):
        image_folder(tmp_path)


def test_a_single_class_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "1.png")
    with pytest.raises(ValueError, match=r"has 1 sub-folders; .*at least two are needed"):
        image_folder(tmp_path)


def test_a_class_folder_without_images_is_refused(tmp_path: Path) -> None:
    folder = cats_and_dogs(tmp_path)
    (folder / "bird").mkdir()
    (folder / "bird" / "song.mp3").write_bytes(b"la la")
    with pytest.raises(ValueError, match=r"class folder .*bird has no images \(.png, .jpg"):
        image_folder(folder)


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


def test_a_damaged_image_is_read_or_named_but_nothing_else_breaks(tmp_path: Path) -> None:
    folder, damage = cats_and_dogs(tmp_path), np.random.default_rng(0)
    broken = folder / "dog" / "broken.png"
    Image.fromarray(damage.integers(0, 256, (12, 12), dtype=np.uint8)).save(broken)
    whole, refused = broken.read_bytes(), 0
    for position in range(len(whole)):
        content = bytearray(whole)
        content[position] ^= 0xFF
        broken.write_bytes(content)
        try:
            image_folder(folder)
        except ValueError as error:
            assert "broken.png is not a readable image" in str(error)
            refused += 1
    assert refused > len(whole) // 2


@pytest.mark.parametrize("size", [0, -5, 2.5])
def test_impossible_sizes_are_refused(size: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"size must be a whole number of at least 1, got {size}"):
        image_folder(cats_and_dogs(tmp_path), size=size)
