"""A training that has gone to NaN or infinity stops, and neither validates nor saves what is left."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from helpers import easy_sampler, small_method
from torch import Tensor, nn
from training_runs import Run, Scripted

from fslbook import Episode, fit
from fslbook.training.requirements import broken_weights


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_training(bad: float, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    method = Scripted(lambda step: bad if step == 7 else None)
    with pytest.raises(FloatingPointError, match=r"loss is .*not finite.*step"):
        fit(method, easy_sampler(), steps=200, checkpoint=checkpoint, progress=False)
    assert method.step <= 7 + 20
    assert not checkpoint.exists()


@pytest.mark.parametrize("every", ["validate_every", "checkpoint_every"])
def test_broken_weights_are_neither_validated_nor_saved(every: str, tmp_path: Path) -> None:
    checkpoint, evaluated = tmp_path / "run.pt", []
    settings = {"validation": easy_sampler(seed=1), "validate_every": 100, "checkpoint_every": 100, every: 3}
    method = Scripted(lambda step: float("nan") if step == 2 else None)
    method.register_forward_hook(
        lambda module, inputs, output: evaluated.append(module.step) if not module.training else None
    )
    with pytest.raises(FloatingPointError, match="step"):
        fit(method, easy_sampler(), steps=6, checkpoint=checkpoint, progress=False, **settings)
    assert not checkpoint.exists()
    assert set(evaluated) <= {0}  # tried before the first step


class SquareRoot(nn.Module):
    """Its loss is finite at 0, and its gradient is not."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def loss(self, batch: Episode) -> Tensor:
        return (self.weight * 0).sqrt()


@pytest.mark.parametrize("saved_at", [1, 500])
def test_a_step_that_breaks_the_weights_is_noticed_before_they_are_saved(saved_at: int, tmp_path: Path) -> None:
    """Also in the last step, after which no loss would show it."""
    run = Run(SquareRoot())
    with pytest.raises(
        FloatingPointError, match=r"after step 1: weight \(1 of its 1 numbers\); lower the learning rate"
    ):
        run.fit(1, tmp_path / "run.pt", checkpoint_every=saved_at)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_broken_from_the_start_are_named(bad: float) -> None:
    method = small_method()
    method.encoder[3].bias.data[2:4] = bad
    with pytest.raises(
        ValueError, match=r"PrototypicalNetwork cannot be trained .*encoder.3.bias \(2 of its 8 numbers\)"
    ):
        fit(method, easy_sampler(), 3, progress=False)


def test_running_statistics_may_not_be_nan_but_masks_may_be_infinite() -> None:
    method = small_method(nn.BatchNorm1d(16))
    method.register_buffer("mask", torch.full((3,), -torch.inf))
    assert len(fit(method, easy_sampler(), 2, progress=False).loss) == 2
    method.encoder[2].running_mean[0] = torch.nan
    assert broken_weights(method) == "encoder.2.running_mean (1 of its 16 numbers)"
