"""What the tests of the exercises share: their notebooks, their names, and how a correct version is tried."""

from __future__ import annotations

import ast
import re
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


def versions_named_in(file: Path) -> list[str]:
    """The keys of `VERSIONS` in a test file, without running it."""
    nodes = [node for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.Assign)]
    (found,) = [node.value for node in nodes if ast.unparse(node.targets[0]) == "VERSIONS"]
    assert isinstance(found, ast.Dict)
    return [ast.literal_eval(key) for key in found.keys if key is not None]


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
