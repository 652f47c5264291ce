"""What the tests of training share: runs that are built anew each time, and methods that do as they are told."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import easy_sampler, small_method
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, StepLR

from fslbook import Episode, History, fit
from fslbook.methods import FewShotMethod


class Run:
    """A training run: by default prototypes, Adam, no scheduler."""

    def __init__(
        self,
        method: nn.Module | None = None,
        optimizer: Callable[[Any], Optimizer] | None = None,
        scheduler: Callable[[Optimizer], LRScheduler] | None = None,
        sampler: Any = None,
    ) -> None:
        self.method = small_method(seed=0) if method is None else method
        self.sampler = easy_sampler() if sampler is None else sampler
        self.optimizer = (optimizer or (lambda p: Adam(p, lr=0.01)))(self.method.parameters())
        self.scheduler = scheduler(self.optimizer) if scheduler else None

    def fit(self, steps: int, checkpoint: Path | None = None, **settings: Any) -> History:
        settings = {"batch_size": 2, "optimizer": self.optimizer, "scheduler": self.scheduler, **settings}
        return fit(self.method, self.sampler, steps, checkpoint=checkpoint, progress=False, **settings)


def momentum(parameters: Any) -> SGD:
    return SGD(parameters, lr=0.1, momentum=0.9)


KINDS: dict[str, Callable[[], Run]] = {
    "plain": Run,
    "momentum": lambda: Run(optimizer=momentum),
    "scheduler": lambda: Run(scheduler=lambda o: CosineAnnealingLR(o, 9)),
    "momentum and scheduler": lambda: Run(optimizer=momentum, scheduler=lambda o: StepLR(o, 2, gamma=0.5)),
    "dropout": lambda: Run(small_method(nn.Dropout(0.5), seed=0)),
    "batch norm": lambda: Run(small_method(nn.BatchNorm1d(16), seed=0)),
}


def seeded(kind: str, seed: int) -> Run:
    """A run of this kind, begun from this state of the global generator."""
    run = KINDS[kind]()
    torch.manual_seed(seed)
    return run


def assert_equal_runs(first: Run, second: Run) -> None:
    states = first.method.state_dict(), second.method.state_dict()
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert first.optimizer.param_groups[0]["lr"] == second.optimizer.param_groups[0]["lr"]


def assert_equal_histories(first: History, second: History) -> None:
    assert first.loss == second.loss
    assert first.accuracy == second.accuracy
    assert first.validation_steps == second.validation_steps
    assert first.validation_accuracy == second.validation_accuracy


class Scripted(FewShotMethod):
    """A method whose loss calls `at_step(step)` first; what that returns is added to the loss."""

    def __init__(self, at_step: Callable[[int], Any]) -> None:
        super().__init__()
        self.inner, self.at_step, self.step = small_method(), at_step, 0

    def forward(self, episode: Episode) -> Tensor:
        return self.inner(episode)

    def loss(self, episode: Episode) -> Tensor:
        self.step += 1
        extra = self.at_step(self.step)
        return super().loss(episode) + (0.0 if extra is None else extra)


def press_ctrl_c_at(*steps: int) -> Scripted:
    return Scripted(lambda step: signal.raise_signal(signal.SIGINT) if step in steps else None)


def assert_refused(path: Path, other: Run, message: str, **settings: Any) -> None:
    saved, before = path.read_bytes(), [p.clone() for p in other.method.parameters()]
    with pytest.raises(ValueError, match=rf"(?s)checkpoint .*run.pt is of another run: .*{message}"):
        other.fit(6, path, **settings)
    assert all(torch.equal(p, old) for p, old in zip(other.method.parameters(), before, strict=True))
    assert path.read_bytes() == saved
