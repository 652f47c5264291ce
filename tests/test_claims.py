"""claim: one printed line, or an error; the value behind it is this machine's and compared with no other's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nbval.plugin import get_sanitize_patterns

from fslbook import claim

Capture = pytest.CaptureFixture[str]
SANITISER = (Path(__file__).parent / "nbval.cfg").read_text(encoding="utf-8")

TRUTHS = {
    "bool": bool,
    "NumPy's bool": np.bool_,
    "tensor": torch.tensor,
    "tensor of one": lambda x: torch.tensor([[x]]),
    "array": np.array,
    "array of one": lambda x: np.array([x]),
}

NO_TRUTHS: list[tuple[Any, type[Exception], str]] = [
    ((False, "msg"), TypeError, r"True or False, got a tuple, \(False, 'msg'\)"),
    ([False], TypeError, "got a list"),
    ([], TypeError, "got a list"),
    ({"a": False}, TypeError, "got a dict"),
    (lambda: False, TypeError, "got a function"),
    ((x for x in [False]), TypeError, "got a generator"),
    ("False", TypeError, "got a str, 'False'"),
    ("", TypeError, "got a str"),
    (float("nan"), TypeError, "got a float, nan"),
    (1.0, TypeError, "got a float"),
    (1, TypeError, "got a int, 1; compare"),
    (0, TypeError, "got a int"),
    (None, TypeError, "got a NoneType"),
    (NotImplemented, TypeError, "got a NotImplementedType"),
    (np.float64(1), TypeError, "got a float64"),
    (np.int64(1), TypeError, "got a int64"),
    (np.float64("nan"), TypeError, "got a float64"),
    (torch.tensor(1), TypeError, "got a Tensor"),
    (torch.tensor([[1]]), TypeError, "got a Tensor"),
    (torch.tensor(float("nan")), TypeError, "got a Tensor"),
    (np.array(1), TypeError, "got a ndarray"),
    (np.array(["False"]), TypeError, "got a ndarray"),
    (np.array(False, dtype=object).reshape(1, 1)[:, :0], ValueError, r"got an array \[1, 0\]"),
    (torch.tensor([]), ValueError, r"one truth value, got a tensor \[0\]; use \.all\(\) or \.any\(\)"),
    (torch.tensor([True, True]), ValueError, r"got a tensor \[2\]"),
    (torch.ones(2, 3, dtype=torch.bool), ValueError, r"got a tensor \[2, 3\]"),
    (np.array([]), ValueError, r"got an array \[0\]"),
    (np.array([True, True]), ValueError, r"got an array \[2\]"),
]

SHOWN: list[tuple[Any, str]] = [
    (0.143, "0.143"),
    (0.142857142, "0.1429"),
    (-0.02, "-0.02"),
    (1e-7, "1e-07"),
    (12.3456, "12.35"),
    (3, "3"),
    (3.0, "3"),
    (0, "0"),
    (1234.56, "1235"),
    (12345.6, "12,346"),
    (412_165, "412,165"),
    (1e20, "1e+20"),
    (10**20, "100,000,000,000,000,000,000"),
    (1.5e-20, "1.5e-20"),
    (float("inf"), "inf"),
    (np.float32(0.5), "0.5"),
    (np.int64(7), "7"),
    (np.array([[0.25]]), "0.25"),
    (torch.tensor(0.25), "0.25"),
    (torch.tensor([3]), "3"),
    (torch.tensor(0.5, requires_grad=True), "0.5"),
    ("14.3 ± 1.2 points", "14.3 ± 1.2 points"),
]

NO_VALUES: list[tuple[Any, type[Exception], str]] = [
    (float("nan"), ValueError, "NaN, which is no number"),
    (torch.tensor(float("nan")), ValueError, "NaN"),
    (np.float32("nan"), ValueError, "NaN"),
    (True, TypeError, "a number or a text, got a bool"),
    (np.True_, TypeError, "got a bool"),
    (torch.tensor(True), TypeError, "got a Tensor"),
    (1 + 2j, TypeError, "got a complex"),
    ([0.1], TypeError, "got a list"),
    (lambda: 0.1, TypeError, "got a function"),
    (torch.ones(2), ValueError, r"one number, got a tensor \[2\]; use \.mean\(\)"),
    (np.ones(0), ValueError, r"got an array \[0\]"),
    ("", ValueError, "one line, got ''"),
    ("a\nb", ValueError, "one line"),
]


@pytest.mark.parametrize("kind", TRUTHS)
def test_a_claim_that_holds_prints_its_sentence(kind: str, capsys: Capture) -> None:
    claim("prototypes beat pixels", TRUTHS[kind](True))
    assert capsys.readouterr().out == "✓ prototypes beat pixels\n"


@pytest.mark.parametrize("kind", TRUTHS)
def test_a_claim_that_does_not_hold_raises_and_prints_nothing(kind: str, capsys: Capture) -> None:
    with pytest.raises(AssertionError, match=r"claim does not hold: pixels beat prototypes$"):
        claim("pixels beat prototypes", TRUTHS[kind](False))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("condition", "error", "words"), NO_TRUTHS)
def test_what_is_no_truth_value_is_refused(condition: Any, error: type[Exception], words: str, capsys: Capture) -> None:
    with pytest.raises(error, match=words):
        claim("ambiguous", condition)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("sentence", [True, None, 3, ["a"]])
def test_a_sentence_is_a_text(sentence: Any) -> None:
    with pytest.raises(TypeError, match="a claim needs a sentence first, got a"):
        claim(sentence, True)


@pytest.mark.parametrize(("value", "shown"), SHOWN)
def test_a_value_stands_behind_the_sentence(value: Any, shown: str, capsys: Capture) -> None:
    claim("by more than 10 points", True, value=value)
    assert capsys.readouterr().out == f"✓ by more than 10 points (here: {shown})\n"
    with pytest.raises(AssertionError, match=re.escape(f"by more than 10 points (here: {shown})")):
        claim("by more than 10 points", False, value=value)


@pytest.mark.parametrize(("value", "error", "words"), NO_VALUES)
@pytest.mark.parametrize("holds", [True, False])
def test_what_is_no_value_is_refused(
    value: Any, error: type[Exception], words: str, holds: bool, capsys: Capture
) -> None:
    with pytest.raises(error, match=words):
        claim("by more than 10 points", holds, value=value)
    assert capsys.readouterr().out == ""


def compared(text: str) -> str:
    """What nbval compares of a cell's output."""
    for pattern, replacement in get_sanitize_patterns(SANITISER):
        text = re.sub(pattern, replacement, text)
    return text


def printed(capsys: Capture, *values: Any) -> str:
    for value in values:
        claim("three shots (of five) gain more than 10 points", True, value=value)
    return capsys.readouterr().out


def test_nbval_compares_the_sentence_and_not_the_value(capsys: Capture) -> None:
    one, other = printed(capsys, 0.143, "3.2 s (median)"), printed(capsys, 12345.6, "40 ms (median)")
    assert one != other
    assert compared(one) == compared(other) == 2 * "✓ three shots (of five) gain more than 10 points (here: VALUE)\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [("10 points", "11 points"), (" (here: 0.143)", ""), ("✓ ", ""), ("(here: 0.143)", "(here: 0.143), 3 of 5")],
)
def test_nbval_still_sees_everything_else(old: str, new: str, capsys: Capture) -> None:
    one = printed(capsys, 0.143)
    assert old in one
    assert compared(one.replace(old, new)) != compared(one)
