"""The exercises: each check accepts what is right, names what is wrong, and survives whatever it is given."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import nbformat
import pytest
import torch
from alternatives import ALTERNATIVES

from fslbook.exercises import check
from fslbook.exercises.engine import calling

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import exercises as tool  # noqa: E402

NAMES = list(check.__all__)
SOLUTIONS = sorted((ROOT / "book" / "solutions").glob("*.ipynb"))
TIERS = re.compile(r"\*(Warm-up|Build|Investigate), \d+ minutes\.\*")


def _cells(file, kind):
    return [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == kind]


def _solved(file):
    """Exercise name -> the solution's function, from the notebook itself; nothing but imports and solutions is run."""
    code = _cells(file, "code")
    space: dict = {}
    for cell in [code[0], *(cell for cell in code if tool.is_solution(cell))]:
        exec(cell.source, space)
    calls = [re.search(r"check\.(\w+)\((\w+)", cell.source) for cell in code]
    return {call[1]: space[call[2]] for call in calls if call}


@pytest.fixture(scope="session")
def solutions():
    return {name: function for file in SOLUTIONS for name, function in _solved(file).items()}


@pytest.fixture
def short(monkeypatch):
    """Endless loops are given up soon."""
    monkeypatch.setattr(calling, "SECONDS", 0.1)


def test_every_check_has_its_place_in_one_solution_notebook():
    placed = [name for file in SOLUTIONS for name in _solved(file)]
    assert sorted(placed) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_is_accepted_within_two_seconds(name, solutions, capsys):
    start = time.perf_counter()
    report = getattr(check, name)(solutions[name])
    assert time.perf_counter() - start < 2
    assert report, capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_other_correct_versions_are_accepted(name, capsys):
    assert ALTERNATIVES[name]
    for version in ALTERNATIVES[name]:
        assert getattr(check, name)(version), capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_wrong_versions_are_rejected_by_name(name, capsys):
    exercise = getattr(check, name)
    assert len(exercise.mistakes) >= 3
    for mistake in exercise.mistakes:
        for _ in range(3):  # the inputs are fresh each time
            assert not exercise(mistake.wrong)
            printed = capsys.readouterr().out
            failed = [line for line in printed.splitlines() if line.startswith("  ✗")]
            assert failed
            if isinstance(mistake.says, str):
                assert mistake.says in printed


def _raises(*arguments):
    raise KeyError("no such thing")


def _ends_everything(*arguments):
    raise SystemExit


def _contains_itself(*arguments):
    endless: list = []
    endless.append(endless)
    return endless


