"""How an exercise notebook is made from its solution: nothing that answers the question stays, the rest does."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from exercise_helpers import tool
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

FUNCTION = """
@torch.no_grad()
def mean(
    x: Tensor,
) -> Tensor:
    \"\"\"The mean of x [S].\"\"\"
    # the sum first
    return x.sum() / len(x)
"""
LEFT = """
@torch.no_grad()
def mean(
    x: Tensor,
) -> Tensor:
    \"\"\"The mean of x [S].\"\"\"
    raise NotImplementedError  # your turn"""


def solution(code: str = FUNCTION) -> NotebookNode:
    alone = {"tags": ["solution-only", "nbval-check-output"]}
    cells = [
        new_markdown_cell("# 1 · Few shots: Solutions"),
        new_code_cell("print('the answer')", metadata=alone),
        new_markdown_cell("The answer is 3.", metadata=alone),
        new_markdown_cell("Why it is 3.", metadata={"tags": ["solution"]}),
        new_code_cell("x = 1", metadata={"tags": ["nbval-check-output"]}, execution_count=1),
        new_code_cell(code, metadata={"tags": ["solution"]}),
    ]
    return new_notebook(cells=cells)


def test_cells_for_the_solution_alone_go_as_a_whole() -> None:
    kept = tool.exercises_from(solution(), "01-few-shots.ipynb").cells
    assert [cell.source for cell in kept[:3]] == ["# 1 · Few shots: Exercises", "x = 1", LEFT]
    assert "(../solutions/01-few-shots)" in kept[3].source
    assert [cell.metadata for cell in kept[1:3]] == [{"tags": ["nbval-check-output"]}, {}]
    assert kept[1].execution_count is None


def test_of_several_functions_each_keeps_its_head() -> None:
    two = "def f(x):\n    return x\n\n\ndef g(x):\n    if x:\n        return x\n    return 3"
    note = "    raise NotImplementedError  # your turn"
    assert tool.without_bodies(two) == f"def f(x):\n{note}\n\n\ndef g(x):\n{note}"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("mean = lambda x: x.sum() / len(x)", "functions only, not 'mean = lambda x"),
        ("class Mean:\n    def __call__(self, x):\n        return x.mean()", "functions only, not 'class Mean:'"),
        ("answer = 3\ndef f(x):\n    return answer", "functions only, not 'answer = 3'"),
        ("async def f(x):\n    return x", "functions only, not 'async def f"),
        ("def f(x): return x.mean()", "the function f needs a body on lines of its own"),
        ("def f(\n    x,\n): return x.mean()", "the function f needs a body on lines of its own"),
        ('def f(x):\n    "The mean of x, by x.mean()."', "the function f needs a body"),
    ],
)
def test_what_would_give_the_answer_away_is_refused(code: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tool.exercises_from(solution(code), "01-few-shots.ipynb")


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One solution, and no exercises yet."""
    monkeypatch.setattr(tool, "SOLUTIONS", tmp_path / "solutions")
    monkeypatch.setattr(tool, "EXERCISES", tmp_path / "exercises")
    tool.SOLUTIONS.mkdir()
    nbformat.write(solution(), tool.SOLUTIONS / "01.ipynb")
    return tmp_path


def test_what_is_written_is_in_step_until_the_solution_changes(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["check"]) == 1
    assert "out of step with their solutions: 01.ipynb" in capsys.readouterr().out
    assert tool.main([]) == tool.main(["check"]) == 0
    nbformat.write(solution(FUNCTION.replace("mean(", "average(")), tool.SOLUTIONS / "01.ipynb")
    assert tool.main(["check"]) == 1


def test_exercises_whose_solution_is_gone_are_noticed(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool.main([])
    (tool.EXERCISES / "01.ipynb").rename(tool.EXERCISES / "02.ipynb")
    assert tool.main(["check"]) == tool.main([]) == 1
    assert "without a solution: 02.ipynb" in capsys.readouterr().out
