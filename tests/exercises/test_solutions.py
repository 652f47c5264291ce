"""Every exercise has a solution that its check accepts, and an exercise notebook that does not give it away."""

from __future__ import annotations

import re
import time
from functools import partial
from pathlib import Path

import pytest
from exercise_helpers import NAMES, SOLUTIONS, Version, assert_accepted, cells, solved, table_in, tool

HERE = Path(__file__).parent
TIERS = re.compile(r"\*(Warm-up|Build|Investigate), \d+ minutes\.\*")
by_file = partial(pytest.mark.parametrize("file", SOLUTIONS, ids=lambda file: file.stem))


@pytest.fixture(scope="module")
def solutions() -> dict[str, Version]:
    return {name: function for file in SOLUTIONS for name, function in solved(file).items()}


def test_every_check_has_its_place_in_one_solution_notebook() -> None:
    placed = [name for file in SOLUTIONS for name in solved(file)]
    assert sorted(placed) == sorted(NAMES)


def test_every_check_meets_two_other_correct_versions_in_one_test_file() -> None:
    tables = [table_in(file, "VERSIONS") for file in HERE.glob("test_*.py")]
    assert sorted(name for table in tables for name in table) == sorted(NAMES)
    assert all(len(versions) >= 2 for table in tables for versions in table.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_is_accepted_within_two_seconds_of_work(name: str, solutions: dict[str, Version]) -> None:
    """Of processor time; the slowest takes a tenth of a second."""
    assert_accepted(name, solutions[name])  # what is imported on the way does not count
    start = time.process_time()
    assert_accepted(name, solutions[name])
    assert time.process_time() - start < 2


@by_file()
def test_the_exercise_notebook_is_in_step_with_its_solution(file: Path) -> None:
    assert tool.in_step(file)


@by_file()
def test_every_exercise_has_a_tier_a_time_and_a_hint(file: Path) -> None:
    tasks = [cell.source for cell in cells(file, "markdown") if cell.source.startswith("## ")]
    assert len(tasks) == len(solved(file))
    assert 4 <= len(tasks) <= 8
    for task in tasks:
        assert TIERS.search(task), task
        assert "<details><summary>Hint</summary>" in task, task
    assert {match[1] for task in tasks for match in TIERS.finditer(task)} == {"Warm-up", "Build", "Investigate"}


@by_file()
def test_no_solution_is_left_in_the_exercise_notebook(file: Path) -> None:
    code = [cell.source for cell in cells(tool.EXERCISES / file.name, "code")]
    bodies = [cell.source for cell in cells(file, "code") if tool.is_solution(cell)]
    assert sum(source.count(tool.YOUR_TURN) for source in code) >= len(bodies)
    assert not {*bodies} & {*code}
