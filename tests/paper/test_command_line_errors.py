"""What a terminal may do to the command line: one line says what is wrong, and no traceback ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import SMALL
from paper.made_up import run_of

from fslbook.paper import ledger
from fslbook.paper.command_line import main

ROOT = Path(__file__).resolve().parents[2]
NAME = "prototypical-omniglot-5w1s"
NO_NAMES = ["nonsense", "", "prototypical", NAME.upper(), f" {NAME}", f"{NAME}.json", "../x", "*", "münze", "\n"]
NOT_NUMBERS = ["", " ", "x", "1.5", "1e3", "-1", "+1", "nan", "inf", "١", "0x10", "1_000", str(2**32), "9" * 5000]
BAD_OPTIONS = {
    ("evaluate", NAME, "--episodes"): [*NOT_NUMBERS, "0", "1"],
    ("jobs", "--seeds"): [*NOT_NUMBERS, "0"],
    ("train", NAME, "--quick", "--seed"): NOT_NUMBERS,
}
OPTIONS = [(command, value) for command, values in BAD_OPTIONS.items() for value in values]


@pytest.mark.parametrize(("command", "value"), OPTIONS, ids=[f"{c[0]} {v[:20]!r}" for c, v in OPTIONS])
def test_numbers_that_make_no_sense_are_refused(
    command: tuple[str, ...], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command[:-1], f"{command[-1]}={value}"])
    assert end.value.code == 2
    said = capsys.readouterr()
    assert f"argument {command[-1]}: must be a whole number of at least" in said.err
    assert said.out == ""


DEVICES = ["abacus", "gpu", "CPU", "cuda:99", "cuda:-1", "meta", "cuda:x", "mps:9", "xla", "cpu cpu"]
LINES = {
    **{f"device {name}": (["train", NAME, "--quick", "--device", name], f"'{name}'") for name in DEVICES},
    **{f"evaluate on {name}": (["evaluate", NAME, "--device", name], f"'{name}'") for name in DEVICES},
    **{
        f"{verb} {name!r}": ([verb, name, *rest], f"unknown recipe {name!r}; known are siamese-omniglot-5w1s")
        for name in NO_NAMES
        for verb, rest in (("train", []), ("evaluate", []), ("enter", ["folder"]))
    },
    "a folder that is a file": (["list", "--results", __file__], "there is no ledger at"),
    "a run that is a file": (["enter", NAME, __file__], "there is no finished run|Not a directory"),
    "a run that is nowhere": (["enter", NAME, "nowhere"], "there is no finished run in nowhere: run.json is missing"),
    "results that are a file": (["train", NAME, "--results", __file__], "File exists"),
    "results below a file": (["train", NAME, "--results", f"{__file__}/x"], "Not a directory"),
    "runs that are a file": (["train", NAME, "--quick", "--runs", __file__], "is a file"),
    "weights of another ledger": (["evaluate", NAME, "--results", "nowhere"], "there is no ledger at nowhere"),
    "a name too long": (["enter", NAME, "x" * 5000], "File name too long"),
}


@pytest.mark.parametrize("name", LINES)
def test_an_error_is_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fslbook.paper.command_line.omniglot", lambda split: pytest.fail("went on to the data"))
    command, words = LINES[name]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.startswith("fslbook: ")
    assert said.count("\n") == 1
    assert any(part in said for part in words.split("|"))
    assert not [*tmp_path.rglob("*.json")]


@pytest.mark.parametrize("verb", ["list", "results"])
def test_a_damaged_ledger_is_one_line(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / f"{NAME}.json").write_text("{")
    assert main([verb, "--results", str(tmp_path)]) == 2
    assert f"{NAME}.json is damaged: " in capsys.readouterr().err


def call(*words: str, options: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, *options, "-m", "fslbook", *words]
    return subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False, cwd=ROOT)


@pytest.mark.slow
def test_the_help_is_there_without_docstrings() -> None:
    done = call("--help", options=("-OO",))
    assert (done.returncode, done.stderr) == (0, "")
    assert "python -m fslbook evaluate RECIPE            test the trained weights again" in done.stdout
    assert call("list", options=("-OO",)).returncode == 0


@pytest.mark.slow
def test_a_terminal_that_knows_ascii_alone_gets_its_own_signs(tmp_path: Path) -> None:
    ledger.add(SMALL, run_of(SMALL, accuracy=0.5), tmp_path)
    for verb in ("list", "results"):
        done = call(verb, "--results", str(tmp_path), PYTHONIOENCODING="ascii")
        assert (done.returncode, done.stderr) == (0, "")
        assert "50.00 +- 0.20, 1 seed" in done.stdout
    assert call("enter", "ä", "x", PYTHONIOENCODING="ascii").stderr.startswith("fslbook: unknown recipe '?'")


@pytest.mark.slow
def test_whoever_reads_one_line_has_seen_enough() -> None:
    """`list | head -1`."""
    command = f"{sys.executable} -m fslbook list | head -1; exit ${{PIPESTATUS[0]}}"
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    bash = ["bash", "-c", command]
    done = subprocess.run(bash, capture_output=True, text=True, env=surroundings, check=False, cwd=ROOT)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert done.returncode in (0, 141)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_the_output_is_one_line() -> None:
    command = [sys.executable, "-m", "fslbook", "list"]
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=surroundings, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr


STOPPED = """
import os, signal, sys
from fslbook.paper import command_line, __name__ as _
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes what it starts with & ignore it
command_line.COMMANDS["list"] = lambda options: os.kill(os.getpid(), signal.SIGINT) or print("went on")
sys.exit(command_line.main(["list"]))
"""


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_130() -> None:
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", STOPPED], capture_output=True, text=True, env=surroundings, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "fslbook: stopped\n")


@pytest.mark.slow
def test_ctrl_c_stops_a_training_with_130_and_the_same_command_goes_on(tmp_path: Path) -> None:
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "fslbook", "train", NAME, "--quick", "--device", "cpu", "--runs", str(tmp_path)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings)
    while not [*tmp_path.rglob("checkpoint0.pt")]:
        assert run.poll() is None
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=300)
    assert run.returncode in (0, 130)  # 0 where it was quicker than the signal
    assert "Traceback" not in err
    done = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False, timeout=300)
    assert done.returncode == 0
    assert "the quick form ran to its end" in done.stdout
