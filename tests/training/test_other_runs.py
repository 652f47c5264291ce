"""The checkpoint of another run is refused, with both values, and nothing is touched: data, optimiser, schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import blobs, easy_sampler
from torch import nn
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import MultiStepLR, OneCycleLR, SequentialLR, StepLR
from training_runs import KINDS, Run, assert_refused, momentum

from fslbook import MAML, EpisodeSampler, PrototypicalNetwork
from fslbook.tasks import SinusoidTasks

CLASSES = blobs(10, 8, noise=0.5)
INVERTED = replace(CLASSES, images=255 - CLASSES.images)


def drawn(classes: Any = CLASSES, n_way: int = 5, k_shot: int = 1, seed: int = 0) -> Run:
    return Run(sampler=EpisodeSampler(classes, n_way, k_shot, 3, seed=seed))


def pooled(size: int = 8) -> Run:
    """Images of any size will do, and names and counts are the same in every size."""
    layers = nn.AdaptiveAvgPool2d(2), nn.Flatten(1), nn.Linear(4, 8)
    classes = blobs(10, 8, size=size, noise=0.5)
    return Run(PrototypicalNetwork(nn.Sequential(*layers)), sampler=EpisodeSampler(classes, 5, 1, 3))


class Draws:
    """A reader's sampler, without a word about itself."""

    def __init__(self, size: int) -> None:
        self.size, self.inner = size, easy_sampler()

    def sample(self, batch_size: int) -> Any:
        return self.inner.sample(batch_size)


def two_groups(parameters: Any) -> Adam:
    first, *rest = parameters
    return Adam([{"params": [first]}, {"params": rest}], lr=0.01)


def with_rate(lr: float, scheduler: Any = None) -> Callable[[], Run]:
    return lambda: Run(optimizer=partial(Adam, lr=lr), scheduler=scheduler)


def scheduled(make: Callable[..., Any]) -> Callable[[], Run]:
    return lambda: Run(scheduler=make)


def sines(k_shot: int = 10) -> Run:
    return Run(MAML(nn.Linear(1, 1), 0.01, loss=nn.functional.mse_loss), sampler=SinusoidTasks(k_shot))


OTHER_RUNS: dict[str, tuple[Callable[[], Run], Callable[[], Run], str]] = {
    "seed": (Run, lambda: drawn(seed=1), "seed 0.* there and .*seed 1.* here"),
    "shots": (Run, lambda: drawn(k_shot=2), "1-shot.* there and .*2-shot.* here"),
    "pixels": (drawn, lambda: drawn(INVERTED), "sampler is .* there and .* here"),
    "size of images": (pooled, lambda: pooled(4), "sampler is .* there and .* here"),
    "classes": (drawn, lambda: drawn(blobs(20, 8).select(range(10, 20))), "sampler is"),
    "points": (
        sines,
        lambda: sines(5),
        "10 support.* there and .*5 support",
    ),
    "a sampler of one's own": (
        lambda: Run(sampler=Draws(3)),
        lambda: Run(sampler=Draws(4)),
        "sampler.size is 3 there and 4 here",
    ),
    "optimiser": (Run, KINDS["momentum"], "optimizer is 'Adam' there and 'SGD' here"),
    "rate": (with_rate(0.5), with_rate(1e-3), "optimizer.0.lr is 0.5 there and 0.001 here"),
    "first rate": (
        with_rate(0.5, lambda o: StepLR(o, 2)),
        with_rate(1e-3, lambda o: StepLR(o, 2)),
        "optimizer.0.initial_lr is 0.5 there and 0.001 here",
    ),
    "betas": (
        lambda: Run(optimizer=partial(Adam, betas=(0.9, 0.99))),
        lambda: Run(optimizer=partial(Adam, betas=(0.0, 0.99))),
        r"optimizer.0.betas is \(0.9, 0.99\) there and \(0, 0.99\) here",
    ),
    "epsilon": (
        lambda: Run(optimizer=partial(Adam, eps=1e-8)),
        lambda: Run(optimizer=partial(Adam, eps=1e-4)),
        "optimizer.0.eps is 1e-08 there and 0.0001 here",
    ),
    "momentum": (
        lambda: Run(optimizer=partial(SGD, lr=0.1, momentum=0.5)),
        lambda: Run(optimizer=momentum),
        "optimizer.0.momentum is 0.5 there and 0.9 here",
    ),
    "decay": (
        lambda: Run(optimizer=partial(AdamW, weight_decay=0.1)),
        lambda: Run(optimizer=partial(AdamW, weight_decay=0.2)),
        "optimizer.0.weight_decay is 0.1 there and 0.2 here",
    ),
    "groups": (Run, lambda: Run(optimizer=two_groups), "optimizer.groups is 1 there and 2 here"),
    "order of parameters": (
        Run,
        lambda: Run(optimizer=lambda p: Adam([*p][::-1], lr=0.01)),
        "optimizer.0.params is .*1.weight.* there and .*3.bias.* here",
    ),
    "scheduler": (Run, scheduled(lambda o: StepLR(o, 2)), "scheduler is None there and 'StepLR' here"),
    "pace": (
        scheduled(lambda o: StepLR(o, 2)),
        scheduled(lambda o: StepLR(o, 3)),
        "scheduler.step_size is 2 there and 3 here",
    ),
    "factor": (
        scheduled(lambda o: StepLR(o, 2, 0.5)),
        scheduled(lambda o: StepLR(o, 2, 0.1)),
        "scheduler.gamma is 0.5 there and 0.1 here",
    ),
    "milestones": (
        scheduled(lambda o: MultiStepLR(o, [2, 8])),
        scheduled(lambda o: MultiStepLR(o, [2, 9])),
        r"scheduler.milestones is \(2, 1, 8, 1\) there and \(2, 1, 9, 1\) here",
    ),
    "shape of a cycle": (
        scheduled(lambda o: OneCycleLR(o, 0.1, 20, pct_start=0.3)),
        scheduled(lambda o: OneCycleLR(o, 0.1, 20, pct_start=0.5)),
        "scheduler._schedule_phases is",
    ),
    "schedulers in sequence": (
        scheduled(lambda o: SequentialLR(o, [StepLR(o, 2), StepLR(o, 3)], [4])),
        scheduled(lambda o: SequentialLR(o, [StepLR(o, 2), StepLR(o, 5)], [4])),
        "scheduler.1.step_size is 3 there and 5 here",
    ),
}


