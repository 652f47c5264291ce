"""A new chapter costs five files; the rest is found or generated."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import toy_chapter
from exercise_helpers import ROOT

STEM = toy_chapter.STEM
WRITTEN = {
    f"book/{STEM}.ipynb",
    f"book/solutions/{STEM}.ipynb",
    "fslbook/exercises/toy.py",
    "tests/exercises/test_toy.py",
    "_toc.yml",
}
GENERATED = {f"book/exercises/{STEM}.ipynb", "README.md", "book/package.md", "tests/seconds.json"}


def run(folder: Path, *command: str) -> str:
    """What a command prints, with the package of `folder`; its failure is the test's."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def python(folder: Path, *arguments: str) -> str:
    return run(folder, sys.executable, *arguments)


def changed(folder: Path) -> set[str]:
    """The files that git lists as new or changed."""
    return {line[3:] for line in run(folder, "git", "status", "--porcelain", "--untracked-files=all").splitlines()}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout as it is now, without weights, as a repository of its own."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("counting needs git and a checkout")
    folder = tmp_path_factory.mktemp("book")
    for name in run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file() and not name.endswith(".safetensors"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "-A")
    run(folder, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "The book")
    return folder


@pytest.fixture(scope="module")
def with_a_chapter(book: Path) -> Path:
    """The copy with a new chapter, and with what `make run` makes of it."""
    toy_chapter.write(book)
    assert changed(book) == WRITTEN
    for tool in ("exercises", "reference", "readme"):
        python(book, f"tools/{tool}.py")
    python(book, "tools/notebooks.py", "run", *(name for name in sorted(WRITTEN | GENERATED) if ".ipynb" in name))
    return book


@pytest.mark.slow
def test_a_new_chapter_costs_five_files_and_everything_else_is_generated(with_a_chapter: Path) -> None:
    assert len(WRITTEN) == 5
    assert changed(with_a_chapter) == WRITTEN | GENERATED


@pytest.mark.slow
def test_its_checks_are_there(with_a_chapter: Path) -> None:
    for folder, words in (("solutions", "all 2 properties hold"), ("exercises", "not attempted yet")):
        text = (with_a_chapter / f"book/{folder}/{STEM}.ipynb").read_text(encoding="utf-8")
        assert [name for name in toy_chapter.TASKS if f" {name}: {words}" not in text] == []


@pytest.mark.slow
def test_the_guards_pass(with_a_chapter: Path) -> None:
    assert "notebooks are sound" in python(with_a_chapter, "tools/notebooks.py", "check")
    assert "in step" in python(with_a_chapter, "tools/exercises.py", "check")


@pytest.mark.slow
def test_its_tests_are_collected_and_pass(with_a_chapter: Path) -> None:
    """Its own, and those that every exercise, solution and page must pass."""
    named = "toy or every_check or table or linked or page_is_what"
    rooms = [f"tests/exercises/test_{part}.py" for part in ("toy", "solutions", "wrong_versions")]
    pages = ["tests/book/test_readme.py", "tests/house/test_reference.py"]
    printed = python(with_a_chapter, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "-k", named, *rooms, *pages)
    for name in toy_chapter.TASKS:
        assert f"PASSED {rooms[0]}::test_another_correct_version_is_accepted[{name}-1]" in printed
        assert f"PASSED {rooms[2]}::test_wrong_versions_are_rejected_by_name[{name}]" in printed
    assert f"PASSED {rooms[1]}::test_no_solution_is_left_in_the_exercise_notebook[{STEM}]" in printed
    assert f"PASSED {pages[1]}::test_the_page_is_what_the_package_gives" in printed
