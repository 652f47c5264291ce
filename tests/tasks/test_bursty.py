"""Bursty sequences: how often the class of the query stands in the context."""

from __future__ import annotations

import torch
from helpers import numbered_classes

from fslbook.tasks.bursty import BurstySampler

CLASSES = numbered_classes([4, 7] * 6)


def test_a_bursty_context_shows_the_query_and_another_class_three_times() -> None:
    batch = BurstySampler(CLASSES, p_bursty=1.0).sample(200)
    assert ((batch.support_y == batch.query_y).sum(dim=1) == 3).all()
    assert all(sorted(row.unique(return_counts=True)[1].tolist()) == [1, 1, 3, 3] for row in batch.support_y)


def test_any_other_context_never_shows_it() -> None:
    batch = BurstySampler(CLASSES, p_bursty=0.0).sample(200)
    assert not (batch.support_y == batch.query_y).any()
    assert all(len(row.unique()) == 8 for row in batch.support_y)


def test_p_bursty_is_the_share() -> None:
    batch = BurstySampler(CLASSES, p_bursty=0.3).sample(4000)
    share = (batch.support_y == batch.query_y).any(dim=1).double().mean()
    assert abs(share - 0.3) < 4 * (0.3 * 0.7 / 4000) ** 0.5


def test_images_are_of_the_classes_that_the_labels_name() -> None:
    batch = BurstySampler(CLASSES, p_bursty=0.5).sample(50)
    for x, label in zip(batch.support_x.flatten(0, 1), batch.support_y.flatten(), strict=True):
        assert any(torch.equal(x, image.float() / 255) or torch.equal(x, image) for image in CLASSES[int(label)])


def test_other_images_of_as_many_classes_are_other_sequences() -> None:
    sampler, other = BurstySampler(CLASSES, 0.5), BurstySampler(numbered_classes([7, 4] * 6), 0.5)
    assert sampler.identity == BurstySampler(CLASSES, 0.5).identity
    assert len({sampler.identity, other.identity, BurstySampler(CLASSES, 0.6).identity}) == 3
