"""A copy of the checkout, to which a test adds what an author would add, and in which it counts what changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(folder: Path, *command: str) -> str:
    """What a command prints, with the package of `folder`; its failure is the test's."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def python(folder: Path, *arguments: str) -> str:
    return run(folder, sys.executable, *arguments)


def changed(folder: Path) -> set[str]:
    """The files that git lists as new or changed."""
    return {line[3:] for line in run(folder, "git", "status", "--porcelain", "--untracked-files=all").splitlines()}


def copy_of_the_checkout(folder: Path, leave_out: str = "") -> Path:
    """The files of the checkout as they are now, as a repository; those that end in `leave_out` stay away."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("counting needs git and a checkout")
    for name in run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file() and not (leave_out and name.endswith(leave_out)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "-A")
    run(folder, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "The book")
    return folder
