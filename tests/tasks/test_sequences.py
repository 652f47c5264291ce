"""Sequences of a few classes: what is drawn, in what order, and how often a class has come."""

from __future__ import annotations

import pytest
import torch
from helpers import devices, numbered_classes, rows_of

from fslbook.tasks.sequences import LabelledSequence, SequenceSampler


@pytest.mark.parametrize("device", devices())
def test_each_class_comes_as_often_with_other_images_and_one_label(device: str) -> None:
    sampler = SequenceSampler(numbered_classes([6] * 9, device), n_way=4, n_each=5)
    sequence = sampler.sample(20)
    assert sequence.x.shape[:2] == (20, 20)
    for images, labels in zip(rows_of(sequence.x.cpu()), sequence.y.cpu(), strict=True):
        assert len(set(images.tolist())) == 20
        assert torch.bincount(labels).tolist() == [5] * 4
        groups = [{image // 6 for image in images[labels == label].tolist()} for label in range(4)]
        assert all(len(group) == 1 for group in groups)
        assert len(set.union(*groups)) == 4


def test_order_and_labels_are_chance() -> None:
    sampler = SequenceSampler(numbered_classes([6] * 4), n_way=4, n_each=3)
    first = sampler.sample(4000).y[:, 0]
    shares = torch.bincount(first, minlength=4) / 4000
    assert (shares - 0.25).abs().max() < 0.03  # four standard errors
    again = sampler.sample(4000)
    of_label_0 = rows_of(again.x)[again.y == 0] // 6  # which class it is
    assert (torch.bincount(of_label_0, minlength=4) / len(of_label_0) - 0.25).abs().max() < 0.03


def test_instances_count_how_often_a_class_has_come() -> None:
    y = torch.randint(3, (5, 12), generator=torch.Generator().manual_seed(0))
    counted = LabelledSequence(torch.zeros(5, 12, 2), y, n_way=3).instances
    for row, labels in zip(counted.tolist(), y.tolist(), strict=True):
        assert row == [labels[: t + 1].count(label) for t, label in enumerate(labels)]


def test_the_same_seed_draws_the_same_sequences_and_restarted_begins_again() -> None:
    classes = numbered_classes([6] * 9)
    sampler = SequenceSampler(classes, n_way=4, n_each=3, seed=7)
    first, second = sampler.sample(3), sampler.sample(3)
    again = sampler.restarted().sample(3)
    assert torch.equal(again.x, first.x)
    assert torch.equal(again.y, first.y)
    assert not torch.equal(second.x, first.x)
    assert not torch.equal(SequenceSampler(classes, n_way=4, n_each=3, seed=8).sample(3).x, first.x)
    assert sampler.identity != SequenceSampler(classes, n_way=4, n_each=4, seed=7).identity
