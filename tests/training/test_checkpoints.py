"""Checkpoints: a resumed training ends with the very weights of an unbroken one, and no damaged file is trusted."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers import blobs, easy_sampler, small_method
from torch import nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, StepLR

from fslbook import EpisodeSampler, History, NearestNeighbour, PrototypicalNetwork, fit


class Run:
    """A training run built anew each time, from another state of the global generator each time."""

    def __init__(self, *extra: nn.Module, momentum: bool = False, scheduler: type | None = None) -> None:
        self.method = small_method(*extra, seed=0)
        self.sampler = easy_sampler()
        self.optimizer: Optimizer = (
            SGD(self.method.parameters(), lr=0.1, momentum=0.9) if momentum else Adam(self.method.parameters(), lr=0.01)
        )
        self.scheduler: LRScheduler | None = None
        if scheduler is StepLR:
            self.scheduler = StepLR(self.optimizer, 2, gamma=0.5)
        elif scheduler is CosineAnnealingLR:
            self.scheduler = CosineAnnealingLR(self.optimizer, 9)

    def fit(self, steps: int, checkpoint: Path | None = None, **settings: object) -> History:
        return fit(
            self.method,
            self.sampler,
            steps,
            **{"batch_size": 2, "optimizer": self.optimizer, "scheduler": self.scheduler, **settings},
            checkpoint=checkpoint,
            progress=False,
        )


KINDS: dict[str, Callable[[], Run]] = {
    "plain": Run,
    "momentum": lambda: Run(momentum=True),
    "scheduler": lambda: Run(scheduler=CosineAnnealingLR),
    "momentum and scheduler": lambda: Run(momentum=True, scheduler=StepLR),
    "dropout": lambda: Run(nn.Dropout(0.5)),
    "batch norm": lambda: Run(nn.BatchNorm1d(16)),
}


def seeded(kind: str, seed: int) -> Run:
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


def test_a_finished_run_is_read_and_not_trained_further(tmp_path: Path) -> None:
    first, again = Run(), Run()
    history = first.fit(4, tmp_path / "run.pt")
    assert_equal_histories(again.fit(4, tmp_path / "run.pt"), history)
    assert_equal_runs(again, first)


def test_time_adds_up_over_resumptions(tmp_path: Path) -> None:
    first = Run().fit(4, tmp_path / "run.pt").seconds
    assert Run().fit(8, tmp_path / "run.pt").seconds > first > 0


def test_checkpoints_are_written_on_the_way(tmp_path: Path) -> None:
    path, seen, run = tmp_path / "run.pt", [], Run()

    def note(module: nn.Module, inputs: object, output: object) -> None:
        seen.append(len(torch.load(path, weights_only=True)["history"]["loss"]) if path.exists() else None)

    run.method.register_forward_hook(note)
    run.fit(6, path, checkpoint_every=2)
    assert seen == [None, None, 2, 2, 4, 4]
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def narrower() -> Run:
    run = Run()
    run.method = PrototypicalNetwork(nn.Sequential(nn.Flatten(1), nn.Linear(64, 4), nn.ReLU(), nn.Linear(4, 8)))
    run.optimizer = Adam(run.method.parameters(), lr=0.01)
    return run


def with_other_sampler(**change: object) -> Run:
    run = Run()
    settings = {"n_way": 5, "k_shot": 1, "n_query": 3, "seed": 0, **change}
    run.sampler = EpisodeSampler(run.sampler.classes, **settings)
    return run


def with_other_method() -> Run:
    class Another(PrototypicalNetwork):
        pass

    run = Run()
    run.method.__class__ = Another
    return run


OTHER_RUNS: dict[str, tuple[Callable[[], Run], dict[str, object], str]] = {
    "batch size": (Run, {"batch_size": 3}, "'batch_size': 2.*'batch_size': 3"),
    "seed": (lambda: with_other_sampler(seed=1), {}, "seed 0.*seed 1"),
    "shots": (lambda: with_other_sampler(k_shot=2), {}, "1-shot.*2-shot"),
    "optimiser": (lambda: Run(momentum=True), {}, "'optimizer': 'Adam'.*'optimizer': 'SGD'"),
    "scheduler": (lambda: Run(scheduler=StepLR), {}, "'scheduler': None.*'scheduler': 'StepLR'"),
    "method": (with_other_method, {}, "'PrototypicalNetwork'.*'Another'"),
    "width": (narrower, {}, "16.*4"),
    "layers": (lambda: Run(nn.Linear(16, 16)), {}, "encoder"),
}


@pytest.mark.parametrize("name", OTHER_RUNS)
def test_the_checkpoint_of_another_run_is_refused_and_nothing_is_touched(name: str, tmp_path: Path) -> None:
    build, settings, message = OTHER_RUNS[name]
    path = tmp_path / "run.pt"
    Run().fit(3, path)
    saved, other = path.read_bytes(), build()
    before = [p.clone() for p in other.method.parameters()]
    with pytest.raises(ValueError, match=rf"(?s)checkpoint .*run.pt is of another run.*{message}"):
        other.fit(6, path, **settings)
    assert all(torch.equal(p, old) for p, old in zip(other.method.parameters(), before, strict=True))
    assert path.read_bytes() == saved


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_is_refused(share: float, tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    Run().fit(3, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"checkpoint .*run.pt is damaged; delete it to start anew"):
        Run().fit(6, path)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    for content in (b"not a checkpoint at all", b"\x80\x02}q\x00"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"checkpoint .*run.pt is damaged"):
            Run().fit(6, path)
    for other in (small_method().state_dict(), [1, 2, 3], {"run": "unknown"}):
        torch.save(other, path)
        with pytest.raises(ValueError, match=r"checkpoint .*run.pt is (damaged|of another run)"):
            Run().fit(6, path)


def test_code_in_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    class Exploit:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "executed",))

    torch.save({"run": Exploit()}, tmp_path / "run.pt")
    with pytest.raises(ValueError, match="is damaged"):
        Run().fit(6, tmp_path / "run.pt")
    assert not (tmp_path / "executed").exists()


def test_a_save_that_breaks_off_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.pt"
    Run().fit(3, path)
    saved = path.read_bytes()

    def half_a_save(state: object, target: Path) -> None:
        target.write_bytes(saved[: len(saved) // 2])
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", half_a_save)
    with pytest.raises(OSError, match="no space left"):
        Run().fit(6, path)
    assert path.read_bytes() == saved
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_other_data_with_equally_many_classes_is_another_run(tmp_path: Path) -> None:
    Run().fit(3, tmp_path / "run.pt")
    other = Run()
    classes = blobs(20, 8).select(range(10, 20))
    other.sampler = EpisodeSampler(classes, n_way=5, k_shot=1, n_query=3)
    with pytest.raises(ValueError, match="is of another run"):
        other.fit(6, tmp_path / "run.pt")


def test_a_method_without_parameters_needs_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no parameters to train"):
        fit(NearestNeighbour(), easy_sampler(), 3, checkpoint=tmp_path / "run.pt")
    assert not (tmp_path / "run.pt").exists()


def test_the_rate_comes_back_into_its_own_tensor(tmp_path: Path) -> None:
    """A captured step reads that tensor, on its device; another one would be a constant to it."""
    path, layer = tmp_path / "run.pt", nn.Linear(1, 1)
    fit_rate(Adam(layer.parameters(), lr=torch.tensor(0.5)), path, steps=2)
    rate = torch.tensor(0.9)
    optimizer = Adam(layer.parameters(), lr=rate)
    fit_rate(optimizer, path, steps=2)
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.25)


def test_how_the_optimiser_computes_is_not_taken_from_the_checkpoint(tmp_path: Path) -> None:
    path, layer = tmp_path / "run.pt", nn.Linear(1, 1)
    fit_rate(Adam(layer.parameters(), lr=0.5, foreach=True), path, steps=2)
    optimizer = Adam(layer.parameters(), lr=0.9, foreach=False)
    fit_rate(optimizer, path, steps=2)
    assert optimizer.param_groups[0]["foreach"] is False
    assert optimizer.param_groups[0]["lr"] == 0.25


def fit_rate(optimizer: Optimizer, path: Path, steps: int) -> None:
    """Train a method with this optimiser's parameters; the rate is halved after step 2."""
    method = small_method(seed=0)
    method.extra = nn.ParameterList(optimizer.param_groups[0]["params"])
    scheduler = StepLR(optimizer, 2, gamma=0.5)
    sampler = easy_sampler()
    fit(method, sampler, steps, optimizer=optimizer, scheduler=scheduler, checkpoint=path, progress=False)


def test_a_checkpoint_of_another_kind_of_device_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    KINDS["plain"]().fit(2, path)
    saved = torch.load(path)
    assert saved["run"]["device"] == "cpu"
    saved["run"]["device"] = "cuda"
    torch.save(saved, path)
    with pytest.raises(ValueError, match="of another run"):
        KINDS["plain"]().fit(4, path)
