"""Omniglot packed from archives: once, and never from damaged ones."""

from __future__ import annotations

import hashlib
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from stand_in import DRAWINGS, MODULE, PARTS, write_archive

from fslbook import omniglot
from fslbook.data.cache import cached, pack_path
from fslbook.data.omniglot import has_omniglot


def test_packed_once_then_the_archives_are_not_needed(root: Path) -> None:
    first = omniglot(root=root, download=False)
    shutil.rmtree(root / "omniglot-py")
    again = omniglot(root=root, download=False)
    assert torch.equal(again.novel.images, first.novel.images)


def test_a_damaged_pack_is_built_anew(root: Path, packed: Path) -> None:
    pack, whole = pack_path("omniglot-28", root), pack_path("omniglot-28", packed).read_bytes()
    for damaged in (whole[:-1000], whole[:9999] + b"!" + whole[10000:]):
        pack.write_bytes(damaged)
        again = omniglot(root=root, download=False)
        assert torch.equal(again.base.images, omniglot(root=packed, download=False).base.images)
        assert pack.read_bytes() == whole


@pytest.mark.parametrize("other", ["pixels", "names"])
def test_a_pack_that_agrees_with_itself_alone_is_built_anew(other: str, root: Path, packed: Path) -> None:
    """Its digest is right, but it is not Omniglot."""
    whole = pack_path("omniglot-28", packed).read_bytes()
    right = cached("omniglot-28", pytest.fail, packed)
    wrong = {"pixels": {"images": 255 - right.images}, "names": {"names": right.names[::-1]}}[other]
    cached("omniglot-28", lambda: replace(right, **wrong), root)
    assert pack_path("omniglot-28", root).read_bytes() != whole
    assert torch.equal(omniglot(root=root, download=False).base.images, omniglot(root=packed).base.images)
    assert pack_path("omniglot-28", root).read_bytes() == whole


def test_a_pack_of_an_older_format_is_left_alone(root: Path, packed: Path) -> None:
    (root / "omniglot-28.npz").write_bytes(b"of format 1")
    assert torch.equal(omniglot(root=root, download=False).base.images, omniglot(root=packed).base.images)
    assert (root / "omniglot-28.npz").read_bytes() == b"of format 1"


def test_another_outcome_of_shrinking_is_returned_but_not_kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "IDENTITY", f"{MODULE.IDENTITY.split()[0]} another")
    with pytest.warns(UserWarning, match=r"cannot keep .*omniglot-28.*identity .*another; another version of Pillow"):
        assert len(omniglot(root=root, download=False).base) == 1028
    assert not [*root.glob("*.pack")]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("part", PARTS)
def test_a_truncated_archive_is_refused(part: str, share: float, root: Path) -> None:
    archive = root / "omniglot-py" / f"{part}.zip"
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=rf"{part}.zip is damaged .*; delete it and run again"):
        omniglot(root=root, download=False)
    assert not [*root.glob("*.pack")]


@pytest.mark.parametrize("place", ["compressed data", "flags", "method"])
def test_a_flipped_byte_in_an_archive_is_refused(place: str, root: Path) -> None:
    archive = root / "omniglot-py" / "images_background.zip"
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as file:
        first, directory = file.infolist()[0], file.start_dir
    data = first.header_offset + 30 + len(first.filename)
    content[{"compressed data": data, "flags": directory + 8, "method": directory + 10}[place]] ^= 0x07
    archive.write_bytes(content)
    with pytest.raises(ValueError, match=r"images_background.zip is damaged .*; delete it and run again"):
        omniglot(root=root, download=False)
    assert not [*root.glob("*.pack")]


def one_pixel(drawings: dict[str, np.ndarray]) -> None:
    drawings[next(iter(drawings))][50, 50] ^= 255


def one_drawing_less(drawings: dict[str, np.ndarray]) -> None:
    del drawings[next(iter(drawings))]


