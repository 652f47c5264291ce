"""Sine waves: their distribution, their use in training, checkpoints and evaluation."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import assert_close, blobs, devices
from torch import nn
from torch.nn import functional as F

from fslbook import MAML, Episode, EpisodeSampler, SinusoidTasks, evaluate_regression, fit


class Fixed(nn.Module):
    """Predicts c·(-cos x) in every task."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, episode: Episode) -> torch.Tensor:
        return -self.factor * torch.cos(episode.query_x)


def maml(seed: int = 0) -> MAML:
    torch.manual_seed(seed)
    return MAML(nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1)), 0.05, 2, loss=F.mse_loss)


@pytest.mark.parametrize("device", devices())
def test_points_lie_on_the_waves_that_were_drawn(device: str) -> None:
    tasks = SinusoidTasks(k_shot=5, n_query=7, seed=3, device=device)
    amplitude, phase = tasks.sample_waves(4)
    episode = tasks.points_on(amplitude, phase)
    shapes = [(4, 5, 1), (4, 5, 1), (4, 7, 1), (4, 7, 1)]
    points = [episode.support_x, episode.support_y, episode.query_x, episode.query_y]
    assert [tuple(x.shape) for x in points] == shapes
    assert episode.n_way == 1
    assert {x.device.type for x in points} == {tasks.device.type} == {device}
    for x, y in (points[:2], points[2:]):
        for task in range(4):
            a, p = float(amplitude[task]), float(phase[task])
            assert_close(y[task], a * np.sin(x[task].cpu().double().numpy() - p))


def test_amplitudes_phases_and_points_are_uniform_in_the_ranges_of_the_paper() -> None:
    tasks = SinusoidTasks(k_shot=10, n_query=10)
    amplitude, phase = tasks.sample_waves(20_000)
    x = tasks.points_on(amplitude[:2000], phase[:2000]).support_x.flatten()
    for values, low, high in ((amplitude, 0.1, 5.0), (phase, 0.0, math.pi), (x, -5.0, 5.0)):
        assert low <= values.min() and values.max() <= high
        shares = torch.histc(values, 10, low, high) / len(values)
        assert (shares - 0.1).abs().max() < 0.01


@pytest.mark.parametrize(("factor", "error"), [(0.0, 4.25), (1.6234, 3.01)])
def test_the_errors_without_adaptation_are_those_of_the_documentation(factor: float, error: float) -> None:
    # E[A] = 2.55 and E[cos φ] = 0, E[sin φ] = 2/π: the best factor is their product.
    assert math.isclose(2.55 * 2 / math.pi, 1.6234, rel_tol=1e-4)
    result = evaluate_regression(Fixed(factor), SinusoidTasks(n_query=50), 20_000)
    assert abs(result.mean - error) < 2 * result.ci95 + 0.005
    assert abs(result.ci95) < 0.1


def test_the_same_seed_gives_the_same_tasks_and_another_seed_others() -> None:
    first, again, other = (SinusoidTasks(seed=seed).sample(3) for seed in (1, 1, 2))
    assert torch.equal(first.support_y, again.support_y)
    assert not torch.equal(first.support_y, other.support_y)
    tasks = SinusoidTasks(seed=1)
    tasks.sample(3)
    assert torch.equal(tasks.restarted().sample(3).query_y, first.query_y)


def test_training_lowers_the_error_after_adaptation_and_has_no_accuracy() -> None:
    method, test = maml(), SinusoidTasks(5, 20, seed=1)
    before = evaluate_regression(method, test, 200)
    history = fit(
        method,
        SinusoidTasks(),
        200,
        batch_size=10,
        optimizer=torch.optim.Adam(method.parameters(), 0.01),
        progress=False,
    )
    assert evaluate_regression(method, test, 200).mean < before.mean - 0.5
    assert all(math.isnan(accuracy) for accuracy in history.accuracy)


def test_a_resumed_run_ends_with_the_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    unbroken, first, second = maml(0), maml(0), maml(5)
    settings = {"batch_size": 3, "progress": False}
    whole = fit(unbroken, SinusoidTasks(), 12, **settings)
    fit(first, SinusoidTasks(), 7, checkpoint=tmp_path / "run.pt", **settings)
    history = fit(second, SinusoidTasks(), 12, checkpoint=tmp_path / "run.pt", **settings)
    assert history.loss == whole.loss
    assert all(torch.equal(a, b) for a, b in zip(second.parameters(), unbroken.parameters(), strict=True))
    for other in (SinusoidTasks(seed=1), SinusoidTasks(5), EpisodeSampler(blobs(), n_query=1)):
        with pytest.raises(ValueError, match="is of another run"):
            fit(maml(), other, 20, checkpoint=tmp_path / "run.pt", **settings)


def test_errors_are_averaged_by_task_and_compared_in_pairs() -> None:
    tasks, method = SinusoidTasks(5, 8, seed=2), maml()
    result = evaluate_regression(method, tasks, 30)
    episode = SinusoidTasks(5, 8, seed=2).sample(30)
    predictions, expected = method.eval()(episode).detach().numpy(), []
    for ours, right in zip(predictions, episode.query_y.numpy(), strict=True):
        expected.append(np.mean([(a - b) ** 2 for a, b in zip(ours[:, 0], right[:, 0], strict=True)]))
    np.testing.assert_allclose(result.per_episode.numpy(), expected, rtol=1e-5)
    assert math.isclose(result.ci95, 1.96 * np.std(expected, ddof=1) / math.sqrt(30), rel_tol=1e-5)
    assert str(result) == f"{result.mean:.3f} ± {result.ci95:.3f} (30 tasks)"
    difference = result - evaluate_regression(Fixed(0.0), tasks, 30)
    assert "tasks" in str(difference)
    with pytest.raises(ValueError, match="same episodes"):
        result - evaluate_regression(method, SinusoidTasks(5, 8, seed=3), 30)


def test_evaluation_uses_the_steps_of_the_test_and_leaves_method_and_tasks() -> None:
    method, tasks = maml().train(), SinusoidTasks()
    method.test_steps = 0
    state = tasks.generator.get_state()
    error = evaluate_regression(method, tasks, 50).mean
    episode = SinusoidTasks().sample(50)
    assert error == pytest.approx(F.mse_loss(method.network(episode.query_x), episode.query_y).item(), rel=1e-5)
    assert method.training
    assert torch.equal(tasks.generator.get_state(), state)


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="k_shot must be a whole number of at least 1, got 0"):
        SinusoidTasks(0)
    with pytest.raises(ValueError, match=r"n_query must be a whole number of at least 1, got 0\.5"):
        SinusoidTasks(5, 0.5)
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1, got 0"):
        SinusoidTasks().sample(0)
    with pytest.raises(ValueError, match=r"n_tasks must be a whole number of at least 2, got 1"):
        evaluate_regression(maml(), SinusoidTasks(), 1)
    with pytest.raises(ValueError, match="MAML is on meta, the images are on cpu"):
        evaluate_regression(maml().to("meta"), SinusoidTasks(), 10)
