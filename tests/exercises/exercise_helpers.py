"""What the tests of the exercises share: their notebooks, their names, and how a correct version is tried."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from fslbook.exercises import check
from fslbook.exercises.engine.exercise import Exercise

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import exercises as tool  # noqa: E402

Version = Callable[..., Any]

NAMES: list[str] = check.__all__
SOLUTIONS = sorted(tool.SOLUTIONS.glob("*.ipynb"))


def exercise(name: str) -> Exercise:
    """`check.<name>`."""
    return getattr(check, name)


def by_name(versions: Mapping[str, Sequence[Version]]) -> pytest.MarkDecorator:
    """Run a test on each (exercise's name, version), the versions counted from 1."""
    cases = [
        pytest.param(name, version, id=f"{name}-{n}")
        for name, all_ in versions.items()
        for n, version in enumerate(all_, 1)
    ]
    return pytest.mark.parametrize(("name", "version"), cases)


def assert_accepted(name: str, version: Version) -> None:
    """The check of this name accepts the version."""
    report = exercise(name)(version)
    assert report, "\n".join(report.lines)


def by_name_and_words(wrong: Mapping[str, Sequence[tuple[str, Version]]]) -> pytest.MarkDecorator:
    """Run a test on each (exercise's name, words, wrong version), the versions counted from 1."""
    cases = [
        pytest.param(name, words, version, id=f"{name}-{n}")
        for name, all_ in wrong.items()
        for n, (words, version) in enumerate(all_, 1)
    ]
    return pytest.mark.parametrize(("name", "words", "version"), cases)


def said_of(name: str, version: Version) -> list[str]:
    """What the check of this name says of a version that it rejects."""
    report = exercise(name)(version)
    assert not report, report.lines
    said = [line.strip().removeprefix("✗ ").partition(": ")[2] for line in report.lines[1:] if "✗" in line]
    assert said
    return said


def assert_rejected(name: str, words: str, version: Version) -> None:
    """The check of this name rejects the version with these words, which fit the slip; "" where it has none."""
    said = said_of(name, version)
    assert any(words in one for one in said), said
    assert not words or not all(GENERIC.fullmatch(one) for one in said), said


GENERIC = re.compile(
    r"(part \d+: |[\w .′-]+: )*((the shape is right, but )?\d+ of \d+ values are wrong|the number is wrong)|as for .*"
)
"""All that is said where a slip is not recognised."""


def table_in(file: Path, name: str) -> dict[str, Any]:
    """`VERSIONS` or `WRONG` of a test file; empty if there is none."""
    if f"{name} = {{" not in file.read_text(encoding="utf-8"):
        return {}
    found: dict[str, Any] = runpy.run_path(str(file))[name]
    return found


def cells(file: Path, kind: str) -> list[NotebookNode]:
    """The cells of one kind, "code" or "markdown"."""
    return [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == kind]


@cache
def solved(file: Path) -> dict[str, Version]:
    """Exercise name -> the solution's function, from the notebook itself; only imports and solutions are run."""
    code = cells(file, "code")
    space: dict[str, Any] = {}
    for cell in [code[0], *(cell for cell in code if tool.is_solution(cell))]:
        exec(cell.source, space)
    calls = [re.search(r"check\.(\w+)\((\w+)", cell.source) for cell in code]
    return {call[1]: space[call[2]] for call in calls if call}
