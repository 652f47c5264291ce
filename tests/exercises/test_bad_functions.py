"""Each check rejects whatever else it is given, and says so in a sentence."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch
from exercise_helpers import NAMES, exercise

from fslbook.exercises.engine import limits


def raises(*arguments: Any) -> Any:
    raise KeyError("no such thing")


def ends_everything(*arguments: Any) -> Any:
    raise SystemExit


def contains_itself(*arguments: Any) -> Any:
    endless: list[Any] = []
    endless.append(endless)
    return endless


BAD = {
    "raises": raises,
    "exits": ends_everything,
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
    "contains itself": contains_itself,
    "a class": dict,
    "no arguments": lambda: 0,
    "not a function": 3,
    "a network": lambda *a: torch.nn.Linear(2, 2),
    "three meta tensors": lambda *a: [torch.zeros(3, dtype=torch.int64, device="meta")] * 3,
    **{f"{n} meta tensors": lambda *a, n=n: [torch.zeros(3, dtype=torch.int64, device="meta")] * n for n in (2, 4)},
    **{f"{n} numbers": lambda *a, n=n: [1.5] * n for n in (2, 3, 4)},
    **{f"{n} tables": lambda *a, n=n: [torch.zeros(2, 2, dtype=torch.int64)] * n for n in (2, 3, 4)},
    "two complex numbers": lambda *a: (1j, 1j),
    "two of everything": lambda *a: (a, a),
}


QUICK = ("raises", "nothing", "odd shape", "not a function")
KINDS = [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow) for kind in BAD]  # a thousand together


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_bad_functions_get_a_message_and_no_pass(name: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not exercise(name)(BAD[kind])
    printed = capsys.readouterr().out
    assert "✗" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("name", NAMES)
def test_an_endless_loop_is_given_up(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def for_ever(*arguments: Any) -> Any:
        while True:
            try:
                time.sleep(0.001)
            except Exception:
                continue

    monkeypatch.setattr(limits, "WAIT_SECONDS", 0.1)
    assert not exercise(name)(for_ever)
    assert "never ends" in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_not_attempted_is_said_kindly(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    def todo(*arguments: Any) -> Any:
        raise NotImplementedError

    assert not exercise(name)(todo)
    assert capsys.readouterr().out.startswith(f"○ {name}: not attempted yet")
