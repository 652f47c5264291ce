"""Second-order MAML against torchopt and higher: tasks a second and peak memory; memory against inner steps.

Run by run.py. Peak memory is that of a process of its own for each variant (`python benchmarks/maml.py NAME`), the
growth of its resident set over what libraries, data and network had taken before.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable

import peers
import torch
from timing import take_turns
from torch import nn

from fslbook import MAML, Episode, conv_classifier, peak_memory
from fslbook.paper.machine import peak_memory_mib

N_WAY, N_QUERY, INNER_LR, N_TASKS = 5, 15, 0.4, 8
OURS = {
    "fslbook, loop": {"form": "loop"},
    "fslbook, vmap": {"form": "vmap"},
    "fslbook, first order": {"first_order": True},
}
PEERS = {"torchopt": peers.torchopt_meta_gradient, "higher": peers.higher_meta_gradient}


def maml(rounds: int, device: torch.device) -> dict[str, float]:
    """Tasks a second and peak MiB of every variant: 5-way 1-shot, 15 queries a class, one inner step, float32."""
    names = [*OURS, *(name for name in PEERS if peers.is_here(name))]
    for name in PEERS.keys() - set(names):
        print(f"{name} is not installed: no comparison with it (pip install .[peers])")
    seconds = take_turns({name: meta_gradient(name, device) for name in names}, rounds)
    rates = {name: N_TASKS / statistics.median(times) for name, times in seconds.items()}
    memory = {name: _memory_of_a_process(name, device) for name in names}
    print(f"{'second-order MAML':<22}{'tasks/s':>12}{'peak MiB':>12}{'× better peer':>16}")
    best = min(
        (name for name in PEERS if name in names), key=lambda name: statistics.median(seconds[name]), default=None
    )
    for name in names:
        ratio = (
            statistics.median(a / b for a, b in zip(seconds[best], seconds[name], strict=True))
            if best
            else float("nan")
        )
        print(f"{name:<22}{rates[name]:>12.1f}{memory[name]:>12.0f}{ratio:>16.2f}")
    print()
    numbers = {f"maml {name}, tasks/s": rate for name, rate in rates.items()}
    return numbers | {f"maml {name}, peak MiB": number for name, number in memory.items()}


def memory_of_inner_steps(device: torch.device, steps: tuple[int, ...] = (1, 2, 4, 6, 8, 10)) -> dict[str, float]:
    """Peak MiB of tensors in one meta-gradient, with and without recomputing the inner steps."""
    print(f"{'MiB by inner steps':<22}" + "".join(f"{k:>8}" for k in steps))
    numbers = {}
    for name, recompute in (("graph kept", False), ("recomputed", True)):
        peaks = [_peak(k, recompute, device) for k in steps]
        print(f"{name:<22}" + "".join(f"{peak:>8.1f}" for peak in peaks))
        numbers |= {f"maml {name}, {k} inner steps, MiB": peak for k, peak in zip(steps, peaks, strict=True)}
    print()
    return numbers


def meta_gradient(name: str, device: torch.device) -> Callable[[], object]:
    """A function that fills the gradients of one network from the same batch of tasks."""
    torch.manual_seed(0)
    network, episode = conv_classifier(N_WAY).to(device), _tasks(N_TASKS).to(device)
    if name in PEERS:
        return PEERS[name](network, episode, INNER_LR)
    method = MAML(network, INNER_LR, **OURS[name])
    return lambda: _fill_gradients(method, episode)


def _tasks(number: int) -> Episode:
    y = torch.arange(N_WAY).expand(number, -1)
    support, query = torch.rand(number, N_WAY, 1, 28, 28), torch.rand(number, N_WAY * N_QUERY, 1, 28, 28)
    return Episode(support, y, query, y.repeat_interleave(N_QUERY, dim=1), N_WAY)


def _fill_gradients(method: nn.Module, episode: Episode) -> None:
    method.zero_grad(set_to_none=True)
    method.loss(episode).backward()


def _peak(inner_steps: int, recompute: bool, device: torch.device) -> float:
    torch.manual_seed(0)
    method = MAML(conv_classifier(N_WAY), INNER_LR, inner_steps, form="loop", recompute=recompute).to(device)
    episode = _tasks(1).to(device)
    method.loss(episode).backward()  # the gradients themselves, which stay, are not counted
    return peak_memory(lambda: method.loss(episode).backward(), device) / 2**20


def _memory_of_a_process(name: str, device: torch.device) -> float:
    command = [sys.executable, __file__, name, str(device), str(torch.get_num_threads())]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _report_peak(name: str, device: torch.device) -> None:
    work = meta_gradient(name, device)
    if device.type == "cuda":
        peak = peak_memory(work, device) / 2**20
    else:
        before = peak_memory_mib(device)
        for _ in range(5):
            work()
        peak = peak_memory_mib(device) - before
    print(json.dumps(peak))


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[3]))
    _report_peak(sys.argv[1], torch.device(sys.argv[2]))
