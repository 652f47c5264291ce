"""The training loop: what it computes, and that it does nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from helpers import blobs, devices, easy_sampler, small_method
from torch import nn
from torch.optim import SGD, Adam, AdamW, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, StepLR
from training_runs import Scripted

from fslbook import Conv4, EpisodeSampler, PrototypicalNetwork, evaluate, fit


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


def test_training_happens_in_training_mode() -> None:
    modes = []
    method = Scripted(lambda step: modes.append(method.inner.training)).eval()
    fit(method, easy_sampler(), 4, validation=easy_sampler(), validate_every=1, validation_episodes=2, progress=False)
    assert modes == [True] * 4


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
