"""What `fit` is given is checked before the first step, and a `fit` that fails leaves nothing behind."""

from __future__ import annotations

import signal
from typing import Any

import pytest
import torch
from helpers import easy_sampler, small_method
from torch import nn
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import OneCycleLR
from training_runs import Run, Scripted, press_ctrl_c_at

from fslbook import NearestNeighbour, evaluate, fit
from fslbook.training.optimizers import check_optimizer


@pytest.mark.parametrize("name", ["steps", "batch_size", "validate_every", "validation_episodes", "checkpoint_every"])
@pytest.mark.parametrize("value", [0, -1, 2.5])
def test_impossible_sizes_are_refused_before_training(name: str, value: object) -> None:
    method = press_ctrl_c_at()
    with pytest.raises(ValueError, match=rf"{name} must be a whole number of at least \d, got {value}"):
        fit(method, easy_sampler(), **{"steps": 5, "validation": easy_sampler(), "progress": False, name: value})
    assert method.step == 0


def test_nothing_to_train_is_refused() -> None:
    with pytest.raises(ValueError, match="NearestNeighbour has no parameters to train"):
        fit(NearestNeighbour(), easy_sampler(), steps=3)
    with pytest.raises(ValueError, match="PrototypicalNetwork has no parameters to train"):
        fit(small_method().requires_grad_(False), easy_sampler(), steps=3)


def test_another_device_is_named_and_nothing_is_moved() -> None:
    sampler, method = easy_sampler(), small_method().to("meta")
    for call in (lambda: fit(method, sampler, 1, progress=False), lambda: evaluate(method, sampler, 2)):
        with pytest.raises(ValueError, match="is on meta, the images are on cpu"):
            call()


def test_a_closed_optimiser_has_to_hold_what_learns() -> None:
    """Frozen parameters may be missing or there; one that must not be learned, yet adapts, gets the rate 0."""
    method = small_method()
    method.encoder[1].requires_grad_(False)
    check_optimizer(Adam(method.parameters()), method)
    check_optimizer(Adam([p for p in method.parameters() if p.requires_grad]), method)
    body, head = method.encoder[1], method.encoder[3]
    body.requires_grad_(True)
    before = head.weight.clone()
    groups = [{"params": body.parameters()}, {"params": head.parameters(), "lr": 0.0}]
    fit(method, easy_sampler(), 3, optimizer=SGD(groups, lr=0.1), progress=False)
    assert torch.equal(head.weight, before)


def test_a_schedule_of_just_enough_steps_goes_through() -> None:
    assert len(Run(scheduler=lambda o: OneCycleLR(o, 0.1, total_steps=3)).fit(3).loss) == 3


class Sampling:
    """Draws episodes, or fails at the third."""

    def __init__(self) -> None:
        self.drawn, self.inner = 0, easy_sampler()

    def sample(self, batch_size: int) -> Any:
        self.drawn += 1
        if self.drawn == 3:
            raise RuntimeError("no more episodes")
        return self.inner.sample(batch_size)


def traces(method: nn.Module) -> list[Any]:
    """What a training could leave behind."""
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    hooks = [len(module._forward_hooks) for module in method.modules()]
    return [handlers, hooks, [module.training for module in method.modules()], torch.is_grad_enabled()]


@pytest.mark.parametrize("frozen", ["encoder", ""])
def test_a_fit_that_fails_leaves_nothing_behind(frozen: str, capsys: pytest.CaptureFixture[str]) -> None:
    method = small_method(nn.BatchNorm1d(16)).train(not frozen)
    before = traces(method)
    with pytest.raises(RuntimeError, match="no more episodes"):
        fit(method, Sampling(), 5)
    assert traces(method) == before
    assert capsys.readouterr().err.count("\n") == 1  # its bar is closed
    with pytest.raises(ValueError, match="single number"):
        fit(Scripted(lambda step: torch.ones(2)).train(not frozen), Sampling(), 5, progress=False)
    assert traces(method) == before


@pytest.mark.parametrize("training", [True, False])
def test_a_fit_that_ends_puts_every_part_back_into_its_mode(training: bool) -> None:
    method = small_method(nn.BatchNorm1d(16)).train(training)
    method.encoder[2].train(not training)
    before = traces(method)
    fit(method, easy_sampler(), 2, progress=False)
    assert traces(method) == before


def test_what_cannot_be_validated_stops_the_training_before_it_begins() -> None:
    """Else it would stop it after `validate_every` steps."""
    method = Scripted(lambda step: None)
    for validation in (Sampling(), "novel classes", small_method()):
        with pytest.raises((ValueError, TypeError)):
            fit(method, easy_sampler(), 3, validation=validation, progress=False)
    assert method.step == 0


class Draws(nn.Module):
    """A method whose answers are random, and whose loss is too."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, episode: Any) -> torch.Tensor:
        return torch.rand(*episode.query_x.shape[:2], episode.n_way)

    def loss(self, episode: Any) -> torch.Tensor:
        return (self.weight - torch.rand(())).square()


def test_to_try_the_validation_moves_no_random_number() -> None:
    torch.manual_seed(0)
    plain = fit(Draws(), easy_sampler(), 3, progress=False)
    torch.manual_seed(0)
    assert fit(Draws(), easy_sampler(), 3, validation=easy_sampler(), progress=False).loss == plain.loss
