"""fit: learns, keeps a history, takes any optimiser and scheduler, stops cleanly."""

from __future__ import annotations

import math
import signal
import threading
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from helpers import blobs, devices, easy_sampler, small_method
from torch import nn
from torch.optim import SGD, Adam, AdamW, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, StepLR

from fslbook import MAML, Conv4, Episode, EpisodeSampler, History, NearestNeighbour, PrototypicalNetwork, evaluate, fit
from fslbook.methods import FewShotMethod
from fslbook.training.loop import REDRAWN


class Scripted(FewShotMethod):
    """A method whose loss calls `at_step(step)` first; what that returns is added to the loss."""

    def __init__(self, at_step) -> None:
        super().__init__()
        self.inner, self.at_step, self.step = small_method(), at_step, 0

    def forward(self, episode: Episode) -> torch.Tensor:
        return self.inner(episode)

    def loss(self, episode: Episode) -> torch.Tensor:
        self.step += 1
        return super().loss(episode) + (self.at_step(self.step) or 0.0)


def press_ctrl_c_at(*steps: int) -> Scripted:
    return Scripted(lambda step: signal.raise_signal(signal.SIGINT) if step in steps else None)


@pytest.mark.parametrize("device", devices())
def test_loss_falls_and_accuracy_rises_on_an_easy_task(device: str) -> None:
    method = small_method().to(device)
    before = evaluate(method, easy_sampler(device, seed=9), 100)
    history = fit(method, easy_sampler(device), steps=150, batch_size=4, progress=False)
    after = evaluate(method, easy_sampler(device, seed=9), 100)
    assert sum(history.loss[-20:]) < 0.5 * sum(history.loss[:20])
    assert sum(history.accuracy[-20:]) > sum(history.accuracy[:20])
    assert after.mean > before.mean + 0.05


def test_history_holds_every_step() -> None:
    history = fit(small_method(), easy_sampler(), steps=47, progress=False)
    assert len(history.loss) == len(history.accuracy) == 47
    assert all(math.isfinite(loss) for loss in history.loss)
    assert all(0 <= accuracy <= 1 for accuracy in history.accuracy)
    assert history.seconds > 0
    assert not history.interrupted
    assert history.validation_steps == history.validation_accuracy == history.validation_ci95 == []


def test_history_equals_a_plain_training_loop() -> None:
    method, sampler = small_method(), easy_sampler()
    optimizer, losses, accuracies = Adam(method.parameters(), lr=1e-3), [], []
    for _ in range(25):
        episode = sampler.sample(2)
        logits = method(episode)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), episode.query_y.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        accuracies.append((logits.argmax(-1) == episode.query_y).double().mean().item())
    other = small_method()
    history = fit(other, easy_sampler(), steps=25, batch_size=2, progress=False)
    assert history.loss == pytest.approx(losses, rel=1e-6)
    assert history.accuracy == pytest.approx(accuracies, rel=1e-6)
    for ours, plain in zip(other.parameters(), method.parameters(), strict=True):
        assert torch.allclose(ours, plain, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("optimizer", [SGD, Adam, AdamW, RMSprop])
def test_any_optimiser_trains(optimizer: type[torch.optim.Optimizer]) -> None:
    method = small_method()
    weights = [method.encoder[1].weight, method.encoder[1].bias, method.encoder[3].weight]  # the last bias cancels
    before = [p.clone() for p in weights]
    fit(method, easy_sampler(), steps=3, optimizer=optimizer(method.parameters(), lr=0.01), progress=False)
    assert all(not torch.equal(p, old) for p, old in zip(weights, before, strict=True))


def test_the_given_optimiser_is_the_one_that_steps() -> None:
    method, still = small_method(), small_method()
    fit(method, easy_sampler(), steps=3, optimizer=SGD(method.parameters(), lr=0.0), progress=False)
    assert all(torch.equal(a, b) for a, b in zip(method.parameters(), still.parameters(), strict=True))


def test_scheduler_steps_once_a_training_step() -> None:
    method = small_method()
    optimizer = SGD(method.parameters(), lr=1.0)
    fit(method, easy_sampler(), 5, optimizer=optimizer, scheduler=StepLR(optimizer, 2, gamma=0.1), progress=False)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01)
    optimizer = Adam(method.parameters(), lr=1.0)
    fit(method, easy_sampler(), 4, optimizer=optimizer, scheduler=CosineAnnealingLR(optimizer, 8), progress=False)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.5)


