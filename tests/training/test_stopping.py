"""Ctrl-C and SIGTERM end a training between two steps, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

import pytest
import torch
from helpers import easy_sampler, small_method
from training_runs import Run, Scripted, press_ctrl_c_at

from fslbook import History, fit


def test_ctrl_c_ends_after_the_step_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    history = fit(press_ctrl_c_at(3), easy_sampler(), steps=10, progress=False)
    assert history.interrupted
    assert len(history.loss) == len(history.accuracy) == 3
    assert capsys.readouterr().out.strip() == "stopped after step 3 of 10"


def test_ctrl_c_from_another_thread_ends_the_training(capsys: pytest.CaptureFixture[str]) -> None:
    """It falls anywhere within a step; that the thread begins in a step makes sure that the training has begun."""
    main = threading.main_thread().ident
    presses = threading.Thread(target=lambda: signal.pthread_kill(main, signal.SIGINT))
    method = Scripted(lambda step: presses.start() if step == 2 else None)
    history = fit(method, easy_sampler(), steps=10**6, progress=False)
    presses.join()
    assert history.interrupted
    assert 2 <= len(history.loss) < 10**6
    assert "stopped after step" in capsys.readouterr().out


def test_a_run_that_was_stopped_in_its_last_step_is_whole_when_read_again(tmp_path: Path) -> None:
    run = Run()
    run.method.register_forward_hook(lambda module, inputs, output: signal.raise_signal(signal.SIGINT))
    assert run.fit(1, tmp_path / "run.pt").interrupted
    assert not Run().fit(1, tmp_path / "run.pt").interrupted


def test_a_second_ctrl_c_stops_at_once() -> None:
    def press_twice(step: int) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(Scripted(press_twice), easy_sampler(), steps=10, progress=False)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_handlers_are_put_back(number: signal.Signals) -> None:
    def mine(number: int, frame: FrameType | None) -> None:
        raise AssertionError("the training's own handler should have been called")

    before = signal.signal(number, mine)
    try:
        fit(press_ctrl_c_at(2), easy_sampler(), steps=3, progress=False)
        assert signal.getsignal(number) is mine
        with pytest.raises(FloatingPointError):
            fit(Scripted(lambda step: float("nan")), easy_sampler(), steps=3, progress=False)
        assert signal.getsignal(number) is mine
    finally:
        signal.signal(number, before)


def test_sigterm_saves_and_then_takes_its_course(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Here its course is a handler; without one it ends the process, as the next test shows."""
    received = []
    before = signal.signal(
        signal.SIGTERM, lambda number, frame: received.append(len(torch.load(path)["history"]["loss"]))
    )
    path, run = tmp_path / "run.pt", Run()
    run.method.register_forward_hook(
        lambda module, inputs, output: signal.raise_signal(signal.SIGTERM) if not path.exists() else None
    )
    try:
        assert run.fit(9, path).interrupted
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [1]  # the file was there when the signal came to its handler, once
    assert f"stopped after step 1 of 9; the same call resumes from {path}" in capsys.readouterr().out


TERMINATED = """
import os, signal, sys
from pathlib import Path
from training_runs import Run

run, passes = Run(), []

def terminate(module, inputs, output):
    passes.append(1)
    if len(passes) == 5:
        os.kill(os.getpid(), signal.SIGTERM)

run.method.register_forward_hook(terminate)
run.fit(9, Path(sys.argv[1]))
print("went on after the signal")
"""


@pytest.mark.slow
def test_a_process_that_is_terminated_has_saved_its_training(tmp_path: Path) -> None:
    (tmp_path / "terminated.py").write_text(TERMINATED)
    tests, path = Path(__file__).resolve().parents[1], tmp_path / "run.pt"
    environment = {**os.environ, "PYTHONPATH": f"{tests.parent}:{tests}"}
    command = [sys.executable, str(tmp_path / "terminated.py"), str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == -signal.SIGTERM, done.stderr
    assert done.stdout == f"stopped after step 5 of 9; the same call resumes from {path}\n"
    unbroken, resumed = Run(), Run()
    history = unbroken.fit(9)
    assert len(torch.load(path)["history"]["loss"]) == 5
    assert resumed.fit(9, path).loss == history.loss


def test_training_works_outside_the_main_thread() -> None:
    histories: list[History] = []
    thread = threading.Thread(target=lambda: histories.append(fit(small_method(), easy_sampler(), 3, progress=False)))
    thread.start()
    thread.join()
    assert len(histories[0].loss) == 3
