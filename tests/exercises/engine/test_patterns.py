"""What wrong numbers have to do with the right ones, and what is forbidden on the way."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fslbook.exercises.engine.case import Case, Mistake
from fslbook.exercises.engine.exercise import Exercise
from fslbook.exercises.engine.patterns import pattern
from fslbook.exercises.engine.watching import Work

RIGHT = torch.tensor([[0.2, 0.5, 1.7], [2.5, 0.1, 0.9], [1.3, 3.0, 0.4]])
WRONG = {
    "the sign is turned round": -RIGHT,
    "all of yours are 0": 0 * RIGHT,
    "yours is twice what it must be": 2 * RIGHT,
    "yours is the square root of what it must be": RIGHT.sqrt(),
    "yours are 7 times what they must be": 7 * RIGHT,
    "yours are too small by 1, all alike": RIGHT - 1,
    "yours are all the same number": RIGHT.mean().expand(3, 3),
    "they are the right numbers in another order": RIGHT.flip(0),
    "there is one softmax too many": RIGHT.softmax(dim=1),
    "in each row yours are off by one amount": RIGHT - RIGHT.mean(dim=1, keepdim=True),
    "wrong is row 1 (counted from 0) alone": RIGHT * torch.tensor([[1.0], [4.0], [1.0]]),
}


@pytest.mark.parametrize("words", WRONG)
def test_how_wrong_numbers_hang_together_with_the_right_ones(words: str) -> None:
    assert pattern(WRONG[words], RIGHT) == words


def test_of_what_has_no_pattern_nothing_is_said() -> None:
    assert pattern(RIGHT * RIGHT.T + 0.3, RIGHT) is None
    assert pattern(RIGHT / 0, RIGHT) is None
    assert pattern(torch.tensor(1.0001), torch.tensor(1.0), 1e-5) is None  # near 1 a square tells nothing


def draw(count: int) -> Case:
    return Case(lambda generator: (torch.rand(count, generator=generator) + 1,))


def test_a_slip_that_another_property_contradicts_is_not_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Of one number the sum, the largest and the median are one; what is said of it must hold of the others."""
    sums = [Mistake(lambda x: 3 * x.sum(), "three sums"), Mistake(lambda x: 3 * x.max(), "three times the largest")]
    mean = Exercise("mean", lambda x: x.mean(), {"one": draw(1), "four": draw(4)}, sums)
    assert not mean(lambda x: 3 * x.max())
    printed = capsys.readouterr().out
    assert "three sums" not in printed
    assert "one: three times the largest" in printed
    assert not mean(lambda x: 3 * x.median())
    printed = capsys.readouterr().out
    assert "three sums" not in printed
    assert "the largest" not in printed


def by_parts(work: Work, x: Tensor) -> str | None:
    return "you built the square" if work.largest >= len(x) ** 2 else None


def test_a_forbidden_way_is_noticed_though_the_numbers_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    case = Case(lambda generator: (torch.rand(5, generator=generator),), watch=by_parts)
    square = Exercise("square", lambda x: x.sum().square(), {"five numbers": case})
    assert square(lambda x: x.sum() ** 2)
    assert not square(lambda x: (x[:, None] * x).sum())
    assert "five numbers: you built the square" in capsys.readouterr().out
