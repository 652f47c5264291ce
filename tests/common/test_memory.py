"""Peak memory, against computations whose allocations are known."""

from __future__ import annotations

import pytest
import torch
from helpers import devices
from torch.profiler import ProfilerActivity, profile

from fslbook import peak_memory

MIB = 2**20


@pytest.mark.parametrize("device", devices())
def test_the_peak_is_that_of_tensors_alive_at_once(device: str) -> None:
    x = torch.zeros(MIB // 4, device=device)  # there before, so that it does not count

    def one_after_the_other() -> None:
        for _ in range(5):
            _ = x.sin()
            del _

    def together() -> None:
        kept = [x.sin() for _ in range(5)]
        kept.clear()

    assert peak_memory(one_after_the_other, device) == MIB
    assert peak_memory(together, device) == 5 * MIB
    assert peak_memory(one_after_the_other, device) == MIB  # whatever came before


def test_the_graph_of_a_backward_pass_counts() -> None:
    x = torch.ones(MIB // 4, requires_grad=True)

    def work(grad: bool) -> None:
        with torch.set_grad_enabled(grad):
            y = x
            for _ in range(6):
                y = y.sin()

    assert peak_memory(lambda: work(True)) == 6 * MIB
    assert peak_memory(lambda: work(False)) == 2 * MIB


def test_a_measurement_inside_another_is_refused_and_the_next_one_is_right() -> None:
    """The profiler of the inner one ended that of the outer one, which then answered 0."""
    with pytest.raises(RuntimeError, match="one at a time"):
        peak_memory(lambda: peak_memory(lambda: torch.ones(10)))
    with (
        profile(activities=[ProfilerActivity.CPU], acc_events=True),
        pytest.raises(RuntimeError, match="or a profiler"),
    ):
        peak_memory(lambda: torch.ones(10))
    assert peak_memory(lambda: torch.ones(MIB // 4)) == MIB


def test_work_that_fails_leaves_the_way_free() -> None:
    with pytest.raises(ZeroDivisionError):
        peak_memory(lambda: 1 / 0)
    assert peak_memory(lambda: torch.ones(MIB // 4)) == MIB
