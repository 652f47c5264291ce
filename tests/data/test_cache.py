"""Packed data sets on disk: built once, checked at every reading, never half there."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builder import Builder, assert_whole
from helpers import blobs

from fslbook.data import cache
from fslbook.data.cache import cached, digest, identity, pack_path


def test_built_once_then_read(tmp_path: Path) -> None:
    builder = Builder()
    for _ in range(3):
        assert_whole(cached("letters", builder, tmp_path / "new" / "folder"))
    assert builder.calls == 1
    assert {file.name for file in (tmp_path / "new" / "folder").iterdir()} <= {
        "letters-format2.pack",
        "letters-format2.lock",
    }


def test_each_name_has_a_file_of_its_own(tmp_path: Path) -> None:
    cached("letters", Builder(), tmp_path)
    other = Builder()
    cached("digits", other, tmp_path)
    assert other.calls == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_rebuilt(share: float, tmp_path: Path) -> None:
    builder, path = Builder(), pack_path("letters", tmp_path)
    cached("letters", builder, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert_whole(cached("letters", builder, tmp_path))
    assert builder.calls == 2
    assert_whole(cached("letters", builder, tmp_path))
    assert builder.calls == 2  # the repaired file is whole again


def test_no_flipped_bit_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bit of the file once: the damage is found before anything is unpacked."""
    path = pack_path("letters", tmp_path)
    cached("letters", Builder(), tmp_path)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    monkeypatch.setattr(np, "load", lambda *args, **kwargs: pytest.fail("damaged bytes were unpacked"))
    monkeypatch.setattr(Path, "read_bytes", lambda path: bytes(damaged))
    for bit in range(8 * len(whole)):
        damaged[bit // 8] ^= 1 << bit % 8
        assert cache._read(path, known=None) is None, f"bit {bit}"
        damaged[bit // 8] = whole[bit // 8]


@pytest.mark.parametrize("content", [b"", b"no data", b"fslbook data, format 2, sha256 0\n", bytes(1000)])
def test_a_file_of_something_else_is_rebuilt(content: bytes, tmp_path: Path) -> None:
    pack_path("letters", tmp_path).write_bytes(content)
    builder = Builder()
    assert_whole(cached("letters", builder, tmp_path))
    assert_whole(cached("letters", builder, tmp_path))
    assert builder.calls == 1


def test_a_file_of_another_format_is_neither_read_nor_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder, first = Builder(), pack_path("letters", tmp_path)
    cached("letters", builder, tmp_path)
    content = first.read_bytes()
    monkeypatch.setattr(cache, "FORMAT", 3)
    pack_path("letters", tmp_path).write_bytes(content)  # under the new name, with the first line of the old format
    assert_whole(cached("letters", builder, tmp_path))
    assert builder.calls == 2
    assert first.read_bytes() == content


@pytest.mark.parametrize("change", [{"images": 255 - blobs(3, 4, size=4).images}, {"names": ("c", "b", "a")}])
def test_a_file_that_agrees_with_itself_alone_is_rebuilt(change: dict[str, object], tmp_path: Path) -> None:
    right, builder = blobs(3, 4, size=4), Builder()
    cached("letters", lambda: replace(right, **change), tmp_path)
    for _ in range(2):
        assert_whole(cached("letters", builder, tmp_path, identity(right)))
    assert builder.calls == 1


def test_a_data_set_that_is_not_the_known_one_is_returned_but_not_kept(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"cannot keep .*letters.*: it has the identity .* not the true one"):
        assert_whole(cached("letters", Builder(), tmp_path, known="the true one"))
    assert not [*tmp_path.glob("*.pack")]


@pytest.mark.parametrize("fault", [TypeError, KeyError, RuntimeError, ValueError, OSError])
def test_a_fault_of_ours_is_not_hidden_as_damage(
    fault: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise fault("a fault of ours")

    cached("letters", Builder(), tmp_path)
    monkeypatch.setattr(cache, "ImageClasses", fail)
    with pytest.raises(fault, match="a fault of ours"):
        cached("letters", Builder(), tmp_path)


def test_a_file_with_objects_in_it_is_not_unpickled(tmp_path: Path) -> None:
    body = io.BytesIO()
    np.savez(body, images=np.array([{"an": "object"}], dtype=object), counts=np.ones(1), names=np.array(["a"]))
    pack_path("letters", tmp_path).write_bytes(cache._first_line(body.getvalue()) + body.getvalue())
    with pytest.raises(ValueError, match="allow_pickle=False"):
        cached("letters", Builder(), tmp_path)


def test_a_packed_data_set_needs_nothing_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = Builder()
    cached("letters", builder, tmp_path)
    monkeypatch.setattr(cache, "_turn", lambda path: pytest.fail("a lock was taken"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_whole(cached("letters", builder, tmp_path))
    assert builder.calls == 1


def test_digest_is_the_sha256_of_the_pixels_in_order() -> None:
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert digest(images) == hashlib.sha256(bytes(range(24))).hexdigest()
    assert digest(images[::-1]) == hashlib.sha256(bytes([*range(12, 24), *range(12)])).hexdigest()
