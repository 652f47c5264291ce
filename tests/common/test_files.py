"""Files are written in one move or not at all."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fslbook.common.files import alone, is_litter, replaced


def test_the_new_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.json"
    for text in ("old", "new"):
        with replaced(path) as temporary:
            temporary.write_text(text)
            assert not path.exists() or path.read_text() == "old"
    assert path.read_text() == "new"
    assert [*path.parent.iterdir()] == [path]


def test_a_failure_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")

    def fail() -> None:
        with replaced(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    """Not even two threads of one process; the last to finish wins."""
    path = tmp_path / "run.json"
    with replaced(path) as first:
        first.write_text("first")
        with replaced(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert [*tmp_path.iterdir()] == [path]


def test_half_files_are_swept_once_nobody_touches_them(tmp_path: Path) -> None:
    path, hour = tmp_path / "run[1].json", 3600
    old, new, others = (tmp_path / f"{name}.0123abcd.tmp" for name in ("run[1].json", "run[1].json.x", "run1.json"))
    for half, age in ((old, hour + 60), (new, hour - 60), (others, hour + 60)):
        half.write_text("half")
        os.utime(half, (time.time() - age,) * 2)
    with replaced(path) as temporary:
        temporary.write_text("new")
    assert {*tmp_path.iterdir()} == {path, new, others}


@pytest.mark.parametrize("use", [replaced, alone])
def test_a_file_where_the_folder_should_be_is_named(use: Callable, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for path in (tmp_path / "file" / "run.json", tmp_path / "file" / "deep" / "run.json"):
        with pytest.raises(NotADirectoryError, match=r"cannot be a folder, for .*file is a file"), use(path):
            pytest.fail("the block was entered")


def test_a_lock_that_cannot_be_opened_is_said_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "run.lock").mkdir()
    with pytest.raises(OSError, match=r"cannot lock .*run.lock .*choose another folder"), alone(tmp_path / "run"):
        pytest.fail("the block was entered")


def test_only_one_at_a_time_is_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entered: list[str] = []

    def second() -> None:
        with alone(tmp_path / "run"):
            entered.append("second")

    with alone(tmp_path / "run"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.5)
        entered.append("first")
    thread.join(30)
    assert entered == ["first", "second"]
    assert "another process works on" in capsys.readouterr().out


@pytest.mark.parametrize("name", [".DS_Store", "._1.png", "a/._1.png", "__MACOSX/a/1.png", "Thumbs.db", "Icon\r"])
def test_what_systems_leave_is_litter(name: str) -> None:
    assert is_litter(name)


@pytest.mark.parametrize("name", ["1.png", "a.b/1.png", "thumbs.png", "macosx/1.png", "a/1..png"])
def test_what_people_leave_is_not(name: str) -> None:
    assert not is_litter(name)
