"""Accuracy over episodes: the formula, the fast way against the plain way, paired differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import Float64Linear, blobs, devices, linear_prototypes, numbered_classes
from torch import nn

from fslbook import MAML, Conv4, Episode, EpisodeSampler, Evaluation, NearestNeighbour, PrototypicalNetwork, evaluate
from fslbook.evaluation.loop import tasks_that_fit
from fslbook.methods import OneQueryAtATime


def hard_sampler(device: str = "cpu", seed: int = 0) -> EpisodeSampler:
    """Noisy patterns: neither chance nor perfect, so that a wrong prediction shows in the numbers."""
    return EpisodeSampler(blobs(8, 10, noise=0.9).to(device), n_way=4, k_shot=2, n_query=5, seed=seed)


class BatchNormEncoder(nn.Module):
    """Convolution and a batch norm that always uses the statistics of the batch it is in."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.Flatten(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers.double()(images.double())


class ScaledByTheBatch(nn.Module):
    """Batch norm over single vectors, which refuses a batch of one image."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(64, track_running_stats=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.norm.double()(images.flatten(1).double())


class PlainModule(nn.Module):
    """A method that is no `EmbeddingMethod`: distances to the first support image of each class, in float64."""

    def forward(self, episode: Episode) -> torch.Tensor:
        support = episode.support_x.flatten(2).double()
        first = torch.stack([support[:, episode.support_y[0] == label][:, 0] for label in range(episode.n_way)], dim=1)
        queries = episode.query_x.flatten(2).double()
        return -(queries[:, :, None] - first[:, None]).square().sum(-1)


class Dice(nn.Module):
    """Random logits."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(0)

    def forward(self, episode: Episode) -> torch.Tensor:
        return torch.rand((*episode.query_x.shape[:2], episode.n_way), generator=self.generator)


def one_by_one(method: nn.Module, sampler: EpisodeSampler, n_episodes: int) -> list[float]:
    """Accuracies counted by hand, an episode at a time."""
    again, accuracies = sampler.restarted(), []
    with torch.no_grad():
        for _ in range(n_episodes):
            episode = again.sample()
            guesses = method.eval()(episode)[0].argmax(-1)
            hits = [int(guess) == int(label) for guess, label in zip(guesses, episode.query_y[0], strict=True)]
            accuracies.append(sum(hits) / len(hits))
    return accuracies


def test_mean_and_interval_follow_the_formula() -> None:
    accuracies = np.random.default_rng(0).random(37)
    result = Evaluation(torch.tensor(accuracies), "some episodes")
    assert math.isclose(result.mean, np.mean(accuracies), rel_tol=1e-12)
    spread = np.sqrt(np.sum((accuracies - np.mean(accuracies)) ** 2) / 36)
    assert math.isclose(result.ci95, 1.96 * spread / np.sqrt(37), rel_tol=1e-12)
    assert str(result) == f"{100 * result.mean:.2f} % ± {100 * result.ci95:.2f} (37 episodes)"


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("embed_once", [None, False, True])
@pytest.mark.parametrize("method", [linear_prototypes, lambda: NearestNeighbour(Float64Linear())])
def test_accuracies_equal_those_counted_by_hand(
    method: Callable[[], nn.Module], embed_once: bool | None, device: str
) -> None:
    network, sampler = method().to(device), hard_sampler(device)
    result = evaluate(network, sampler, 30, embed_once=embed_once)
    expected = one_by_one(network, sampler, 30)
    assert 0.3 < np.mean(expected) < 0.95
    assert result.per_episode.dtype == torch.float64
    assert result.per_episode.device.type == "cpu"
    np.testing.assert_allclose(result.per_episode.numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("method", "noise"), [(lambda: PrototypicalNetwork(Conv4(channels=4)), 0.3), (NearestNeighbour, 0.9)]
)
def test_embedding_once_changes_no_number_in_float32(method: Callable[[], nn.Module], noise: float) -> None:
    torch.manual_seed(0)
    network = method()
    sampler = EpisodeSampler(blobs(6, 10, size=16, noise=noise), n_way=5, k_shot=1, n_query=5)
    once, plain = (evaluate(network, sampler, 40, embed_once=choice) for choice in (True, False))
    assert torch.equal(once.per_episode, plain.per_episode)
    assert 0.2 < plain.mean < 0.99


@pytest.mark.parametrize("embed_once", [True, False])
def test_the_batch_size_changes_no_number(embed_once: bool) -> None:
    results = [
        evaluate(linear_prototypes(), hard_sampler(), 23, embed_once=embed_once, batch_size=size).per_episode
        for size in (1, 7, 23, 100, None)
    ]
    assert all(torch.equal(result, results[0]) for result in results)
    assert len(results[0]) == 23


