"""A recurrent learner: what it may know at each step, and that it learns to learn."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from helpers import assert_close, feature_episode
from torch import nn
from torch.optim import Adam

from fslbook import FewShotClassifier, OneQueryAtATime, evaluate, fit
from fslbook.data import ImageClasses
from fslbook.methods.memory.sequence_learner import SequenceLearner, reading_order
from fslbook.networks.readers import FeedForwardReader, LSTMReader, MemoryReader
from fslbook.tasks import EpisodeSampler
from fslbook.tasks.sequences import LabelledSequence, SequenceSampler

READERS = {
    "feed-forward": FeedForwardReader,
    "lstm": LSTMReader,
    "memory": lambda n, hidden=16: MemoryReader(n, hidden, n_rows=9, width=6, n_heads=2),
}
TASK = feature_episode((2, 3, 1), n_query=4, features=5)


def learner(name: str, features: int = 5, n_labels: int = 3) -> SequenceLearner:
    torch.manual_seed(0)
    reader = READERS[name](features + n_labels, 16)
    return SequenceLearner(nn.Flatten(), reader, n_labels).double()


def sequence(seed: int = 0) -> LabelledSequence:
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(3, (2, 8), generator=generator)
    return LabelledSequence(torch.randn(2, 8, 5, generator=generator, dtype=torch.float64), y, n_way=3)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("moment", [0, 3, 7])
def test_an_answer_depends_on_no_later_image_and_on_no_label_from_then_on(name: str, moment: int) -> None:
    method, given = learner(name), sequence()
    other = sequence(seed=1)
    x, y = given.x.clone(), given.y.clone()
    x[:, moment + 1 :], y[:, moment:] = other.x[:, moment + 1 :], (given.y[:, moment:] + 1) % 3
    changed = method.answers(replace(given, x=x, y=y))
    assert_close(changed[:, : moment + 1], method.answers(given)[:, : moment + 1])
    if moment < 7:
        assert (changed - method.answers(given))[:, moment + 1].abs().max() > 1e-6


@pytest.mark.parametrize("name", READERS)
def test_memory_of_more_than_a_step_is_what_tells_the_readers_apart(name: str) -> None:
    method, given = learner(name), sequence()
    y = given.y.clone()
    y[:, 0] = (y[:, 0] + 1) % 3
    moved = (method.answers(replace(given, y=y)) - method.answers(given)).abs().amax(dim=(0, 2))  # [T]
    assert moved[1] > 1e-6
    assert (moved[2:] > 1e-9).all() == (name != "feed-forward")


@pytest.mark.parametrize("name", READERS)
def test_a_query_is_the_step_after_the_support(name: str) -> None:
    method = learner(name)
    logits = method(TASK)
    order = reading_order(TASK.support_y.shape[1])
    for query in range(4):
        x = torch.cat([TASK.support_x[:, order], TASK.query_x[:, query : query + 1]], dim=1)
        y = torch.cat([TASK.support_y[:, order], torch.zeros_like(TASK.support_y[:, :1])], dim=1)
        assert_close(logits[:, query], method.answers(LabelledSequence(x, y, 3))[:, -1])


def test_a_support_that_lies_class_by_class_is_read_in_another_order_each_time_the_same() -> None:
    labels = torch.arange(5).repeat_interleave(5)
    order = reading_order(25)
    assert order == reading_order(25)
    assert sorted(order) == list(range(25))
    assert (labels[order].diff() == 0).sum() < 10  # 20 of 24 as they lie, 4 on average if shuffled


@pytest.mark.parametrize("name", READERS)
def test_queries_do_not_see_each_other(name: str) -> None:
    method = learner(name)
    assert not method.queries_see_each_other
    assert_close(OneQueryAtATime(method)(TASK), method(TASK))


@pytest.mark.parametrize("name", READERS)
def test_gradients_of_the_loss_equal_finite_differences(name: str) -> None:
    method, given = learner(name), sequence()

    def compute(x: torch.Tensor) -> torch.Tensor:
        return method.loss(replace(given, x=x))

    assert torch.autograd.gradcheck(compute, given.x.clone().requires_grad_())


def test_spare_labels_are_cut_off_and_too_few_are_refused() -> None:
    assert learner("lstm", n_labels=5)(TASK).shape == (2, 4, 3)
    with pytest.raises(ValueError, match="this network has 2 labels, the task has 3 classes"):
        learner("lstm", n_labels=2)(TASK)


def test_an_lstm_learns_to_learn_and_a_network_without_state_does_not() -> None:
    classes = ImageClasses(torch.eye(4).repeat_interleave(6, dim=0), torch.full((4,), 6), tuple("abcd"))
    shares = {}
    for name in ("lstm", "feed-forward"):
        torch.manual_seed(0)
        method = SequenceLearner(nn.Flatten(), READERS[name](6, 64), n_labels=2)
        optimizer = Adam(method.parameters(), 1e-2)
        fit(method, SequenceSampler(classes, 2, 3), 400, batch_size=32, optimizer=optimizer, progress=False)
        test = SequenceSampler(classes, 2, 3, seed=1).sample(300)
        correct = method.answers(test).argmax(dim=-1) == test.y
        shares[name] = float(correct[test.instances == 2].float().mean())
    assert shares["lstm"] > 0.9
    assert shares["feed-forward"] < 0.65
    assert evaluate(method, EpisodeSampler(classes, 2, 1, 1), 50).mean < 0.75


def test_it_serves_as_a_classifier_of_given_images() -> None:
    method = learner("memory").float()
    images = torch.rand(6, 1, 1, 5)
    classifier = FewShotClassifier(method).fit(images, ["a", "b", "c", "a", "b", "c"])
    assert len(classifier.predict(images[:2])) == 2