def another_size(drawings: dict[str, np.ndarray]) -> None:
    drawings[next(iter(drawings))] = np.zeros((100, 105), dtype=np.uint8)


def no_drawings(drawings: dict[str, np.ndarray]) -> None:
    drawings.clear()


@pytest.mark.parametrize("change", [one_pixel, one_drawing_less, another_size, no_drawings])
def test_an_archive_of_other_drawings_is_refused(
    change: Callable[[dict[str, np.ndarray]], None], root: Path, drawn: DRAWINGS
) -> None:
    drawings = {name: pixels.copy() for name, pixels in drawn["images_evaluation"].items()}
    change(drawings)
    write_archive(root / "omniglot-py" / "images_evaluation.zip", drawings)
    number = len(drawings)
    with pytest.raises(ValueError, match=rf"the {number} images in .*images_evaluation.zip are not Omniglot's"):
        omniglot(root=root, download=False)
    assert not [*root.glob("*.pack")]


def test_an_archive_with_a_broken_picture_is_refused(root: Path) -> None:
    archive = root / "omniglot-py" / "images_evaluation.zip"
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("images_evaluation/Angelic/character01/0001_99.png", b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(ValueError, match=r"images_evaluation.zip is damaged"):
        omniglot(root=root, download=False)


def test_an_archive_with_renamed_folders_is_refused(root: Path, drawn: DRAWINGS) -> None:
    """Else an alphabet of the validation classes could become one of the base classes."""
    renamed = {name.replace("/Hebrew/", "/Hebrow/"): d for name, d in drawn["images_background"].items()}
    write_archive(root / "omniglot-py" / "images_background.zip", renamed)
    with pytest.raises(ValueError, match=r"the folders in .*background.zip and .* are not named as Omniglot's; delete"):
        omniglot(root=root, download=False)


def test_want_of_memory_is_not_taken_for_damage(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(content: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr(MODULE, "_drawings", greedy)
    with pytest.raises(MemoryError):
        omniglot(root=root, download=False)


def test_litter_in_an_archive_is_passed_over(root: Path) -> None:
    with zipfile.ZipFile(root / "omniglot-py" / "images_evaluation.zip", "a") as file:
        for name in ("__MACOSX/images_evaluation/._0001_01.png", "images_evaluation/.hidden.png"):
            file.writestr(name, b"no picture")
    assert len(omniglot(root=root, download=False).base) == 1028


def test_single_bits_in_an_archive_never_change_a_pixel(tmp_path: Path, drawn: DRAWINGS, trusted: None) -> None:
    """Every bit of a small archive: the right drawings come out, or an error that names the file."""
    few = dict(list(drawn["images_background"].items())[:2])
    path = tmp_path / "images_background.zip"
    write_archive(path, few)
    MODULE.DIGESTS["images_background"] = hashlib.sha256(b"".join(d.tobytes() for d in few.values())).hexdigest()
    whole, right, refused = path.read_bytes(), MODULE._pack(path.read_bytes(), path).content, 0
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            assert MODULE._pack(bytes(damaged), path).content == right
        except ValueError as error:
            assert re.search(r"images_background.zip (is damaged|are not Omniglot's)", str(error))
            refused += 1
    assert refused > 4 * len(whole)


def test_has_omniglot_with_both_archives_or_the_pack(tmp_path: Path, root: Path, packed: Path) -> None:
    assert not has_omniglot(tmp_path / "empty")
    assert has_omniglot(root)
    (root / "omniglot-py" / "images_background.zip").unlink()
    assert not has_omniglot(root)
    shutil.copy(pack_path("omniglot-28", packed), root)
    assert has_omniglot(root)
    assert not has_omniglot(root / "omniglot-py" / "images_evaluation.zip")  # a file where the folder should be


def test_a_fault_of_ours_is_no_damage(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "digest", lambda images: images.no_such_attribute)
    with pytest.raises(AttributeError):
        omniglot(root=root, download=False)
