"""The checkpoint of a run of another method, or with other settings of it, is refused with both values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import small_method
from torch import nn
from torch.nn import functional
from training_runs import Run, assert_refused

from fslbook import MAML, MatchingNetwork, PrototypicalNetwork, Reptile, SiameseNetwork
from fslbook.tasks import SinusoidTasks


def wide(width: int = 16, *more: nn.Module) -> PrototypicalNetwork:
    layers = nn.Flatten(1), nn.Linear(64, width), *more, nn.ReLU(), nn.Linear(width, 8)
    return PrototypicalNetwork(nn.Sequential(*layers))


def another() -> Run:
    class Another(PrototypicalNetwork):
        pass

    run = Run()
    run.method.__class__ = Another
    return run


class Doubled(nn.Sequential):
    """Computes in float64."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images.double())


def in_float64() -> Run:
    method = small_method(seed=0)
    method.encoder = Doubled(*method.encoder).double()
    return Run(method)


def maml(lr: float = 0.1, steps: int = 1, **options: Any) -> Run:
    return Run(MAML(nn.Sequential(nn.Flatten(1), nn.Linear(64, 5)), lr, steps, **options))


def sines(loss: Callable[..., Any]) -> Run:
    return Run(MAML(nn.Linear(1, 1), 0.01, loss=loss), sampler=SinusoidTasks())


def reptile(**options: Any) -> Run:
    return Run(Reptile(nn.Sequential(nn.Flatten(1), nn.Linear(64, 5)), **options))


def siamese(**options: Any) -> Run:
    return Run(SiameseNetwork(nn.Sequential(nn.Flatten(1), nn.Linear(64, 8)), n_features=8, **options))


def matching(scale: float) -> Run:
    return Run(MatchingNetwork(nn.Sequential(nn.Flatten(1), nn.Linear(64, 8)), scale))


class Own(nn.Module):
    """A reader's method: whatever it keeps as a plain attribute, at any depth, is a setting."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 1)
        self.part = nn.Module()
        vars(self.part).update(settings)

    def loss(self, batch: Any) -> torch.Tensor:
        return self.layer(batch.query_x.flatten(2)).square().mean()


def own(**settings: Any) -> Callable[[], Run]:
    return lambda: Run(Own(**settings))


OTHER_METHODS: dict[str, tuple[Callable[[], Run], Callable[[], Run], str]] = {
    "method": (Run, another, "method is 'PrototypicalNetwork' there and 'Another' here"),
    "width": (lambda: Run(wide()), lambda: Run(wide(4)), "out_features is 16 there and 4 here"),
    "layers": (lambda: Run(wide()), lambda: Run(wide(16, nn.Linear(16, 16))), "encoder.3"),
    "precision of weights": (Run, in_float64, r"float32 \[16, 64\] there and float64"),
    "inner rate": (maml, lambda: maml(7.0), "method.inner_lr is 0.1 there and 7 here"),
    "inner steps": (maml, lambda: maml(0.1, 2), "method.inner_steps is 1 there and 2 here"),
    "first order": (maml, lambda: maml(first_order=True), "method.first_order is False there and True here"),
    "test steps": (maml, lambda: maml(test_steps=3), "method.test_steps is None there and 3 here"),
    "what adapts": (maml, lambda: maml(adapted=("1",)), r"method.adapted is None there and \('1'\) here"),
    "inner loss": (
        lambda: sines(functional.mse_loss),
        lambda: sines(functional.l1_loss),
        "method.loss_function is mse_loss there and l1_loss here",
    ),
    "loss with an argument": (
        lambda: sines(partial(functional.huber_loss, delta=1.0)),
        lambda: sines(partial(functional.huber_loss, delta=2.0)),
        "method.loss_function is .*1.* there and .*2",
    ),
    "inner batch": (reptile, lambda: reptile(inner_batch=3), "method.inner_batch is 10 there and 3 here"),
    "loss of pairs": (
        siamese,
        lambda: siamese(loss="triplet"),
        "method.loss_name is 'contrastive' there and 'triplet'",
    ),
    "margin": (siamese, lambda: siamese(margin=2.0), "method.margin is 1 there and 2 here"),
    "scale": (lambda: matching(20.0), lambda: matching(1.0), "method.scale is 20 there and 1 here"),
    "dropout": (
        lambda: Run(wide(16, nn.Dropout(0.1))),
        lambda: Run(wide(16, nn.Dropout(0.5))),
        "method.encoder.2.p is 0.1 there and 0.5 here",
    ),
    "own number": (own(power=1.5), own(power=2), "method.part.power is 1.5 there and 2 here"),
    "own word": (own(_kind="max"), own(_kind="mean"), "method.part._kind is 'max' there and 'mean' here"),
    "own truth": (own(bias=True), own(bias=False), "method.part.bias is True there and False here"),
    "own None": (own(head=None), own(head=3), "method.part.head is None there and 3 here"),
    "own tuple": (own(sizes=(3, (4,))), own(sizes=(3, (5,))), r"method.part.sizes is \(3, \(4\)\) there"),
    "own table": (own(sizes={"a": 1}), own(sizes={"a": 2}), r"method.part.sizes is \('a', 1\) there"),
}


@pytest.mark.parametrize("name", OTHER_METHODS)
def test_the_checkpoint_of_another_method_is_refused_and_nothing_is_touched(name: str, tmp_path: Path) -> None:
    first, other, message = OTHER_METHODS[name]
    first().fit(3, tmp_path / "run.pt")
    assert_refused(tmp_path / "run.pt", other(), message)


@pytest.mark.parametrize("name", OTHER_METHODS)
def test_each_of_these_methods_does_go_on_by_itself(name: str, tmp_path: Path) -> None:
    """Else the refusals above would prove nothing."""
    for build in OTHER_METHODS[name][:2]:
        build().fit(2, tmp_path / f"{build}.pt")
        assert len(build().fit(3, tmp_path / f"{build}.pt").loss) == 3
