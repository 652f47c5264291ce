"""How much memory a computation needs."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile


def peak_memory(work: Callable[[], object], device: torch.device | str = "cpu") -> int:
    """Run `work` once; the most bytes that its tensors occupied at any one time, beyond what was there before.

    Args:
        work: a function without arguments, for instance one forward and backward pass.
        device: where it computes. On the CPU every allocation is counted, so that the same work gives the same number.
    """
    if torch.device(device).type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        work()
        return torch.cuda.max_memory_allocated(device) - before
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler reports to the screen when it begins and ends
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as recording:
        work()
    events = sorted(recording.events(), key=lambda event: event.time_range.start)
    now = peak = 0
    for event in events:
        now += event.self_cpu_memory_usage
        peak = max(peak, now)
    return peak
