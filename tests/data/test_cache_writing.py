"""Packed data sets are written whole or not at all, by one process, and what cannot be written is not lost."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from builder import Builder, assert_whole
from filelock import FileLock
from helpers import blobs

from fslbook import ImageClasses
from fslbook.data import cache
from fslbook.data.cache import cached, pack_path


def left(folder: Path) -> list[str]:
    """What lies there beside the lock."""
    return sorted(file.name for file in folder.rglob("*") if file.is_file() and file.suffix != ".lock")


def test_a_build_that_fails_leaves_no_data_set(tmp_path: Path) -> None:
    def fail() -> ImageClasses:
        raise RuntimeError("out of ink")

    with pytest.raises(RuntimeError, match="out of ink"):
        cached("letters", fail, tmp_path)
    assert left(tmp_path) == []
    assert_whole(cached("letters", Builder(), tmp_path))


def below_a_file(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    (folder / "file").write_text("not a folder")
    return folder / "file" / "data"


def a_file(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    (folder / "file").write_text("not a folder")
    return folder / "file"


def read_only(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    patch.setattr(os, "open", refuse)  # the lock
    patch.setattr(Path, "write_bytes", refuse)
    return folder


def full_disk(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """The real thing: no file may become longer than 100 bytes."""
    patch.setattr(cache, "replaced", limited(cache.replaced))
    return folder


def limited(replaced: Callable) -> Callable:
    @contextmanager
    def write(path: Path):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        try:
            with replaced(path) as temporary:
                yield temporary
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return write


REASONS = {below_a_file: "is a file", a_file: "is a file", read_only: "Read-only", full_disk: "too large"}


@pytest.mark.parametrize(("place", "reason"), REASONS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_what_cannot_be_stored_is_returned_with_a_warning(
    place: Callable, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = Builder()
    with monkeypatch.context() as patch:
        root = place(tmp_path, patch)
        for calls in (1, 2):
            with pytest.warns(UserWarning, match=rf"cannot keep .*letters.*built anew .*: .*{reason}.*FSLBOOK_DATA"):
                assert_whole(cached("letters", builder, root))
            assert builder.calls == calls
    assert left(tmp_path) == (["file"] if "file" in place.__name__ else [])


@pytest.mark.parametrize("kind", ["a folder", "another's file"])
def test_a_lock_that_cannot_be_opened_costs_nothing(kind: str, tmp_path: Path) -> None:
    lock, builder = tmp_path / "letters-format2.lock", Builder()
    if kind == "a folder":  # which no user can open as a lock
        lock.mkdir()
    else:
        lock.touch(mode=0o444)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            assert_whole(cached("letters", builder, tmp_path))
    assert builder.calls == 1


def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "PATIENCE", 0.2)
    with FileLock(tmp_path / "letters-format2.lock"), pytest.warns(UserWarning, match="has not finished .* in 0.2 s"):
        assert_whole(cached("letters", Builder(), tmp_path))
    assert_whole(cached("letters", pytest.fail, tmp_path))


def test_half_files_of_a_killed_process_are_swept_at_the_next_writing(tmp_path: Path) -> None:
    path = pack_path("letters", tmp_path)
    for name in (f"{path.name}.0123abcd.tmp", f"{path.name}.4567cdef.tmp", "digits-format2.pack.0123abcd.tmp"):
        (tmp_path / name).write_bytes(b"half")
    cached("letters", Builder(), tmp_path)
    assert left(tmp_path) == ["digits-format2.pack.0123abcd.tmp", path.name]


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
    killed.join(600)
    assert not [*tmp_path.glob("data/*.pack")]
    marker.unlink()
    packers = [start_packer(tmp_path) for _ in range(2)]
    expected = blobs(3, 4, size=4)
    for process, answers in packers:
        assert answers.poll(600)
        assert answers.recv() == (expected.images.tolist(), expected.counts.tolist(), expected.names)
        process.join(600)
        assert process.exitcode == 0
    assert marker.read_text() == "x"