def test_embedding_once_embeds_each_image_once_however_many_episodes() -> None:
    method, sampler, seen = linear_prototypes(), hard_sampler(), []
    for n_episodes in (100, 200):
        method.encoder.images_seen = 0
        evaluate(method, sampler, n_episodes)
        seen.append(method.encoder.images_seen)
    n_images = len(sampler.classes.images)
    assert seen[0] == seen[1]
    assert n_images <= seen[0] <= n_images + 32  # a few more find out that each image is embedded by itself


def test_few_episodes_embed_only_the_images_they_need() -> None:
    method = linear_prototypes()
    sampler = EpisodeSampler(blobs(200, 10), n_way=2, k_shot=1, n_query=2)
    evaluate(method, sampler, 3)
    assert method.encoder.images_seen == 3 * 2 * (1 + 2)


@pytest.mark.parametrize("encoder", [BatchNormEncoder, ScaledByTheBatch])
def test_batch_statistics_take_the_plain_way(encoder: type[nn.Module]) -> None:
    network, sampler = PrototypicalNetwork(encoder()), hard_sampler()
    result = evaluate(network, sampler, 30, batch_size=1)
    np.testing.assert_allclose(result.per_episode.numpy(), one_by_one(network, sampler, 30), rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="PrototypicalNetwork does not embed each image by itself"):
        evaluate(network, sampler, 30, embed_once=True)


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("embed_once", [None, False])
def test_episodes_with_batch_statistics_are_not_mixed_by_default(embed_once: bool | None, device: str) -> None:
    network = PrototypicalNetwork(BatchNormEncoder()).to(device)
    classes = blobs(8, 10, noise=0.9)
    floats = replace(classes, images=classes.images.double() / 255)  # of which a CPU too takes many episodes at a time
    sampler = EpisodeSampler(floats.to(device), n_way=4, k_shot=2, n_query=5)
    result = evaluate(network, sampler, 30, embed_once=embed_once)
    np.testing.assert_allclose(result.per_episode.numpy(), one_by_one(network, sampler, 30), rtol=0, atol=1e-12)
    mixed = evaluate(network, sampler, 30, batch_size=30).per_episode
    assert not torch.equal(mixed, result.per_episode)


def test_stored_batch_statistics_may_embed_once() -> None:
    network = PrototypicalNetwork(nn.Sequential(nn.Flatten(1), nn.BatchNorm1d(64)))
    sampler = hard_sampler()
    network.train()(sampler.restarted().sample())  # fills the stored statistics
    once, plain = (evaluate(network, sampler, 30, embed_once=choice) for choice in (True, False))
    assert torch.equal(once.per_episode, plain.per_episode)


@pytest.mark.parametrize("device", devices())
def test_any_module_that_makes_logits_can_be_evaluated(device: str) -> None:
    method, sampler = PlainModule(), hard_sampler(device)
    result = evaluate(method, sampler, 20)
    np.testing.assert_allclose(result.per_episode.numpy(), one_by_one(method, sampler, 20), rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="PlainModule does not embed each image by itself"):
        evaluate(method, sampler, 20, embed_once=True)


@pytest.mark.parametrize("n_way", [2, 5])
def test_random_logits_score_at_chance(n_way: int) -> None:
    sampler = EpisodeSampler(numbered_classes([8] * 9), n_way, k_shot=1, n_query=5)
    result = evaluate(Dice(), sampler, 2000)
    assert abs(result.mean - 1 / n_way) < 2 * result.ci95
    assert math.isclose(result.ci95, 1.96 * math.sqrt((1 / n_way) * (1 - 1 / n_way) / (5 * n_way) / 2000), rel_tol=0.1)


def test_the_sampler_is_left_where_it_was() -> None:
    sampler = hard_sampler()
    sampler.sample(3)
    state = sampler.generator.get_state()
    first, second = (evaluate(PlainModule(), sampler, 10) for _ in range(2))
    assert torch.equal(sampler.generator.get_state(), state)
    assert torch.equal(first.per_episode, second.per_episode)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_every_part_is_left_as_it_was(training: bool) -> None:
    method = PrototypicalNetwork(nn.Sequential(nn.Flatten(1), nn.BatchNorm1d(64), nn.Dropout())).train(training)
    method.encoder[1].eval()  # a frozen batch norm inside a method in training
    modes = [module.training for module in method.modules()]
    statistics = method.encoder[1].running_mean.clone()
    evaluate(method, hard_sampler(), 10)
    assert [module.training for module in method.modules()] == modes
    assert torch.equal(method.encoder[1].running_mean, statistics)


