"""Batches without tasks: which images, which labels, which changes."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from fslbook.data.image_classes import ImageClasses
from fslbook.tasks.images import ImageSampler, ViewSampler


def numbered(counts: tuple[int, ...] = (3, 5, 2)) -> ImageClasses:
    """Every pixel of an image says which one it is."""
    images = torch.arange(sum(counts)).view(-1, 1, 1, 1).expand(-1, 1, 4, 4).to(torch.uint8)
    return ImageClasses(images.clone(), torch.tensor(counts), tuple("abcdef"[: len(counts)]))


def brighter(images: Tensor, generator: Generator) -> Tensor:
    return images + torch.rand(len(images), 1, 1, 1, generator=generator)


def test_each_image_comes_with_its_own_label_and_equally_often() -> None:
    classes = numbered()
    batch = ImageSampler(classes, seed=1).sample(20_000)
    rows = (batch.images[:, 0, 0, 0] * 255).round().long()
    assert torch.equal(classes.labels[rows], batch.labels)
    assert torch.bincount(rows, minlength=10).float().div(20_000).sub(0.1).abs().max() < 0.01


def test_the_same_seed_gives_the_same_batches_and_another_others() -> None:
    first, again, other = (ImageSampler(numbered(), augment=brighter, seed=seed) for seed in (0, 0, 1))
    for _ in range(3):
        expected = first.sample(8)
        assert torch.equal(again.sample(8).images, expected.images)
        assert not torch.equal(other.sample(8).images, expected.images)
    assert first.identity == again.identity != other.identity
    assert ImageSampler(numbered()).identity != first.identity  # another augmentation


def test_two_views_are_of_one_image_and_changed_apart() -> None:
    views = ViewSampler(numbered(), lambda x, generator: x).sample(50)
    assert views.shape == (50, 2, 1, 4, 4)
    assert torch.equal(views[:, 0], views[:, 1])
    assert len(views[:, 0].unique()) > 5
    changed = ViewSampler(numbered(), brighter).sample(50)
    assert not torch.isclose(changed[:, 0], changed[:, 1]).any()


@pytest.mark.parametrize("sampler", [ImageSampler, ViewSampler])
def test_what_is_no_data_or_no_number_is_refused(sampler: type) -> None:
    with pytest.raises(ValueError, match="classes must be ImageClasses"):
        sampler(torch.rand(3, 1, 4, 4), augment=brighter)
    with pytest.raises(ValueError, match="augment must be a function"):
        sampler(numbered(), augment="brighter")
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="batch_size"):
            sampler(numbered(), augment=brighter).sample(wrong)


def test_a_contrast_needs_two_images() -> None:
    with pytest.raises(ValueError, match="batch_size"):
        ViewSampler(numbered(), brighter).sample(1)
