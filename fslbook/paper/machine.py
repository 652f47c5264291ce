"""What a run was made on: processor, memory, version of the code."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import torch


def peak_memory_mib(device: torch.device) -> float | None:
    """The most that this process has held so far: on a GPU in tensors, else as a whole; None where nothing says it."""
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
    """The processor in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    threads = torch.get_num_threads()
    return f"{model}, {threads} thread{'s' * (threads > 1)}"


def commit() -> str:
    """The version of this code by git, with "-dirty" where it was changed; "unknown" outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
