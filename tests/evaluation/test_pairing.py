"""Paired differences: taken episode by episode, and only between scores of the very same episodes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from helpers import blobs

from fslbook import EpisodeSampler, Evaluation, NearestNeighbour, RegressionEvaluation, SinusoidTasks, evaluate
from fslbook.evaluation import accuracy
from fslbook.tasks.episode import Episode

CLASSES = blobs(8, 10, noise=0.9)


def score_on(images: torch.Tensor) -> Evaluation:
    sampler = EpisodeSampler(replace(CLASSES, images=images), n_way=4, k_shot=2, n_query=5)
    return evaluate(NearestNeighbour(), sampler, 20)


@pytest.mark.parametrize(
    "other",
    [255 - CLASSES.images, CLASSES.images.flip(0), CLASSES.images[..., ::2], CLASSES.images.float() / 255],
    ids=["inverted", "other order", "smaller", "another type"],
)
def test_other_data_under_the_same_names_do_not_pair(other: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"a paired difference needs the same episodes; got 20 of .*content"):
        score_on(CLASSES.images) - score_on(other)


def test_a_copy_of_the_data_pairs() -> None:
    difference = score_on(CLASSES.images) - score_on(CLASSES.images.clone())
    assert difference.per_episode.tolist() == [0.0] * 20


def test_episodes_of_another_kind_of_device_do_not_pair() -> None:
    ours = score_on(CLASSES.images)
    theirs = replace(ours, episodes=ours.episodes.replace("on cpu", "on cuda"))
    assert theirs.episodes != ours.episodes
    with pytest.raises(ValueError, match="same episodes"):
        ours - theirs


def test_another_score_of_the_same_episodes_does_not_pair() -> None:
    def errors(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return 1 - accuracy(logits, labels)

    sampler = EpisodeSampler(CLASSES, n_way=4, k_shot=2, n_query=5)
    first, second = (evaluate(NearestNeighbour(), sampler, 20, score=score) for score in (accuracy, errors))
    assert first.mean == pytest.approx(1 - second.mean)
    with pytest.raises(ValueError, match="a paired difference needs the same score, got accuracy and errors"):
        first - second


def test_waves_are_scored_by_their_squared_error_and_pair_among_themselves() -> None:
    class Zero(torch.nn.Module):
        def forward(self, episode: Episode) -> torch.Tensor:
            return torch.zeros_like(episode.query_x)

    result = evaluate(Zero(), SinusoidTasks(seed=3), 30)
    wanted = SinusoidTasks(seed=3).sample(30).query_y.square().mean(dim=(1, 2))
    torch.testing.assert_close(result.per_episode, wanted.double(), rtol=1e-6, atol=0)
    assert isinstance(result, RegressionEvaluation)
    assert result.score == "squared error"
    with pytest.raises(ValueError, match="same episodes"):
        result - evaluate(Zero(), SinusoidTasks(seed=4), 30)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.5], r"per_episode must be \[E\] with at least 2 values, got \[1\]"),
        ([[0.5, 0.5]], r"per_episode must be \[E\] with at least 2 values, got \[1, 2\]"),
        ([0.5, float("nan")], "1 of 2 values of accuracy are NaN or infinite"),
        ([0.5, float("inf")], "1 of 2 values of accuracy are NaN or infinite"),
    ],
)
def test_values_without_a_mean_or_a_spread_are_refused(values: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Evaluation(torch.tensor(values), "some episodes")