BAD = {
    "raises": _raises,
    "exits": _ends_everything,
    "nothing": lambda *a: None,
    "object": lambda *a: object(),
    "text": lambda *a: "seven",
    "list of text": lambda *a: ["a", "b"],
    "empty": lambda *a: torch.empty(0),
    "odd shape": lambda *a: torch.zeros(2, 3, 1, 7),
    "not finite": lambda *a: torch.tensor(float("nan")),
    "half": lambda *a: torch.zeros(3, 4, dtype=torch.float16),
    "elsewhere": lambda *a: torch.zeros(3, 4, device="meta"),
    "complex": lambda *a: torch.zeros(3, 4, dtype=torch.complex64),
    "sparse": lambda *a: torch.zeros(3, 4).to_sparse(),
    "contains itself": _contains_itself,
    "a class": dict,
    "no arguments": lambda: 0,
    "not a function": 3,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", BAD)
def test_bad_functions_get_a_message_and_no_pass(name, kind, capsys):
    assert not getattr(check, name)(BAD[kind])
    printed = capsys.readouterr().out
    assert "✗" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("name", NAMES)
def test_an_endless_loop_is_given_up(name, short, capsys):
    def for_ever(*arguments):
        while True:
            try:
                time.sleep(0.001)
            except Exception:
                continue

    assert not getattr(check, name)(for_ever)
    assert "never ends" in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_not_attempted_is_said_kindly(name, capsys):
    def todo(*arguments):
        raise NotImplementedError

    assert not getattr(check, name)(todo)
    assert capsys.readouterr().out.startswith(f"○ {name}: not attempted yet")


def test_what_is_wrong_with_an_answer_is_said_in_words(capsys):
    right = ALTERNATIVES["prototypes"][0]

    def said(change):
        check.prototypes(lambda *a: change(right(*a)))
        return capsys.readouterr().out

    assert "its shape is [2, 6], wanted is [3, 6]" in said(lambda x: x[:2])
    assert "its shape is [6, 3], wanted is [3, 6]" in said(torch.Tensor.t)
    assert "its numbers are torch.int64, wanted are floating-point numbers" in said(torch.Tensor.long)
    assert "too coarse" in said(torch.Tensor.half)
    assert "it lies on meta, its inputs lie on cpu" in said(lambda x: x.to("meta"))
    assert "no gradient flows back" in said(torch.Tensor.detach)
    assert "not finite" in said(lambda x: x / 0)
    assert "it returned a list, wanted is a tensor of shape [3, 6]" in said(torch.Tensor.tolist)
    assert "18 of 18 values are wrong" in said(lambda x: x + 1)


def test_changed_inputs_are_noticed(capsys):
    check.prototypes(lambda x, y, n: ALTERNATIVES["prototypes"][0](x.mul_(2), y, n))
    assert "it changed its arguments" in capsys.readouterr().out


def test_an_error_names_the_line_of_the_learner(capsys):
    check.prototypes(_raises)
    line = _raises.__code__.co_firstlineno + 1
    assert f"KeyError in line {line} of your cell: 'no such thing'" in capsys.readouterr().out


def test_a_loop_is_really_stopped(short):
    counts = []

    def for_ever(*arguments):
        while True:
            counts.append(1)

    check.prototypes(for_ever)
    time.sleep(0.2)
    reached = len(counts)
    time.sleep(0.2)
    assert len(counts) == reached


def test_the_exercise_notebooks_are_in_step_with_their_solutions():
    assert [file.name for file in SOLUTIONS if not tool.in_step(file)] == []


def test_cells_for_the_solution_alone_go_as_a_whole():
    new = nbformat.v4
    alone = {"tags": ["solution-only", "nbval-check-output"]}
    cells = [
        new.new_markdown_cell("# 1 · Few shots: Solutions"),
        new.new_code_cell("print('the answer')", metadata=alone),
        new.new_markdown_cell("The answer is 3.", metadata=alone),
        new.new_code_cell("x = 1", metadata={"tags": ["nbval-check-output"]}),
    ]
    kept = tool.exercises_from(new.new_notebook(cells=cells), "01-few-shots.ipynb").cells
    assert [cell.source for cell in kept[:-1]] == ["# 1 · Few shots: Exercises", "x = 1"]


def test_an_answer_that_cannot_be_probed_gets_a_message(capsys):
    assert not check.inner_step(lambda *a: [torch.zeros(1)])
    assert "what came back, a list, is not what the task asks for" in capsys.readouterr().out


def test_gradients_left_in_a_network_are_no_change_but_new_weights_are(capsys):
    assert check.reptile_gradient(_trains_in_place(restores=True)), capsys.readouterr().out
    assert not check.reptile_gradient(_trains_in_place(restores=False))
    assert "it changed its arguments" in capsys.readouterr().out


def _trains_in_place(restores):
    def version(network, x, y, inner_lr, steps, loss):
        loss(network(x[0]), y[0]).backward()
        answer = ALTERNATIVES["reptile_gradient"][0](network, x, y, inner_lr, steps, loss)
        loss(network(x[0]), y[0]).backward()
        if not restores:
            torch.optim.SGD(network.parameters(), lr=0.1).step()
        return answer

    return version


@pytest.mark.parametrize("file", SOLUTIONS, ids=lambda file: file.stem)
def test_every_exercise_has_a_tier_a_time_and_a_hint(file):
    tasks = [cell.source for cell in _cells(file, "markdown") if cell.source.startswith("## ")]
    assert len(tasks) == len(_solved(file))
    assert 4 <= len(tasks) <= 8
    for task in tasks:
        assert TIERS.search(task), task
        assert "<details><summary>Hint</summary>" in task, task
    assert {match[1] for task in tasks for match in [TIERS.search(task)]} == {"Warm-up", "Build", "Investigate"}


def test_no_solution_is_left_in_an_exercise_notebook():
    for file in SOLUTIONS:
        code = [c.source for c in _cells(tool.EXERCISES / file.name, "code")]
        bodies = [c.source for c in _cells(file, "code") if tool.is_solution(c)]
        assert sum(source.count(tool.YOUR_TURN) for source in code) >= len(bodies)
        assert not {*bodies} & {*code}
