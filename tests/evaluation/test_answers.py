"""What `evaluate` asks, and which answers it refuses instead of scoring them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from helpers import blobs
from torch import Tensor, nn

from fslbook import Conv4, Episode, EpisodeSampler, PrototypicalNetwork, SinusoidTasks, evaluate, evaluate_regression

SAMPLER = EpisodeSampler(blobs(8, 10, noise=0.9), n_way=4, k_shot=1, n_query=1)  # as many queries as classes
WAVES = SinusoidTasks(n_query=6)


class Answers(nn.Module):
    """Gives whatever `make(episode)` makes."""

    def __init__(self, make: Callable[[Episode], object]) -> None:
        super().__init__()
        self.make = make

    def forward(self, episode: Episode) -> object:
        return self.make(episode)


def logits(episode: Episode) -> Tensor:
    return torch.zeros(*episode.query_x.shape[:2], episode.n_way)


WRONG = {
    "transposed targets in place of logits": lambda e: torch.zeros(e.batch_size, e.n_way),
    "one row for all queries": lambda e: logits(e)[:, :1],
    "a column too many": lambda e: torch.zeros(*e.query_x.shape[:2], e.n_way + 1),
    "a column too few": lambda e: logits(e)[..., :-1],
    "a dimension too many": lambda e: logits(e)[..., None],
    "labels": lambda e: logits(e).argmax(-1),
    "whole numbers": lambda e: logits(e).long(),
    "truth values": lambda e: logits(e).bool(),
    "nothing": lambda e: None,
    "an array": lambda e: logits(e).numpy(),
    "a list": lambda e: logits(e).tolist(),
    "two things": lambda e: (logits(e), None),
}


@pytest.mark.parametrize("kind", WRONG)
def test_answers_of_another_shape_or_type_are_refused(kind: str) -> None:
    with pytest.raises(
        ValueError, match=r"Answers must give floating-point logits \[B, Q, N, ...\] = \[1, 4, 4\], got"
    ):
        evaluate(Answers(WRONG[kind]), SAMPLER, 5)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_not_finite_are_refused(value: float) -> None:
    def spoilt(episode: Episode) -> Tensor:
        answers = logits(episode)
        answers[0, 2, 1] = value
        return answers

    with pytest.raises(ValueError, match="Answers gave logits that are not finite"):
        evaluate(Answers(spoilt), SAMPLER, 5)


def test_an_impossible_class_may_have_minus_infinity_but_not_every_class() -> None:
    def without_the_last(episode: Episode) -> Tensor:
        answers = logits(episode)
        answers[..., -1] = -torch.inf
        return answers

    assert 0 <= evaluate(Answers(without_the_last), SAMPLER, 5).mean <= 1
    with pytest.raises(ValueError, match="not finite"):
        evaluate(Answers(lambda e: logits(e) - torch.inf), SAMPLER, 5)


@pytest.mark.parametrize("embed_once", [None, True, False])
def test_a_network_with_nan_weights_is_named(embed_once: bool | None) -> None:
    method = PrototypicalNetwork(Conv4(channels=4))
    nn.init.constant_(next(method.parameters()), torch.nan)
    sampler = EpisodeSampler(blobs(8, 10, size=16), n_way=4, k_shot=1, n_query=1)
    with pytest.raises(ValueError, match=r"PrototypicalNetwork gave (features|logits) that are not finite"):
        evaluate(method, sampler, 50, embed_once=embed_once)


def test_the_query_labels_are_taken_away_before_the_method_is_asked() -> None:
    seen = []

    def look(episode: Episode) -> Tensor:
        seen.append(episode.query_y)
        return logits(episode)

    evaluate(Answers(look), SAMPLER, 3)
    assert len(seen) >= 3 and set(seen) == {None}


def test_a_method_that_peeks_is_told_why_it_fails() -> None:
    with pytest.raises(AttributeError) as caught:
        evaluate(Answers(lambda e: nn.functional.one_hot(e.query_y.clone(), e.n_way).float()), SAMPLER, 3)
    assert any("an answer must not depend on them" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("make", [lambda e: e.query_x[..., 0], lambda e: e.query_x[:, :1], lambda e: e.query_x.long()])
def test_predictions_of_another_shape_are_refused(make: Callable[[Episode], Tensor]) -> None:
    with pytest.raises(
        ValueError, match=r"Answers must give floating-point predictions \[B, Q, D\] = \[5, 6, 1\], got"
    ):
        evaluate_regression(Answers(make), WAVES, 5)


def test_predictions_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="Answers gave predictions that are not finite"):
        evaluate_regression(Answers(lambda e: e.query_x / 0), WAVES, 5)


def test_labels_have_no_squared_error() -> None:
    with pytest.raises(ValueError, match="the targets of these tasks are labels, not numbers; take `evaluate`"):
        evaluate_regression(Answers(logits), SAMPLER, 5)


def test_a_score_that_is_not_one_number_per_task_is_refused() -> None:
    def of_all(answers: Tensor, labels: Tensor) -> Tensor:
        return (answers.argmax(2) == labels).double().mean()

    with pytest.raises(ValueError, match=r"score of all must give one number per task, \[B\] = \[1\], got \[\]"):
        evaluate(Answers(logits), SAMPLER, 5, score=of_all)


def test_labels_of_pixels_are_scored_pixel_by_pixel() -> None:
    class Pixels:
        """Two tasks, over and over; the label of a pixel is whether it has ink."""

        device, calls = torch.device("cpu"), 0
        generator = torch.Generator()

        def sample(self, batch_size: int = 1) -> Episode:
            self.calls += 1
            x = torch.arange(16.0).view(1, 1, 1, 4, 4).gt(7 + self.calls % 2).float()
            return Episode(x, x[:, :, 0].long(), x, x[:, :, 0].long(), n_way=2)

        def restarted(self) -> Pixels:
            return Pixels()

    def all_ink_below(episode: Episode) -> Tensor:
        guess = torch.arange(16).view(4, 4).gt(7).long()
        return nn.functional.one_hot(guess, 2).movedim(-1, 0).float().expand(episode.batch_size, 1, 2, 4, 4)

    result = evaluate(Answers(all_ink_below), Pixels(), 4)
    np.testing.assert_allclose(result.per_episode, [15 / 16, 1, 15 / 16, 1])


@pytest.mark.parametrize("method", [PrototypicalNetwork, lambda e: logits(e), None, "prototypes"])
def test_what_is_no_module_is_refused(method: object) -> None:
    with pytest.raises(ValueError, match="method must be a module that answers episodes, got"):
        evaluate(method, SAMPLER, 5)


@pytest.mark.parametrize("sampler", [None, [1], SAMPLER.classes, SAMPLER.sample()])
def test_what_is_no_sampler_is_refused(sampler: object) -> None:
    with pytest.raises(ValueError, match="sampler must draw episodes and have restarted"):
        evaluate(Answers(logits), sampler, 5)


def test_numpy_integers_are_numbers_of_episodes() -> None:
    result = evaluate(Answers(logits), SAMPLER, np.int64(5), batch_size=np.int32(2))
    assert len(result.per_episode) == 5
