"""What a run says about the machine and the code that it was made with."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fslbook.paper import machine

CPU = torch.device("cpu")
ASKING = """
import json, torch
from fslbook.paper.machine import peak_memory_mib
def peak(): return peak_memory_mib(torch.device("cpu"))
before = peak()
held = b"x" * (300 * 2**20)
grown = peak()
del held
print(json.dumps([before, grown, peak()]))
"""


def peaks_of_a_process() -> list[float]:
    done = subprocess.run([sys.executable, "-c", ASKING], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.slow
def test_peak_memory_is_the_most_that_was_held_even_when_it_is_gone() -> None:
    before, grown, after = peaks_of_a_process()
    assert grown - before == pytest.approx(300, abs=30)
    assert after == pytest.approx(grown, abs=5)  # the kernel counts in batches of pages


def test_peak_memory_is_that_of_the_process_itself_not_of_the_one_that_started_it() -> None:
    held = b"x" * (2000 * 2**20)
    assert peaks_of_a_process()[0] < 1000 < len(held) / 2**20


def test_where_the_system_says_nothing_of_memory_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    without, real = {"resource"}, builtins.__import__

    def no_resource(name: str, *rest: object) -> object:
        if name in without:
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(Path, "exists", lambda self: False)
    by_another_way = machine.peak_memory_mib(CPU)
    assert by_another_way is not None and by_another_way > 50
    monkeypatch.setattr(builtins, "__import__", no_resource)
    assert machine.peak_memory_mib(CPU) is None


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@x"]
    return subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True).stdout


def test_the_commit_is_marked_where_the_code_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "package" / "machine.py"
    file.parent.mkdir()
    file.write_text("as committed")
    monkeypatch.setattr(machine, "__file__", str(file))
    assert machine.commit() == "unknown"
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    head = git(tmp_path, "rev-parse", "--short=12", "HEAD").strip()
    assert machine.commit() == head
    file.write_text("changed")
    assert machine.commit() == f"{head}-dirty"
