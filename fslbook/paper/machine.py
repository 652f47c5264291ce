"""What a run was made on: processor, memory, version of the code."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import torch

from fslbook.paper.places import CHECKOUT, INSTALLED


def peak_memory_mib(device: torch.device) -> float | None:
    """The most that this process has held so far: on a GPU in tensors, else as a whole; None where nothing says it.

    Example:
        >>> peak_memory_mib(torch.device("cpu")) > 50  # Python and PyTorch alone take more
        True
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return _of_status() or _of_rusage()


def _of_status() -> float | None:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:")), None)


def _of_rusage() -> float | None:
    """Where there is no /proc. On Linux it would count in what the process that started this one has held."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux, bytes on macOS
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def hardware(device: torch.device) -> str:
    """The processor in words.

    Example:
        >>> hardware(torch.device("cpu")).split(", ")[-1] in ("1 thread", f"{torch.get_num_threads()} threads")
        True
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    threads = torch.get_num_threads()
    return f"{model}, {threads} thread{'s' * (threads > 1)}"


def commit() -> str:
    """The version of this code: by git, with "-dirty" where it was changed; where it is installed, its number.

    Only the work tree of this package itself is asked, never one of another project that the package happens to lie in.

    Example:
        >>> len(commit()) > 0
        True
    """
    if INSTALLED:
        return f"version {version('fslbook')}, installed"
    top = _git("rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != CHECKOUT or _git("ls-files", "--error-unmatch", __file__) is None:
        return "unknown"
    return _git("describe", "--always", "--dirty", "--abbrev=12") or "unknown"


def _git(*words: str) -> str | None:
    """What git says of this checkout, or None where it says nothing: no git, no work tree, another owner."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        git = ["git", "-C", str(CHECKOUT), *words]
        done = subprocess.run(git, capture_output=True, text=True, check=False, env=surroundings)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
