"""Speed of the package against a floor and against a peer: `make bench`.

Prints a table and, with --json FILE, writes the same numbers as JSON. The variants take turns, and medians over the
rounds are compared, so that a machine whose speed drifts distorts the ratios as little as possible.

The floor is the work that nobody can save: the encoder's forward and backward pass and the optimiser's step on images
that already lie there. easyfsl (an optional extra, `pip install .[peers]`) runs with its own sampler, loader and
method on the same images held in memory; torchopt and higher (of the same extra) differentiate MAML in maml.py.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

import methods
import peers
import torch
from maml import maml, memory_of_inner_steps
from timing import seconds, take_turns
from torch import nn

from fslbook import Conv4, EpisodeSampler, ImageClasses, PrototypicalNetwork, bf16_is_fast, course_dataset, pick_device
from fslbook.evaluation import embed_classes, evaluate
from fslbook.training.loop import fit

N_WAY, K_SHOT, N_QUERY = 5, 1, 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="how often the variants take turns")
    parser.add_argument("--steps", type=int, default=30, help="training steps in a round")
    parser.add_argument("--threads", type=int, help="CPU threads, by default torch's choice")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = pick_device()
    data = course_dataset().to(device)
    print(f"{_machine(device)}; {N_WAY}-way {K_SHOT}-shot, {N_QUERY} queries a class, {options.rounds} rounds\n")
    numbers = training(data.base, options.rounds, options.steps) | evaluation(data.novel)
    print()
    numbers |= every_method(data.base, options.rounds, max(2, options.steps // 5))
    numbers |= maml(options.rounds, device) | memory_of_inner_steps(device)
    if options.json:
        options.json.write_text(json.dumps({"machine": _machine(device)} | numbers, indent=2))


def training(classes: ImageClasses, rounds: int, steps: int) -> dict[str, float]:
    """Training episodes a second of every variant, and the share of a step spent outside the floor."""
    variants = {"floor": floor(classes), "fslbook": ours(classes)}
    if bf16_is_fast(classes.images.device):
        variants["fslbook, bf16"] = ours(classes, bf16=True)
    if peers.is_here("easyfsl"):
        variants["easyfsl"] = peers.easyfsl_training(classes, nn.Sequential(*_plain_conv4()), N_WAY, K_SHOT, N_QUERY)
        variants["easyfsl, our Conv4"] = peers.easyfsl_training(classes, Conv4(), N_WAY, K_SHOT, N_QUERY)
    else:
        print("easyfsl is not installed: no comparison with it (pip install .[peers])")
    taken = take_turns(_bound(variants, steps), rounds)
    rates = {name: steps / statistics.median(times) for name, times in taken.items()}
    outside = statistics.median(1 - a / b for a, b in zip(taken["floor"], taken["fslbook"], strict=True))
    print(f"{'training':<22}{'episodes/s':>12}{'× easyfsl':>12}")
    for name, rate in rates.items():
        ratio = _ratio(taken, name) if "easyfsl" in taken else float("nan")
        print(f"{name:<22}{rate:>12.1f}{ratio:>12.2f}")
    print(f"share of a step outside the floor: {outside:.1%}\n")
    return {f"training {name}, episodes/s": rate for name, rate in rates.items()} | {"outside the floor": outside}


def every_method(classes: ImageClasses, rounds: int, steps: int) -> dict[str, float]:
    """Training episodes a second and peak memory of each method, and the ratio of its step to the floor."""
    variants = {"floor": floor(classes)} | methods.variants(classes)
    return methods.report(take_turns(_bound(variants, steps), rounds), steps, methods.memory(classes))


def evaluation(classes: ImageClasses, n_episodes: int = 10_000) -> dict[str, float]:
    """Seconds to embed all images once, and for `n_episodes` episodes after that; episodes a second the plain way."""
    method = PrototypicalNetwork(Conv4()).to(classes.images.device).eval()
    embed = seconds(lambda: embed_classes(method, classes))
    features = EpisodeSampler(embed_classes(method, classes), N_WAY, K_SHOT, N_QUERY)
    index = seconds(lambda: evaluate(_Classifier(method), features, n_episodes, batch_size=100))
    plain = 200 / seconds(lambda: evaluate(method, EpisodeSampler(classes), 200, embed_once=False))
    print(f"evaluation: {embed:.2f} s to embed {len(classes.images):,} images once, then {index:.2f} s for")
    print(f"{n_episodes:,} episodes ({n_episodes / index:,.0f} a second); the plain way {plain:.0f} a second")
    return {"embed once, s": embed, "10,000 episodes after that, s": index, "plain evaluation, episodes/s": plain}


class _Classifier(nn.Module):
    """The second half of a method: features in, logits out."""

    def __init__(self, method: PrototypicalNetwork) -> None:
        super().__init__()
        self.forward = method.classify


def floor(classes: ImageClasses) -> Callable[[int], None]:
    """Forward, backward and optimiser step of the encoder on one batch of images that never changes."""
    device = classes.images.device
    encoder = Conv4().to(device).train()
    optimizer = torch.optim.Adam(encoder.parameters())
    images = classes.images[: N_WAY * (K_SHOT + N_QUERY)].float() / 255
    slope = torch.randn_like(encoder(images))

    def steps(n: int) -> None:
        for _ in range(n):
            features = encoder(images)
            optimizer.zero_grad(set_to_none=True)
            features.backward(slope)
            optimizer.step()

    return steps


def ours(classes: ImageClasses, bf16: bool = False) -> Callable[[int], None]:
    """`fit` as a chapter calls it, without the bar."""
    method = PrototypicalNetwork(Conv4()).to(classes.images.device)
    sampler = EpisodeSampler(classes, N_WAY, K_SHOT, N_QUERY)
    optimizer = torch.optim.Adam(method.parameters())

    def steps(n: int) -> None:
        fit(method, sampler, n, optimizer=optimizer, bf16=bf16, progress=False)

    return steps


def _plain_conv4() -> list[nn.Module]:
    """Conv4 as everybody writes it, in PyTorch's default memory layout."""
    layers: list[nn.Module] = []
    for block in range(4):
        convolution = nn.Conv2d(1 if block == 0 else 64, 64, kernel_size=3, padding=1)
        layers += [convolution, nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)]
    return [*layers, nn.Flatten(1)]


def _bound(variants: dict[str, Callable[[int], None]], steps: int) -> dict[str, Callable[[], None]]:
    return {name: partial(run, steps) for name, run in variants.items()}


def _ratio(taken: dict[str, list[float]], name: str) -> float:
    """How many times as fast as easyfsl, the median over the rounds."""
    return statistics.median(a / b for a, b in zip(taken["easyfsl"], taken[name], strict=True))


def _machine(device: torch.device) -> str:
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
    return f"{name}, torch {torch.__version__}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
