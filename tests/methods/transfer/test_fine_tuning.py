"""Fine-tuning: zero steps are the nearest mean, tasks do not disturb each other, and the encoder stays as it is."""

from __future__ import annotations

import copy

import pytest
import torch
from helpers import feature_episode
from torch import nn
from torch.nn import functional as F

from fslbook import Episode, PrototypicalNetwork
from fslbook.methods import FineTuning

EPISODE = feature_episode((2, 3, 2), batch=2, n_query=4, features=6)


def encoder() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Tanh()).double()


def test_zero_steps_answer_as_prototypes_do() -> None:
    part = encoder().eval()
    expected = PrototypicalNetwork(part)(EPISODE).softmax(dim=-1)
    assert torch.allclose(FineTuning(part, steps=0)(EPISODE).softmax(dim=-1), expected, atol=1e-5)


def test_the_encoder_stays_as_it_is_and_each_task_begins_anew() -> None:
    part = encoder()
    before = copy.deepcopy(part.state_dict())
    method = FineTuning(part, steps=5, lr=0.1)
    together = method(EPISODE)
    assert all(torch.equal(before[name], x) for name, x in part.state_dict().items())
    assert torch.allclose(torch.cat([method(task) for task in EPISODE.tasks()]), together, atol=1e-6)


def test_steps_lower_the_loss_on_the_support() -> None:
    asked = Episode(EPISODE.support_x, EPISODE.support_y, EPISODE.support_x, EPISODE.support_y, 3)
    losses = [
        F.cross_entropy(FineTuning(encoder(), steps=steps, lr=0.01)(asked).flatten(0, 1), asked.targets.flatten())
        for steps in (0, 10, 100)
    ]
    assert losses[0] > losses[1] > losses[2]


@pytest.mark.parametrize("grad", [torch.no_grad, torch.inference_mode])
def test_it_can_be_asked_where_nothing_is_differentiated(grad: type) -> None:
    method = FineTuning(encoder(), steps=3)
    expected = method(EPISODE)
    with grad():
        assert torch.allclose(method(EPISODE), expected)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((torch.relu,), TypeError, "encoder"),
        ((nn.Identity(), -1), ValueError, "steps"),
        ((nn.Identity(), 3, 0.0), ValueError, "lr"),
    ],
)
def test_wrong_arguments_are_named(arguments: tuple[object, ...], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        FineTuning(*arguments)  # type: ignore[arg-type]
