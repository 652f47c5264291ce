"""What a run says about the machine and the code that it was made with."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fslbook.paper import machine

CPU = torch.device("cpu")
ASKING = """
import json, torch
from fslbook.paper.machine import peak_memory_mib
def peak(): return peak_memory_mib(torch.device("cpu"))
before = peak()
held = b"x" * (300 * 2**20)
grown = peak()
del held
print(json.dumps([before, grown, peak()]))
"""


def peaks_of_a_process() -> list[float]:
    done = subprocess.run([sys.executable, "-c", ASKING], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.slow
def test_peak_memory_is_the_most_that_was_held_even_when_it_is_gone() -> None:
    before, grown, after = peaks_of_a_process()
    assert grown - before == pytest.approx(300, abs=30)
    assert after == pytest.approx(grown, abs=5)  # the kernel counts in batches of pages


@pytest.mark.slow
def test_peak_memory_is_that_of_the_process_itself_not_of_the_one_that_started_it() -> None:
    held = b"x" * (2000 * 2**20)
    assert peaks_of_a_process()[0] < 1000 < len(held) / 2**20


def test_where_the_system_says_nothing_of_memory_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    without, real = {"resource"}, builtins.__import__

    def no_resource(name: str, *rest: object) -> object:
        if name in without:
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(Path, "exists", lambda self: False)
    by_another_way = machine.peak_memory_mib(CPU)
    assert by_another_way is not None and by_another_way > 50
    monkeypatch.setattr(builtins, "__import__", no_resource)
    assert machine.peak_memory_mib(CPU) is None


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@x"]
    return subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of the package, as `machine` sees it."""
    file = tmp_path / "project" / "fslbook" / "paper" / "machine.py"
    file.parent.mkdir(parents=True)
    file.write_text("as committed")
    monkeypatch.setattr(machine, "CHECKOUT", tmp_path / "project")
    monkeypatch.setattr(machine, "__file__", str(file))
    return tmp_path / "project"


def committed(folder: Path) -> str:
    """Put everything in `folder` under git; the short name of the commit."""
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "--allow-empty", "-m", "first")
    return git(folder, "rev-parse", "--short=12", "HEAD").strip()


def test_the_commit_is_marked_where_the_code_was_changed(project: Path) -> None:
    assert machine.commit() == "unknown"
    head = committed(project)
    assert machine.commit() == head
    Path(machine.__file__).write_text("changed")
    assert machine.commit() == f"{head}-dirty"


def test_the_commit_of_a_project_around_the_package_is_not_its_own(project: Path) -> None:
    committed(project.parent)  # which tracks the package too
    assert machine.commit() == "unknown"


def test_the_commit_of_a_project_that_ignores_the_package_is_not_its_own(project: Path) -> None:
    (project / ".gitignore").write_text("fslbook\n")
    committed(project)
    assert machine.commit() == "unknown"


def test_git_is_asked_of_this_folder_whatever_the_environment_says(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = committed(project)
    (tmp_path / "other").mkdir()
    assert committed(tmp_path / "other") != head
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    assert machine.commit() == head


def test_without_git_the_commit_is_unknown(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed(project)
    monkeypatch.setenv("PATH", str(project))
    assert machine.commit() == "unknown"


def test_an_installed_package_says_its_version(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed(project)
    monkeypatch.setattr(machine, "INSTALLED", True)
    monkeypatch.setattr(machine, "version", lambda name: {"fslbook": "1.2.3"}[name])
    assert machine.commit() == "version 1.2.3, installed"
