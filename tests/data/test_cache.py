"""Packed data sets on disk: built once, checked at every reading, never half there."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import sys
import tempfile
import time
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import blobs

from fslbook import ImageClasses
from fslbook.data.cache import cached, data_root, digest


class Builder:
    """Builds a small data set and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> ImageClasses:
        self.calls += 1
        return blobs(3, 4, size=4)


def assert_whole(classes: ImageClasses) -> None:
    expected = blobs(3, 4, size=4)
    assert torch.equal(classes.images, expected.images)
    assert torch.equal(classes.counts, expected.counts)
    assert classes.names == expected.names


def test_built_once_then_read(tmp_path: Path) -> None:
    builder = Builder()
    for _ in range(3):
        assert_whole(cached("letters", builder, tmp_path / "new" / "folder"))
    assert builder.calls == 1
    assert {file.name for file in (tmp_path / "new" / "folder").iterdir()} <= {"letters.npz", "letters.lock"}


def test_each_name_has_a_file_of_its_own(tmp_path: Path) -> None:
    cached("letters", Builder(), tmp_path)
    other = Builder()
    cached("digits", other, tmp_path)
    assert other.calls == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_rebuilt(share: float, tmp_path: Path) -> None:
    builder, path = Builder(), tmp_path / "letters.npz"
    cached("letters", builder, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert_whole(cached("letters", builder, tmp_path))
    assert builder.calls == 2
    assert_whole(cached("letters", builder, tmp_path))
    assert builder.calls == 2  # the repaired file is whole again


def test_no_flipped_byte_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte of the file once: what comes back is always the whole data set, read or built anew."""
    builder, path = Builder(), tmp_path / "letters.npz"
    cached("letters", builder, tmp_path)
    whole = path.read_bytes()
    pixels = whole.index(blobs(3, 4, size=4).images.numpy().tobytes())
    read_only(tmp_path, monkeypatch)  # so that the damaged file stays, and no time is lost with repairs
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= (0xFF, 0x01)[position % 2]
        path.write_bytes(damaged)
        calls = builder.calls
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "cannot write to")
            assert_whole(cached("letters", builder, tmp_path))
        if pixels <= position < pixels + 3 * 4 * 16:
            assert builder.calls == calls + 1


def save_packed(path: Path, **change: object) -> None:
    classes = blobs(3, 4, size=4)
    images = classes.images.numpy()
    parts = {"images": images, "counts": classes.counts, "names": np.array(classes.names), "digest": digest(images)}
    np.savez(path, **{**parts, **change})


def test_a_readable_file_with_other_pixels_is_rebuilt(tmp_path: Path) -> None:
    pixels = blobs(3, 4, size=4).images.numpy().copy()
    pixels[5, 0, 2, 2] ^= 1
    save_packed(tmp_path / "letters.npz", images=pixels)
    builder = Builder()
    assert_whole(cached("letters", builder, tmp_path))
    assert builder.calls == 1


@pytest.mark.parametrize(
    "change",
    [
        {"counts": np.array([4, 4, 5])},
        {"names": np.array(["a", "b"])},
        {"names": np.array([{"an": "object"}, "b", "c"], dtype=object)},
    ],
)
def test_a_file_whose_parts_do_not_fit_is_rebuilt(change: dict[str, object], tmp_path: Path) -> None:
    save_packed(tmp_path / "letters.npz", **change)
    assert_whole(cached("letters", Builder(), tmp_path))


def test_a_file_of_something_else_is_rebuilt(tmp_path: Path) -> None:
    np.savez(tmp_path / "letters.npz", something=np.zeros(3))
    assert_whole(cached("letters", Builder(), tmp_path))
    (tmp_path / "letters.npz").write_bytes(b"no archive at all")
    assert_whole(cached("letters", Builder(), tmp_path))


def test_a_build_that_fails_leaves_no_data_set(tmp_path: Path) -> None:
    def fail() -> ImageClasses:
        raise RuntimeError("out of ink")

    with pytest.raises(RuntimeError, match="out of ink"):
        cached("letters", fail, tmp_path)
    assert not [*tmp_path.glob("*.npz"), *tmp_path.glob("*.tmp")]
    assert_whole(cached("letters", Builder(), tmp_path))


def test_a_write_that_breaks_off_leaves_no_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half_a_write(file: object, **arrays: object) -> None:
        file.write(b"PK half a file")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(np, "savez", half_a_write)
        cached("letters", Builder(), tmp_path)
    assert not [*tmp_path.glob("*.npz"), *tmp_path.glob("*.tmp")]
    assert_whole(cached("letters", Builder(), tmp_path))


def pack(folder: Path, answer: Connection) -> None:
    """Build slowly, leave a mark for each build, and send what came back."""

    def build() -> ImageClasses:
        with (folder / "built").open("a") as marker:
            marker.write("x")
        time.sleep(0.7)
        return blobs(3, 4, size=4)

    classes = cached("letters", build, folder / "data")
    answer.send((classes.images.tolist(), classes.counts.tolist(), classes.names))


def start_packer(folder: Path) -> tuple[multiprocessing.Process, Connection]:
    fork = multiprocessing.get_context("fork")  # others would import torch anew, which takes seconds
    ours, theirs = fork.Pipe()
    process = fork.Process(target=pack, args=(folder, theirs))
    process.start()
    return process, ours


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_two_processes_at_once_build_once_after_a_third_was_killed(tmp_path: Path) -> None:
    """The killed one was in the middle of building; of the other two one builds, and both get all of it."""
    marker = tmp_path / "built"
    killed, _ = start_packer(tmp_path)
    while not marker.exists():
        assert killed.is_alive()
    killed.kill()
    killed.join(60)
    assert not [*tmp_path.glob("data/*.npz")]
    marker.unlink()
    packers = [start_packer(tmp_path) for _ in range(2)]
    expected = blobs(3, 4, size=4)
    for process, answers in packers:
        assert answers.poll(60)
        assert answers.recv() == (expected.images.tolist(), expected.counts.tolist(), expected.names)
        process.join(60)
        assert process.exitcode == 0
    assert marker.read_text() == "x"


def below_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "file").write_text("not a folder")
    return tmp_path / "file" / "data"


def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    return tmp_path


@pytest.mark.parametrize("folder", [below_a_file, read_only])
def test_a_read_only_folder_warns_and_works_in_memory(
    folder: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder, root = Builder(), folder(tmp_path, monkeypatch)
    for calls in (1, 2):
        with pytest.warns(UserWarning, match=r"cannot write to .*, so letters is packed anew .*FSLBOOK_DATA"):
            assert_whole(cached("letters", builder, root))
        assert builder.calls == calls
    assert not [*tmp_path.glob("**/*.npz")]


def test_a_packed_data_set_in_a_read_only_folder_is_simply_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = Builder()
    cached("letters", builder, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_whole(cached("letters", builder, read_only(tmp_path, monkeypatch)))
    assert builder.calls == 1


def test_digest_is_the_sha256_of_the_pixels_in_order() -> None:
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert digest(images) == hashlib.sha256(bytes(range(24))).hexdigest()
    assert digest(images[::-1]) == hashlib.sha256(bytes([*range(12, 24), *range(12)])).hexdigest()


def test_data_root_is_the_argument_then_the_environment_then_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSLBOOK_DATA", str(tmp_path / "environment"))
    assert data_root(tmp_path / "argument") == tmp_path / "argument"
    assert data_root(str(tmp_path / "argument")) == tmp_path / "argument"
    assert data_root() == tmp_path / "environment"
    monkeypatch.delenv("FSLBOOK_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_root() == tmp_path / ".cache" / "fslbook"
