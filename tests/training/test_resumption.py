"""A resumed training ends with the very weights of an unbroken one."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest
import torch
from helpers import easy_sampler, small_method
from torch import nn
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import MultiStepLR, OneCycleLR, SequentialLR, StepLR
from training_runs import KINDS, Run, assert_equal_histories, assert_equal_runs, seeded

from fslbook import NearestNeighbour, fit
from fslbook.tasks import SinusoidTasks


@pytest.mark.parametrize("kind", KINDS)
def test_resumed_training_equals_unbroken_training_bit_for_bit(kind: str, tmp_path: Path) -> None:
    unbroken = seeded(kind, 1)
    history = unbroken.fit(9)
    seeded(kind, 1).fit(4, tmp_path / "run.pt")
    resumed = seeded(kind, 2)
    with torch.no_grad():
        resumed.method.encoder[1].weight.fill_(7)  # whatever the new weights were, the saved ones count
    assert_equal_histories(resumed.fit(9, tmp_path / "run.pt"), history)
    assert_equal_runs(resumed, unbroken)


@pytest.mark.parametrize("kind", KINDS)
def test_the_very_objects_of_the_first_call_go_on_too(kind: str, tmp_path: Path) -> None:
    """In a notebook the cell that made the optimiser is not run again; its scheduler has moved by then."""
    unbroken = seeded(kind, 1)
    history = unbroken.fit(9)
    run = seeded(kind, 1)
    for steps in (4, 5, 9):
        resumed = run.fit(steps, tmp_path / "run.pt")
    assert_equal_histories(resumed, history)
    assert_equal_runs(run, unbroken)


def test_objects_old_and_new_may_take_turns(tmp_path: Path) -> None:
    """What has moved once never counts as a setting again, even where it stands still between two savings."""
    old = seeded("momentum and scheduler", 1)
    old.fit(3, tmp_path / "run.pt")
    old.fit(4, tmp_path / "run.pt")
    seeded("momentum and scheduler", 2).fit(5, tmp_path / "run.pt")


SCHEDULES = {
    "one cycle": lambda o: OneCycleLR(o, 0.1, total_steps=9),
    "milestones": lambda o: MultiStepLR(o, [2, 5], 0.5),
    "in sequence": lambda o: SequentialLR(o, [StepLR(o, 2), StepLR(o, 3)], milestones=[4]),
}


@pytest.mark.filterwarnings("ignore:.*scheduler.step.*:UserWarning")  # torch's own, from within SequentialLR
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_goes_on(schedule: str, tmp_path: Path) -> None:
    unbroken, first, second = (Run(scheduler=SCHEDULES[schedule]) for _ in range(3))
    history = unbroken.fit(9)
    first.fit(4, tmp_path / "run.pt")
    assert_equal_histories(second.fit(9, tmp_path / "run.pt"), history)
    assert_equal_runs(second, unbroken)
    assert second.optimizer.param_groups[0]["betas"] == unbroken.optimizer.param_groups[0]["betas"]
    if schedule == "milestones":
        assert isinstance(second.scheduler.milestones, Counter)


def test_the_runs_above_do_depend_on_what_is_saved() -> None:
    """Else the test of resumption would prove nothing: another seed must give other dropout."""
    first, second = seeded("dropout", 1), seeded("dropout", 2)
    assert first.fit(3).loss != second.fit(3).loss


@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_saves_and_the_same_call_resumes(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unbroken = seeded(kind, 1)
    history = unbroken.fit(9)
    broken, path = seeded(kind, 1), tmp_path / "deep" / "run.pt"
    forward_passes = []

    def interrupt(module: nn.Module, inputs: object, output: object) -> None:
        forward_passes.append(1)
        if len(forward_passes) == 5:
            signal.raise_signal(signal.SIGINT)

    broken.method.register_forward_hook(interrupt)
    assert broken.fit(9, path).interrupted
    assert f"stopped after step 5 of 9; the same call resumes from {path}" in capsys.readouterr().out
    resumed = seeded(kind, 2)
    second = resumed.fit(9, path)
    assert not second.interrupted
    assert_equal_histories(second, history)
    assert_equal_runs(resumed, unbroken)


def test_validation_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = {"validation": easy_sampler(seed=3), "validate_every": 2, "validation_episodes": 5}
    history = Run().fit(8, **settings)
    Run().fit(5, tmp_path / "run.pt", **settings)
    assert_equal_histories(Run().fit(8, tmp_path / "run.pt", **settings), history)
    assert history.validation_steps == [2, 4, 6, 8]


def test_a_finished_run_is_read_and_not_trained_further_nor_written(tmp_path: Path) -> None:
    first, again, path = Run(), Run(), tmp_path / "run.pt"
    history = first.fit(4, path)
    written = path.read_bytes(), path.stat().st_mtime_ns
    assert_equal_histories(again.fit(4, path), history)
    assert_equal_runs(again, first)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == written


def test_time_adds_up_over_resumptions(tmp_path: Path) -> None:
    first = Run().fit(4, tmp_path / "run.pt").seconds
    assert Run().fit(8, tmp_path / "run.pt").seconds > first > 0


def test_speed_alone_makes_no_other_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = Run().fit(9)
    Run().fit(4, tmp_path / "run.pt", cuda_graph=True)
    assert_equal_histories(Run().fit(9, tmp_path / "run.pt"), history)
    assert capsys.readouterr().out == "no CUDA graph: there are no CUDA graphs on cpu\n"


class Counting(nn.Module):
    """A method that keeps a diary: what moves while it trains is no setting."""

    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.width, self.calls, self.last = width, 0, None
        self.layer = nn.Linear(1, 1)

    def loss(self, batch: object) -> torch.Tensor:
        self.calls, self.last = self.calls + 1, 0.5
        return self.layer(batch.query_x).square().mean()


def test_a_method_may_count_its_steps(tmp_path: Path) -> None:
    torch.manual_seed(0)
    run = Run(Counting(), sampler=SinusoidTasks())
    for steps in (2, 4):
        assert len(run.fit(steps, tmp_path / "run.pt").loss) == steps
    assert len(Run(Counting(), sampler=SinusoidTasks()).fit(6, tmp_path / "run.pt").loss) == 6
    with pytest.raises(ValueError, match=r"method.width is 3 there and 4 here"):
        Run(Counting(4), sampler=SinusoidTasks()).fit(8, tmp_path / "run.pt")


def test_a_method_without_parameters_needs_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no parameters to train"):
        fit(NearestNeighbour(), easy_sampler(), 3, checkpoint=tmp_path / "run.pt")
    assert not (tmp_path / "run.pt").exists()


def test_the_rate_comes_back_into_its_own_tensor(tmp_path: Path) -> None:
    """A captured step reads that tensor, on its device; another one would be a constant to it."""
    path, rate = tmp_path / "run.pt", torch.tensor(0.5)
    fit_rate(lambda p: Adam(p, lr=torch.tensor(0.5)), path, steps=2)
    optimizer = fit_rate(lambda p: Adam(p, lr=rate), path, steps=2)
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.25)


def test_how_the_optimiser_computes_is_not_taken_from_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    fit_rate(lambda p: Adam(p, lr=0.5, foreach=True), path, steps=2)
    optimizer = fit_rate(lambda p: Adam(p, lr=torch.tensor(0.5), foreach=False), path, steps=2)
    assert optimizer.param_groups[0]["foreach"] is False
    assert optimizer.param_groups[0]["lr"] == 0.25


def fit_rate(make: object, path: Path, steps: int) -> Optimizer:
    """Train with this optimiser; the rate is halved after step 2."""
    run = Run(small_method(seed=0), make, lambda o: StepLR(o, 2, gamma=0.5))
    run.fit(steps, path)
    return run.optimizer
