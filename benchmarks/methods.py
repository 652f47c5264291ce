"""Every method's training step against the floor: episodes a second, peak memory, and how many floors a step takes.

Run by run.py. All train on the same 5-way 1-shot episodes with 15 queries a class, one a step, with the settings of
their recipes.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from fslbook import EpisodeSampler, ImageClasses, peak_memory
from fslbook.paper.builders import build, optimiser
from fslbook.paper.recipes import METHODS, RECIPES
from fslbook.training.loop import fit

Steps = Callable[[int], None]
PLAIN: dict[str, bool] = {}
GRAPH, COMPILED = {"cuda_graph": True}, {"compiled": True}


def variants(classes: ImageClasses) -> dict[str, Steps]:
    """For each method a function that takes n training steps; also compiled, and on a GPU as a CUDA graph."""
    ways = {"": PLAIN, ", compiled": COMPILED}
    if classes.images.is_cuda:
        ways |= {", graph": GRAPH, ", compiled graph": GRAPH | COMPILED}
    adapting = {name for name in METHODS if build(RECIPES[f"{name}-omniglot-5w1s"]).adapts}
    pairs = [(name, way) for name in METHODS for way in ways if name not in adapting or "compiled" not in way]
    return {name + way: _training(name, classes, ways[way]) for name, way in pairs}


def _training(name: str, classes: ImageClasses, way: dict[str, bool]) -> Steps:
    recipe = RECIPES[f"{name}-omniglot-5w1s"]
    method = build(recipe).to(classes.images.device)
    optimizer, _ = optimiser(recipe, method)
    sampler = EpisodeSampler(classes, 5, 1, 15)

    def steps(n: int) -> None:
        fit(method, sampler, n, optimizer=optimizer, progress=False, **way)

    return steps


def memory(classes: ImageClasses) -> dict[str, float]:
    """Peak MiB of the tensors in one training step of each method."""
    episode = EpisodeSampler(classes, 5, 1, 15).sample()
    peaks = {}
    for name in METHODS:
        method = build(RECIPES[f"{name}-omniglot-5w1s"]).to(classes.images.device).train()
        peaks[name] = peak_memory(lambda m=method: m.loss(episode).backward(), classes.images.device) / 2**20
    return peaks


def report(seconds: dict[str, list[float]], steps: int, peaks: dict[str, float]) -> dict[str, float]:
    """Print the table; the same numbers by name. `seconds` holds those of each variant and of the floor, by round."""
    print(f"{'5-way 1-shot':<22}{'episodes/s':>12}{'peak MiB':>12}{'× floor':>12}")
    numbers = {}
    for name, times in seconds.items():
        rate = steps / statistics.median(times)
        floors = statistics.median(a / b for a, b in zip(times, seconds["floor"], strict=True))
        peak = peaks.get(name.partition(",")[0])
        print(f"{name:<22}{rate:>12.1f}{'' if peak is None else f'{peak:.1f}':>12}{floors:>12.2f}")
        numbers |= {f"{name}, episodes/s": rate, f"{name}, × floor": floors}
        numbers |= {} if peak is None else {f"{name}, peak MiB": peak}
    print()
    return numbers
