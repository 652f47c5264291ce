"""Files from before the checksums, which say less of their run, still go on; what they do say is compared."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import blobs
from torch import nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import OneCycleLR, StepLR
from training_runs import Run

from fslbook import EpisodeSampler, PrototypicalNetwork

OLD = Path(__file__).parent / "saved" / "before_checksums.pt"
"""Written after 4 steps by the code of version 0.1, for the run that `as_then` builds."""

LOSSES = [1.42696, 2.88278, 1.11323, 1.02942, 1.33974, 1.13608, 1.58978, 1.49338, 0.80467]
"""Of the same run, unbroken, with the code of then."""


def as_then(make: Any = lambda p: Adam(p, lr=0.01), pace: int = 2, width: int = 4, seed: int = 0) -> Run:
    torch.manual_seed(0)
    method = PrototypicalNetwork(nn.Sequential(nn.Flatten(1), nn.Linear(16, width), nn.BatchNorm1d(width)))
    sampler = EpisodeSampler(blobs(6, 6, size=4, noise=0.5), n_way=3, k_shot=1, n_query=2, seed=seed)
    return Run(method, make, lambda o: StepLR(o, pace, gamma=0.5), sampler)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(OLD, tmp_path / "run.pt"))


def test_an_old_file_goes_on_and_becomes_a_new_one(path: Path) -> None:
    assert "sha256" not in torch.load(path)
    run = as_then()
    history = run.fit(9, path)
    assert history.loss == pytest.approx(LOSSES, rel=1e-3)
    assert run.optimizer.param_groups[0]["lr"] == 0.01 / 16
    assert "sha256" in torch.load(path)
    assert as_then().fit(9, path).loss == history.loss


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "rate": ({"make": lambda p: Adam(p, lr=0.5)}, "optimizer.0.initial_lr is 0.01 there and 0.5 here"),
    "decay": (
        {"make": lambda p: Adam(p, lr=0.01, weight_decay=0.1)},
        "optimizer.0.weight_decay is 0 there and 0.1 here",
    ),
    "optimiser": ({"make": lambda p: SGD(p, lr=0.01)}, "optimizer is 'Adam' there and 'SGD' here"),
    "width": ({"width": 5}, r"encoder.1.weight is float32 \[4, 16\] there and float32 \[5, 16\] here"),
    "seed": ({"seed": 1}, "episodes is .*seed 0' there and .*seed 1' here"),
    "groups": (
        {"make": lambda p: Adam([{"params": [x]} for x in p], lr=0.01)},
        r"optimizer groups is \[4\] there and \[1, 1, 1, 1\] here",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_says_is_compared(name: str, path: Path) -> None:
    change, message = REFUSED[name]
    with pytest.raises(ValueError, match=f"of another run: .*{message}"):
        as_then(**change).fit(9, path)


def test_a_rate_without_a_schedule_is_compared_as_it_is(path: Path) -> None:
    rewritten(path, scheduler=None)
    for lr, says in ((0.0025, None), (0.5, "optimizer.0.lr is 0.0025 there and 0.5 here")):
        run = as_then(lambda p, lr=lr: Adam(p, lr=lr))
        run.scheduler = None
        for group in run.optimizer.param_groups:
            del group["initial_lr"]
            group["lr"] = lr
        if says is None:
            assert len(run.fit(5, path).loss) == 5
            rewritten(shutil.copy(OLD, path), scheduler=None)
            continue
        with pytest.raises(ValueError, match=says):
            run.fit(5, path)


def rewritten(path: Path, scheduler: Any) -> None:
    """The old file as it would be after a training with no scheduler, or with another one."""
    saved = torch.load(path)
    saved["run"]["scheduler"] = scheduler and type(scheduler).__name__
    saved["scheduler"] = scheduler and scheduler.state_dict()
    if scheduler is None:
        del saved["optimizer"]["param_groups"][0]["initial_lr"]
    torch.save(saved, path)


def test_what_a_cycle_has_moved_is_not_compared(path: Path) -> None:
    """A one-cycle schedule moves the betas of Adam too; an old file says but where they are now."""

    def cycle(optimizer: Optimizer) -> OneCycleLR:
        return OneCycleLR(optimizer, 0.1, total_steps=20)

    run = as_then()
    run.optimizer = Adam(run.method.parameters(), lr=0.01)
    run.scheduler = cycle(run.optimizer)
    saved = torch.load(path)
    saved["run"]["scheduler"] = "OneCycleLR"
    saved["scheduler"] = run.scheduler.state_dict()
    group = dict(run.optimizer.param_groups[0], params=[0, 1, 2, 3], betas=(0.87, 0.999), lr=0.03)
    saved["optimizer"]["param_groups"] = [group]
    torch.save(saved, path)
    assert len(run.fit(6, path).loss) == 6
