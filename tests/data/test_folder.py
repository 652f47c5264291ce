"""image_folder: your own images, one sub-folder a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import cats_and_dogs, save
from PIL import Image

from fslbook import EpisodeSampler, image_folder


def test_every_sub_folder_is_a_class(tmp_path: Path) -> None:
    folder = cats_and_dogs(tmp_path)
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
    with pytest.raises(ValueError, match=r"class folder .*bird has no images \(.png, .jpg.*\), it has .mp3"):
        image_folder(folder)
    (folder / "bird" / "song.mp3").unlink()
    with pytest.raises(ValueError, match=r"class folder .*bird has no images .*, it has nothing"):
        image_folder(folder)


@pytest.mark.parametrize("size", [0, -5, 2.5])
def test_impossible_sizes_are_refused(size: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"size must be a whole number of at least 1, got {size}"):
        image_folder(cats_and_dogs(tmp_path), size=size)


@pytest.mark.parametrize("size", [np.int64(9), torch.tensor(9)])
def test_whole_numbers_of_any_kind_are_sizes(size: object, tmp_path: Path) -> None:
    assert image_folder(cats_and_dogs(tmp_path), size=size).images.shape[-2:] == (9, 9)


LITTER = ["._1.png", ".DS_Store", "Thumbs.db", "thumbs.db", "desktop.ini", "ehthumbs.db", "Icon\r"]


@pytest.mark.parametrize("name", LITTER)
def test_what_systems_leave_is_passed_over(name: str, tmp_path: Path) -> None:
    folder = cats_and_dogs(tmp_path)
    for place in (folder, folder / "cat"):
        (place / name).write_bytes(b"\0\5\x16\7 no image")
    for place in (folder / "__MACOSX" / "cat", folder / ".ipynb_checkpoints", folder / "dog" / "@eaDir"):
        save(place / "._1.png")
    classes = image_folder(folder)  # a warning would be an error here
    assert classes.names == ("cat", "dog")
    assert classes.counts.tolist() == [2, 3]


@pytest.mark.parametrize("name", ["cat/3.heic", "cat/3.avif", "cat/notes.txt", "dog/3", "readme.md", "3.png"])
def test_a_file_that_is_not_read_is_named(name: str, tmp_path: Path) -> None:
    folder = cats_and_dogs(tmp_path)
    (folder / name).write_bytes(b"something")
    with pytest.warns(UserWarning, match=rf"not read in .*: {name}; images lie in .* end in .png, .jpg") as caught:
        assert image_folder(folder).counts.tolist() == [2, 3]
    assert [warning.filename for warning in caught] == [__file__]


def test_many_files_that_are_not_read_are_named_in_one_line(tmp_path: Path) -> None:
    folder = cats_and_dogs(tmp_path)
    for number in range(100):
        (folder / "cat" / f"{number:03d}.heic").touch()
    with pytest.warns(UserWarning, match=r": cat/000.heic, .* cat/004.heic, and 95 more; images lie") as caught:
        image_folder(folder)
    assert len(caught) == 1


def test_a_folder_of_sets_is_refused_with_advice(tmp_path: Path) -> None:
    for split in ("train", "test"):
        cats_and_dogs(tmp_path / split)
    with pytest.raises(ValueError, match=r"test has sub-folders \(cat, dog\).*with image_folder\('.*/test'\)"):
        image_folder(tmp_path)
    for split in ("train", "test"):
        save(tmp_path / split / "0.png")  # images beside the classes do not make a class of it
    with pytest.raises(ValueError, match=r"test has sub-folders \(cat, dog\)"):
        image_folder(tmp_path)


@pytest.mark.parametrize("names", [("train", "test"), ("Train", "Val", "Test"), ("training", "validation")])
def test_parts_of_a_data_set_are_no_classes(names: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        save(tmp_path / name / "1.png")
    with pytest.raises(ValueError, match=r"has the sub-folders .*, which are no classes; sort images by class"):
        image_folder(tmp_path)
    save(tmp_path / "bus" / "1.png")
    assert image_folder(tmp_path).names == tuple(sorted((*names, "bus")))  # a train may be one of several vehicles


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    cats_and_dogs(tmp_path / "pets")
    assert image_folder("~/pets").names == ("cat", "dog")


def test_masks_of_0_and_1_are_not_read_as_black(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / name / "1.png", 1)
    with pytest.raises(ValueError, match="only 0 and 1, and white is 255"):
        image_folder(tmp_path)
