"""Training accuracy comes from the logits that the loss computes on its way; nothing has to be cleared by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from helpers import easy_sampler, small_method
from torch import Tensor, nn

from fslbook import MAML, Episode, OneQueryAtATime, fit
from fslbook.methods import FewShotMethod
from fslbook.training.watching import accuracy, watching


def learner() -> MAML:
    """It classifies on its way through the loss, so that `fit` sees its logits."""
    torch.manual_seed(0)
    return MAML(nn.Sequential(nn.Flatten(1), nn.Linear(64, 5)), 0.1)


def test_validation_does_not_count_as_training_accuracy() -> None:
    watched = fit(learner(), easy_sampler(), 4, validation=easy_sampler(seed=5), validate_every=2, progress=False)
    assert watched.accuracy == fit(learner(), easy_sampler(), 4, progress=False).accuracy


def test_only_what_is_computed_inside_the_block_is_seen() -> None:
    layer = nn.Linear(2, 3)
    with watching(layer) as seen:
        inside = layer(torch.ones(4, 2))
    layer(torch.zeros(5, 2))
    assert len(seen) == 1
    assert torch.equal(seen[0], inside)
    assert not seen[0].requires_grad
    assert not layer._forward_hooks


def test_no_hook_stays_on_the_method_even_after_an_error() -> None:
    method = small_method()
    fit(method, easy_sampler(), steps=2, progress=False)
    assert not method._forward_hooks
    with pytest.raises(ZeroDivisionError), watching(method):
        _ = 1 / 0
    assert not method._forward_hooks


def test_a_loss_without_logits_has_no_accuracy() -> None:
    class Regression(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def loss(self, episode: Episode) -> Tensor:
            return (self.weight * episode.query_x).square().mean()

    history = fit(Regression(), easy_sampler(), steps=3, progress=False)
    assert len(history.loss) == 3
    assert all(math.isnan(accuracy) for accuracy in history.accuracy)


def test_a_method_inside_another_is_not_counted_twice() -> None:
    inner = fit(small_method(), easy_sampler(), 3, progress=False)
    assert fit(OneQueryAtATime(small_method()), easy_sampler(), 3, progress=False).accuracy == inner.accuracy


class Answers(FewShotMethod):
    """A method whose loss asks itself several times, with anything as the answer."""

    def __init__(self, *answers: object) -> None:
        super().__init__()
        self.weight, self.answers = nn.Parameter(torch.ones(())), list(answers)

    def forward(self, answer: object) -> object:
        return answer

    def loss(self, batch: object) -> Tensor:
        for answer in self.answers:
            self(answer)
        return self.weight.square()


def right(batch: int, queries: int, classes: int, *more: int) -> Tensor:
    """Logits that are right for the labels 0."""
    logits = torch.zeros(batch, queries, classes, *more)
    logits[:, :, 0] = 1
    return logits


ZEROS = torch.zeros(2, 6, dtype=torch.int64)
CASES: dict[str, tuple[tuple[object, ...], object, float]] = {
    "at once": ((right(2, 6, 3),), ZEROS, 1.0),
    "task by task": ((right(1, 6, 3), -right(1, 6, 3)), ZEROS, 0.5),
    "a label for each pixel": ((right(2, 6, 3, 4, 5),), torch.zeros(2, 6, 4, 5, dtype=torch.int64), 1.0),
    "no answer": ((), ZEROS, math.nan),
    "no labels": ((right(2, 6, 3),), None, math.nan),
    "numbers as targets": ((torch.zeros(2, 6, 3),), torch.zeros(2, 6, 3), math.nan),
    "asked twice": ((right(2, 6, 3), right(2, 6, 3)), ZEROS, math.nan),
    "other queries": ((right(2, 4, 3),), ZEROS, math.nan),
    "one number per query": ((torch.zeros(2, 6),), ZEROS, math.nan),
    "no tensor": (({"logits": right(2, 6, 3)}, (right(2, 6, 3),), None), ZEROS, math.nan),
    "different shapes": ((right(1, 6, 3), right(1, 6, 4, 2)), ZEROS, math.nan),
}


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_belong_together_gives_no_accuracy_and_no_error(name: str) -> None:
    answers, labels, expected = CASES[name]
    sampler = SimpleNamespace(sample=lambda size: SimpleNamespace(query_y=labels))
    history = fit(Answers(*answers), sampler, 2, progress=False)
    assert history.accuracy == pytest.approx([expected] * 2, nan_ok=True)


def test_the_accuracy_lies_where_the_loss_lies() -> None:
    loss = torch.zeros((), dtype=torch.float64, device="meta")
    assert accuracy([], None, loss).is_meta
