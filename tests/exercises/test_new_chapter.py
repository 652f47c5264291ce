"""A new chapter costs five files; the rest is found or generated."""

from __future__ import annotations

from pathlib import Path

import pytest
import toy_chapter
from copies import changed, copy_of_the_checkout, python

STEM = toy_chapter.STEM
WRITTEN = {
    f"book/{STEM}.ipynb",
    f"book/solutions/{STEM}.ipynb",
    "fslbook/exercises/toy.py",
    "tests/exercises/test_toy.py",
    "_toc.yml",
}
GENERATED = {f"book/exercises/{STEM}.ipynb", "README.md", "book/package.md", "tests/seconds.json"}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout without weights."""
    return copy_of_the_checkout(tmp_path_factory.mktemp("book"), leave_out=".safetensors")


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