@pytest.mark.filterwarnings("ignore:.*scheduler.step.*:UserWarning")  # torch's own, from within SequentialLR
@pytest.mark.parametrize("name", OTHER_RUNS)
def test_the_checkpoint_of_another_run_is_refused_and_nothing_is_touched(name: str, tmp_path: Path) -> None:
    first, other, message = OTHER_RUNS[name]
    first().fit(3, tmp_path / "run.pt")
    assert_refused(tmp_path / "run.pt", other(), message)


@pytest.mark.parametrize("name", OTHER_RUNS)
def test_each_of_these_runs_does_go_on_by_itself(name: str, tmp_path: Path) -> None:
    """Else the refusals above would prove nothing."""
    if "sequence" in name:
        pytest.skip("see test_resumption.py")
    for build in OTHER_RUNS[name][:2]:
        build().fit(2, tmp_path / f"{build}.pt")
        assert len(build().fit(3, tmp_path / f"{build}.pt").loss) == 3


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "batch size": ({"batch_size": 3}, "batch_size is 2 there and 3 here"),
    "precision": ({"bf16": True}, "bf16 is False there and True here"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_so_is_the_same_run_called_otherwise(name: str, tmp_path: Path) -> None:
    settings, message = SETTINGS[name]
    Run().fit(3, tmp_path / "run.pt")
    assert_refused(tmp_path / "run.pt", Run(), message, **settings)


def test_a_longer_run_is_not_cut(tmp_path: Path) -> None:
    Run().fit(5, tmp_path / "run.pt")
    with pytest.raises(ValueError, match=r"run.pt has taken 5 steps, more than the 3 asked for"):
        Run().fit(3, tmp_path / "run.pt")


def test_the_way_out_that_the_error_names_works(tmp_path: Path) -> None:
    first, other = Run(), with_rate(1e-4)()
    first.fit(3, tmp_path / "run.pt")
    with pytest.raises(ValueError, match="another run") as caught:
        other.fit(6, tmp_path / "run.pt")
    advice = str(caught.value).split("another name: ")[1]
    eval(advice, {"method": other.method, "torch": torch})
    assert torch.equal(other.method.encoder[1].weight, first.method.encoder[1].weight)
    assert len(other.fit(3, tmp_path / "other.pt").loss) == 3