def test_a_frozen_parameter_stays() -> None:
    method = small_method()
    frozen = method.encoder[1].weight.requires_grad_(False)
    before = frozen.clone()
    fit(method, easy_sampler(), steps=5, progress=False)
    assert torch.equal(frozen, before)
    assert frozen.grad is None


def test_validation_is_recorded_and_changes_nothing_else() -> None:
    validation = easy_sampler(seed=5)
    settings = {"validation": validation, "validate_every": 3, "validation_episodes": 20}
    method, unwatched = small_method(nn.BatchNorm1d(16)), small_method(nn.BatchNorm1d(16))
    history = fit(method, easy_sampler(), steps=9, progress=False, **settings)
    plain = fit(unwatched, easy_sampler(), steps=9, progress=False)
    assert history.validation_steps == [3, 6, 9]
    result = evaluate(method, validation, 20)  # the last validation saw the final weights
    assert (history.validation_accuracy[-1], history.validation_ci95[-1]) == (result.mean, result.ci95)
    assert history.loss == plain.loss
    assert all(torch.equal(a, b) for a, b in zip(method.parameters(), unwatched.parameters(), strict=True))


def test_validation_does_not_count_as_training_accuracy() -> None:
    def learner() -> MAML:  # it classifies on its way through the loss, so that `fit` sees its logits
        torch.manual_seed(0)
        return MAML(nn.Sequential(nn.Flatten(1), nn.Linear(64, 5)), 0.1)

    watched = fit(learner(), easy_sampler(), 4, validation=easy_sampler(seed=5), validate_every=2, progress=False)
    assert watched.accuracy == fit(learner(), easy_sampler(), 4, progress=False).accuracy


def test_training_happens_in_training_mode() -> None:
    modes = []
    method = Scripted(lambda step: modes.append(method.inner.training)).eval()
    fit(method, easy_sampler(), 4, validation=easy_sampler(), validate_every=1, validation_episodes=2, progress=False)
    assert modes == [True] * 4


