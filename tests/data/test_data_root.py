"""Where data lies: the argument, $FSLBOOK_DATA, or the home folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fslbook import course_dataset, glyphs
from fslbook.data.cache import data_root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FSLBOOK_DATA", raising=False)
    return tmp_path


def test_data_root_is_the_argument_then_the_environment_then_the_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data_root() == data_root("") == home / ".cache" / "fslbook"
    monkeypatch.setenv("FSLBOOK_DATA", "")
    assert data_root() == home / ".cache" / "fslbook"
    monkeypatch.setenv("FSLBOOK_DATA", str(home / "environment"))
    assert data_root() == home / "environment"
    assert data_root(home / "argument") == data_root(str(home / "argument")) == home / "argument"


def test_a_tilde_is_the_home_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSLBOOK_DATA", "~/fsl")
    assert data_root() == data_root("~/fsl") == data_root(Path("~/fsl")) == home / "fsl"


@pytest.mark.parametrize("data", ["", "~/fsl", "~nobody-of-this-name/fsl"])
@pytest.mark.parametrize("read", [data_root, glyphs, course_dataset])
def test_no_home_folder_is_said_with_the_way_out(
    data: str, read: object, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSLBOOK_DATA", data)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does for a user without one
    with pytest.raises(FileNotFoundError, match=r"no home folder for ~.*FSLBOOK_DATA or root"):
        read()


def test_without_a_home_folder_a_full_name_is_enough(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setenv("FSLBOOK_DATA", str(tmp_path))
    assert data_root() == tmp_path
