"""How much memory a computation needs."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import ContextVar

import torch
from torch.profiler import ProfilerActivity, profile

from fslbook.common.devices import pick_device

_MEASURING = ContextVar("_MEASURING", default=False)


def peak_memory(work: Callable[[], object], device: torch.device | str = "cpu") -> int:
    """Run `work` once; the most bytes that its tensors occupied at any one time, beyond what was there before.

    Args:
        work: a function without arguments, for instance one forward and backward pass.
        device: where it computes. On the CPU every allocation is counted, so that the same work gives the same number.

    Raises:
        TypeError: `work` is no function.
        ValueError: no such device.
        RuntimeError: CUDA was asked for and there is none, or a measurement is going on already: there is one
            profiler, and one peak on a GPU, so that the outer answer would be wrong.

    Example:
        >>> peak_memory(lambda: torch.zeros(1000))  # 4 bytes each
        4000
    """
    if not callable(work):
        raise TypeError(f"work must be a function without arguments, got {work!r}; write lambda: ... around it")
    device = pick_device(device)
    if _MEASURING.get() or torch.autograd._profiler_enabled():
        raise RuntimeError("peak_memory cannot measure inside another peak_memory or a profiler: measure one at a time")
    token = _MEASURING.set(True)
    try:
        return _peak_on_gpu(work, device) if device.type == "cuda" else _peak_on_cpu(work)
    finally:
        _MEASURING.reset(token)


def _peak_on_gpu(work: Callable[[], object], device: torch.device) -> int:
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    work()
    return torch.cuda.max_memory_allocated(device) - before


def _peak_on_cpu(work: Callable[[], object]) -> int:
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler reports to the screen when it begins and ends
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as recording:
        work()
    now = peak = 0
    for event in sorted(recording.events(), key=lambda event: event.time_range.start):
        now += event.self_cpu_memory_usage
        peak = max(peak, now)
    return peak
