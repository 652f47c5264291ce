"""Whose fault it is: a fault of the check raises and says so, a fault of the answer is put into words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from exercise_helpers import NAMES, exercise
from torch import Tensor, nn

from fslbook.exercises.engine.case import Case, Mistake
from fslbook.exercises.engine.exercise import Exercise
from fslbook.exercises.engine.inputs import gradients


def draw(generator: torch.Generator) -> tuple[Tensor]:
    return (torch.rand(3, generator=generator),)


def broken(*arguments: Any) -> Any:
    raise KeyError("our own fault")


def judge(answer: Any, x: Tensor) -> str | None:
    return None if answer.tolist() == (2 * x).tolist() else "it is not twice as much"


def slope(answer: Tensor, x: Tensor) -> dict[str, Tensor]:
    return {"slope": gradients(answer.sum(), [x])[0]}


def twice(**changes: Any) -> Exercise:
    """An exercise whose only property has some part exchanged."""
    parts = {name: changes.pop(name, None) for name in ("judge", "probe", "again")}
    case = Case(changes.pop("draw", draw), **parts)
    return replace(Exercise("twice", lambda x: 2 * x, {"three numbers": case}), **changes)


FAULTS_OF_OURS = {
    "draw": (twice(draw=broken), lambda x: 2 * x),
    "oracle": (twice(oracle=broken), lambda x: 2 * x),
    "judge": (twice(judge=broken), lambda x: 2 * x),
    "judge, at a wrong answer alone": (twice(judge=lambda a, x: a[5]), lambda x: x),
    "judge, at an answer of another form alone": (twice(judge=judge), lambda x: 2),
    "the second of two answers": (twice(judge=judge, again=broken), lambda x: 2 * x),
    "judge without an oracle": (twice(judge=judge, oracle=broken), lambda x: "two"),
    "probe": (twice(probe=broken), lambda x: 2 * x),
    "words": (twice(mistakes=[Mistake(lambda x: x, broken)]), lambda x: x),
    "an expected answer that is not a number": (twice(oracle=lambda x: x / 0 * 0), lambda x: x),
}


@pytest.mark.parametrize("place", FAULTS_OF_OURS)
def test_a_fault_of_the_check_raises_and_takes_the_blame(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    check, function = FAULTS_OF_OURS[place]
    with pytest.raises(RuntimeError, match="This is a fault of the check and says nothing about your function") as e:
        check(function)
    assert "check.twice itself failed on “three numbers” with" in str(e.value)
    assert e.value.__cause__ is not None
    assert capsys.readouterr().out == ""


def freed(x: Tensor) -> Tensor:
    """An answer whose history is used up."""
    answer = 2 * x * x
    answer.sum().backward()
    return answer


class Odd(list):  # type: ignore[type-arg]
    """A list that cannot be read."""

    def __iter__(self) -> Any:
        raise LookupError("do not read me")


def module_with_history(x: Tensor) -> nn.Module:
    module = nn.Linear(1, 1)
    module.register_buffer("history", x * torch.ones(3, requires_grad=True))
    return module


FAULTS_OF_THEIRS: dict[str, tuple[Exercise, Callable[..., Any], str]] = {
    "raises": (twice(), broken, "KeyError in line"),
    "on meta, before a judge": (twice(judge=judge), lambda x: x.to("meta"), "a Tensor, is not what the task asks for"),
    "judged, and wrong": (twice(judge=judge), lambda x: x, "it is not twice as much"),
    "cannot be probed": (twice(probe=slope), lambda x: [2 * x], "a list, is not what the task asks for"),
    "history used up": (twice(probe=slope), freed, "a Tensor, is not what the task asks for: Trying to backward"),
    "cannot be read": (twice(), lambda x: Odd([1]), "an Odd, cannot be read: do not read me"),
    "a module with a history": (twice(), module_with_history, "a Linear, cannot be read: Only Tensors created"),
    "a type of its own": (twice(), lambda x: nn.Identity, "it returned a type, wanted is a tensor"),
}


@pytest.mark.parametrize("place", FAULTS_OF_THEIRS)
def test_a_fault_of_the_answer_is_put_into_words(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    check, function, words = FAULTS_OF_THEIRS[place]
    assert not check(function)
    assert words in capsys.readouterr().out


def other(first: Tensor, second: Tensor, x: Tensor) -> str | None:
    return "twice the same" if first.equal(second) else None


def test_a_function_is_called_twice_where_chance_must_decide(capsys: pytest.CaptureFixture[str]) -> None:
    check = twice(judge=lambda answer, x: None, again=other)
    assert check(lambda x: x + torch.rand(3))
    assert not check(lambda x: x + torch.rand(3, generator=torch.Generator().manual_seed(0)))
    assert "three numbers: twice the same" in capsys.readouterr().out


def test_a_wrong_version_that_does_not_run_on_these_inputs_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    known = [Mistake(broken, "never"), Mistake(lambda x: x, "this is once")]
    assert not twice(mistakes=known)(lambda x: x)
    assert "three numbers: this is once" in capsys.readouterr().out


NOT_ASKED_OF_ORACLES = ("no gradient flows back", "as for “passes the gradient on”", "you built the Hessian")


@pytest.mark.parametrize("name", NAMES)
def test_the_oracle_passes_its_own_check(name: str) -> None:
    """Also where a judge decides: the judge must not raise on what is right."""
    report = exercise(name)(exercise(name).oracle)
    failed = [line for line in report.lines[1:] if "✗" in line]
    assert [line for line in failed if not any(words in line for words in NOT_ASKED_OF_ORACLES)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_wrong_version_runs_on_some_inputs(name: str) -> None:
    for mistake in exercise(name).mistakes:
        assert any(_runs(case, mistake.wrong) for case in exercise(name).cases.values()), mistake.says


def _runs(case: Case, function: Callable[..., Any]) -> bool:
    try:
        case.answer(function, case.draw(torch.Generator()))
    except Exception:
        return False
    return True


MODES = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "another default device": lambda: torch.device("meta"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["adapted", "class_sums", "contrastive_gradient", "linear_cka", "maml_loss", "pairs"])
def test_what_the_cell_has_switched_condemns_nobody(name: str, mode: str) -> None:
    with MODES[mode]():
        report = exercise(name)(exercise(name).oracle)
    assert report, report.lines