def test_dropout_is_off_while_evaluating() -> None:
    method = PrototypicalNetwork(nn.Sequential(Float64Linear(), nn.Dropout(0.9))).train()
    expected = evaluate(linear_prototypes(), hard_sampler(), 20).per_episode
    assert torch.equal(evaluate(method, hard_sampler(), 20).per_episode, expected)


def test_an_error_leaves_the_mode_as_it_was() -> None:
    class Broken(nn.Module):
        def forward(self, episode: Episode) -> torch.Tensor:
            raise RuntimeError("broken on purpose")

    method = Broken().train()
    with pytest.raises(RuntimeError, match="on purpose"):
        evaluate(method, hard_sampler(), 5)
    assert method.training


def test_no_gradient_is_kept() -> None:
    method = linear_prototypes()
    evaluate(method, hard_sampler(), 5)
    assert method.encoder.weight.grad is None
    assert torch.is_grad_enabled()


def test_paired_difference_is_taken_episode_by_episode() -> None:
    first, second = (evaluate(method, hard_sampler(), 50) for method in (linear_prototypes(), PlainModule()))
    difference = first - second
    expected = [a - b for a, b in zip(first.per_episode.tolist(), second.per_episode.tolist(), strict=True)]
    assert difference.per_episode.tolist() == expected
    assert math.isclose(difference.ci95, 1.96 * np.std(expected, ddof=1) / math.sqrt(50), rel_tol=1e-12)
    assert math.isclose(difference.mean, first.mean - second.mean, abs_tol=1e-12)


def test_paired_difference_refuses_other_episodes() -> None:
    method, sampler = linear_prototypes(), hard_sampler()
    result = evaluate(method, sampler, 20)
    with pytest.raises(ValueError, match=r"same episodes; got 20 of .*seed 0.* and 20 of .*seed 1"):
        result - evaluate(method, hard_sampler(seed=1), 20)
    with pytest.raises(ValueError, match=r"same episodes; got 20 of .* and 10 of "):
        result - evaluate(method, sampler, 10)
    with pytest.raises(ValueError, match=r"same episodes; got 20 of .*4-way.* and 20 of .*3-way"):
        result - evaluate(method, EpisodeSampler(sampler.classes, n_way=3, k_shot=2, n_query=5), 20)


def test_paired_difference_refuses_other_classes_of_the_same_number() -> None:
    classes = blobs(16, 10, noise=0.9)
    halves = classes.select(range(8)), classes.select(range(8, 16))
    first, second = (evaluate(NearestNeighbour(), EpisodeSampler(half, n_way=4, n_query=5), 20) for half in halves)
    with pytest.raises(ValueError, match="same episodes"):
        first - second


@pytest.mark.parametrize("n_episodes", [1, 0, -5, 2.5])
def test_too_few_episodes_are_refused(n_episodes: object) -> None:
    with pytest.raises(ValueError, match=f"n_episodes must be .*at least 2, got {n_episodes}"):
        evaluate(PlainModule(), hard_sampler(), n_episodes)


@pytest.mark.parametrize("batch_size", [0, -3, 1.5])
def test_impossible_batch_sizes_are_refused(batch_size: object) -> None:
    with pytest.raises(ValueError, match=f"batch_size must be .*at least 1, got {batch_size}"):
        evaluate(PlainModule(), hard_sampler(), 10, batch_size=batch_size)


def test_progress_bar_is_shown_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(PlainModule(), hard_sampler(), 10)
    assert "evaluate" not in capsys.readouterr().err
    evaluate(PlainModule(), hard_sampler(), 10, progress=True)
    assert "evaluate" in capsys.readouterr().err


def test_a_gpu_adapts_to_as_many_tasks_at_once_as_hold_two_thousand_images() -> None:
    images = torch.empty(100, 1, 28, 28, dtype=torch.uint8, device="meta")
    classes, method = SimpleNamespace(images=images), MAML(nn.Sequential(nn.Flatten(1), nn.Linear(784, 5)))
    for n_way, k_shot, number in ((5, 1, 25), (20, 5, 5), (100, 10, 1)):
        sampler = SimpleNamespace(classes=classes, n_way=n_way, k_shot=k_shot, n_query=15)
        assert tasks_that_fit(sampler, method) == tasks_that_fit(sampler, OneQueryAtATime(method)) == number
    on_cpu = SimpleNamespace(
        classes=SimpleNamespace(images=torch.empty(1, 1, 28, 28, dtype=torch.uint8)), n_way=5, k_shot=1, n_query=15
    )
    assert tasks_that_fit(on_cpu, method) == 1
