"""Tasks without labels: which image is a class, and which copies are its queries."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from fslbook.data.image_classes import ImageClasses
from fslbook.methods.metric.prototypical import PrototypicalNetwork
from fslbook.networks.encoders import Conv4
from fslbook.tasks.augmentation import random_affine
from fslbook.tasks.made_up import MadeUpTasks
from fslbook.training.loop import fit


def numbered(counts: tuple[int, ...] = (3, 5, 2)) -> ImageClasses:
    """Every pixel of an image says which one it is."""
    images = torch.arange(sum(counts)).view(-1, 1, 1, 1).expand(-1, 1, 4, 4).to(torch.uint8)
    return ImageClasses(images.clone(), torch.tensor(counts), tuple("abcdef"[: len(counts)]))


def brighter(images: Tensor, generator: Generator) -> Tensor:
    return images + (1 + torch.rand(len(images), 1, 1, 1, generator=generator)) / 1000


def _numbers(images: Tensor) -> Tensor:
    return (images[..., 0, 0, 0] * 255).floor().long()


def test_queries_are_changed_copies_of_the_support_with_its_label() -> None:
    task = MadeUpTasks(numbered(), brighter, n_way=4, n_query=3, seed=1).sample(30)
    assert task.support_x.shape == (30, 4, 1, 4, 4) and task.query_x.shape == (30, 12, 1, 4, 4)
    support, query = _numbers(task.support_x + 1e-4), _numbers(task.query_x)
    for b in range(30):
        assert sorted(task.support_y[b].tolist()) == [0, 1, 2, 3] and len(support[b].unique()) == 4
        for number, label in zip(query[b].tolist(), task.targets[b].tolist(), strict=True):
            assert number == support[b, label]
    assert torch.bincount(task.targets.flatten()).tolist() == [90] * 4
    added = task.query_x[:, :, 0, 0, 0] - torch.take_along_dim(task.support_x[:, :, 0, 0, 0], task.targets, dim=1)
    assert added.min() > 0.0009 and len(added.flatten().unique()) > 200  # each copy by itself, the support not at all


def test_each_image_is_a_class_equally_often_whatever_its_label() -> None:
    drawn = _numbers(MadeUpTasks(numbered(), brighter, n_way=5, n_query=1).sample(4000).support_x + 1e-4)
    assert torch.bincount(drawn.flatten(), minlength=10).sub(2000).abs().max() < 150


def test_the_same_seed_gives_the_same_tasks_and_another_others() -> None:
    first, again, other = (MadeUpTasks(numbered(), brighter, n_way=3, seed=seed) for seed in (0, 0, 1))
    for _ in range(3):
        expected = first.sample(2)
        assert torch.equal(again.sample(2).query_x, expected.query_x)
        assert not torch.equal(other.sample(2).query_x, expected.query_x)
    assert first.identity == again.identity != other.identity
    assert MadeUpTasks(numbered(), brighter, n_way=4).identity != first.identity


def test_a_prototypical_network_learns_from_them() -> None:
    torch.manual_seed(0)
    images = (torch.rand(40, 1, 28, 28) < 0.2).mul(255).to(torch.uint8)
    tasks = MadeUpTasks(ImageClasses(images, torch.tensor([20, 20]), ("a", "b")), random_affine, n_way=10, n_query=2)
    history = fit(PrototypicalNetwork(Conv4(channels=8)), tasks, 40, batch_size=1, progress=False)
    assert sum(history.loss[-5:]) < 0.5 * sum(history.loss[:5])


def test_what_makes_no_task_is_refused() -> None:
    with pytest.raises(ValueError, match="11-way needs 11 images, the data set has 10"):
        MadeUpTasks(numbered(), brighter, n_way=11)
    with pytest.raises(ValueError, match="n_way"):
        MadeUpTasks(numbered(), brighter, n_way=1)
    with pytest.raises(ValueError, match="n_query"):
        MadeUpTasks(numbered(), brighter, n_way=3, n_query=0)
    with pytest.raises(ValueError, match="without it each query would be its support"):
        MadeUpTasks(numbered(), None, n_way=3)
    with pytest.raises(ValueError, match="classes must be ImageClasses"):
        MadeUpTasks(torch.rand(3, 1, 4, 4), brighter)
    with pytest.raises(ValueError, match="batch_size"):
        MadeUpTasks(numbered(), brighter, n_way=3).sample(0)
