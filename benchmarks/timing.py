"""Seconds that work takes, on a machine whose speed drifts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import torch


def take_turns(variants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each variant in each round, after one round that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for counted in [False] + [True] * rounds:
        for name, run in variants.items():
            once = seconds(run)
            if counted:
                taken[name].append(once)
    return taken


def seconds(run: Callable[[], object]) -> float:
    """Seconds that one call takes, to the end of what a GPU does for it."""
    start = time.perf_counter()
    run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start