def test_a_loss_without_logits_has_no_accuracy() -> None:
    class Regression(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def loss(self, episode: Episode) -> torch.Tensor:
            return (self.weight * episode.query_x).square().mean()

    history = fit(Regression(), easy_sampler(), steps=3, progress=False)
    assert len(history.loss) == 3
    assert all(math.isnan(accuracy) for accuracy in history.accuracy)


def test_no_hook_stays_on_the_method() -> None:
    method = small_method()
    fit(method, easy_sampler(), steps=2, progress=False)
    assert not method._forward_hooks


@pytest.mark.parametrize("progress", [True, False])
def test_progress_bar_shows_loss_and_accuracy(progress: bool, capsys: pytest.CaptureFixture[str]) -> None:
    fit(small_method(), easy_sampler(), steps=40, progress=progress)
    shown = capsys.readouterr().err
    assert ("40/40" in shown and "loss=" in shown and "accuracy=" in shown) == progress


@pytest.mark.parametrize("device", devices())
def test_bf16_computes_the_encoder_in_bfloat16_and_the_logits_in_float32(device: str) -> None:
    torch.manual_seed(0)
    method = PrototypicalNetwork(Conv4(channels=4)).to(device)
    encoded, logits = [], []
    method.encoder[0][0].register_forward_hook(lambda module, inputs, output: encoded.append(output.dtype))
    method.register_forward_hook(lambda module, inputs, output: logits.append(output.dtype))
    sampler = EpisodeSampler(blobs(6, 4, size=16).to(device), n_way=3, k_shot=1, n_query=2)
    history = fit(method, sampler, steps=3, bf16=True, progress=False)
    assert set(encoded) == {torch.bfloat16}
    assert set(logits) == {torch.float32}
    assert all(math.isfinite(loss) for loss in history.loss)
    assert all(p.dtype == torch.float32 for p in method.parameters())


def test_bf16_is_off_unless_asked_for() -> None:
    method, encoded = small_method(), []
    method.encoder[1].register_forward_hook(lambda module, inputs, output: encoded.append(output.dtype))
    fit(method, easy_sampler(), steps=1, progress=False)
    assert encoded == [torch.float32]


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
    method.register_forward_hook(lambda module, inputs, output: evaluated.append(1) if not module.training else None)
    with pytest.raises(FloatingPointError, match="step"):
        fit(method, easy_sampler(), steps=6, checkpoint=checkpoint, progress=False, **settings)
    assert not checkpoint.exists()
    assert not evaluated


def test_the_bar_is_drawn_by_the_clock_and_not_at_every_reading(capsys: pytest.CaptureFixture[str]) -> None:
    history = fit(small_method(), easy_sampler(), 600)  # 30 readings
    drawn = capsys.readouterr().err
    assert drawn.count("\r") <= 3 + history.seconds / REDRAWN
    assert f"loss={history.loss[-1]:.3f}" in drawn.splitlines()[-1].split("\r")[-1]


def test_ctrl_c_ends_after_the_step_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    history = fit(press_ctrl_c_at(3), easy_sampler(), steps=10, progress=False)
    assert history.interrupted
    assert len(history.loss) == len(history.accuracy) == 3
    assert capsys.readouterr().out.strip() == "stopped after step 3 of 10"


def test_ctrl_c_from_a_timer_ends_the_training(capsys: pytest.CaptureFixture[str]) -> None:
    main = threading.main_thread().ident
    timer = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    history = fit(small_method(), easy_sampler(), steps=10**6, progress=False)
    timer.join()
    assert history.interrupted
    assert 0 < len(history.loss) < 10**6
    assert "stopped after step" in capsys.readouterr().out


def test_a_second_ctrl_c_stops_at_once() -> None:
    def press_twice(step: int) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(Scripted(press_twice), easy_sampler(), steps=10, progress=False)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_handler_of_ctrl_c_is_put_back() -> None:
    def mine(signum: int, frame: object) -> None:
        raise AssertionError("the training's own handler should have been called")

    before = signal.signal(signal.SIGINT, mine)
    try:
        fit(press_ctrl_c_at(2), easy_sampler(), steps=3, progress=False)
        assert signal.getsignal(signal.SIGINT) is mine
        with pytest.raises(FloatingPointError):
            fit(Scripted(lambda step: float("nan")), easy_sampler(), steps=3, progress=False)
        assert signal.getsignal(signal.SIGINT) is mine
    finally:
        signal.signal(signal.SIGINT, before)


def test_training_works_outside_the_main_thread() -> None:
    histories: list[History] = []
    thread = threading.Thread(target=lambda: histories.append(fit(small_method(), easy_sampler(), 3, progress=False)))
    thread.start()
    thread.join()
    assert len(histories[0].loss) == 3


def test_another_device_is_named_and_nothing_is_moved() -> None:
    sampler, method = easy_sampler(), small_method().to("meta")
    for call in (lambda: fit(method, sampler, 1, progress=False), lambda: evaluate(method, sampler, 2)):
        with pytest.raises(ValueError, match="is on meta, the images are on cpu"):
            call()


@pytest.mark.parametrize("accuracy", [[0.5, 0.6, 0.7], [math.nan] * 3])
def test_a_history_draws_itself_with_and_without_accuracies(accuracy: list[float]) -> None:
    figure = History(loss=[3.0, 2.0, 1.0], accuracy=accuracy).plot()
    left, right = figure.axes
    assert left.has_data()
    assert right.has_data() == (not math.isnan(accuracy[0]))
    plt.close(figure)
