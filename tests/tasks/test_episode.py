"""Episodes: what they hold, what they refuse, and how they are mapped, split and joined."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from helpers import feature_episode, numbered_classes

from fslbook import Episode, EpisodeSampler
from fslbook.tasks.episode import joined


def good_parts() -> dict[str, torch.Tensor | int]:
    """A 2-way episode of one task: three support images, two queries."""
    return {
        "support_x": torch.zeros(1, 3, 1, 4, 4),
        "support_y": torch.tensor([[0, 1, 1]]),
        "query_x": torch.zeros(1, 2, 1, 4, 4),
        "query_y": torch.tensor([[1, 0]]),
        "n_way": 2,
    }


def with_bad_pixel(value: float, count: int) -> torch.Tensor:
    images = torch.zeros(1, count, 1, 4, 4)
    images[0, 1, 0, 2, 3] = value
    return images


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"support_y": torch.tensor([[0, 1, 2]])}, r"support labels must be in 0..1, found 0..2"),
        ({"support_y": torch.tensor([[-1, 1, 0]])}, r"support labels must be in 0..1, found -1..1"),
        ({"query_y": torch.tensor([[5, 0]])}, r"query labels must be in 0..1, found 0..5"),
        ({"query_y": torch.tensor([[1.0, 0.0]])}, r"query_y must be int64, got torch.float32"),
        ({"support_y": torch.tensor([[0, 0, 0]])}, r"task 0: no support image for class 1 of 0..1"),
        ({"support_y": torch.tensor([[0, 1]])}, r"support_y must be .* \[1, 3\], got \[1, 2\]"),
        ({"support_y": torch.tensor([0, 1, 1])}, r"support_y must be .* \[1, 3\], got \[3\]"),
        ({"query_x": torch.zeros(1, 2, 1, 5, 4)}, r"support images have shape \[1, 4, 4\], query images \[1, 5, 4\]"),
        ({"query_x": torch.zeros(1, 2, 3, 4, 4)}, r"support images have shape \[1, 4, 4\], query images \[3, 4, 4\]"),
        ({"support_x": with_bad_pixel(float("nan"), 3)}, "support images contain NaN or infinity"),
        ({"query_x": with_bad_pixel(float("inf"), 2)}, "query images contain NaN or infinity"),
    ],
)
def test_episode_refuses_parts_that_do_not_fit(change: dict[str, torch.Tensor], message: str) -> None:
    Episode(**good_parts())
    with pytest.raises(ValueError, match=message):
        Episode(**{**good_parts(), **change})


def test_episode_refuses_different_numbers_of_tasks() -> None:
    parts = good_parts()
    parts["query_x"], parts["query_y"] = torch.zeros(2, 2, 1, 4, 4), torch.zeros(2, 2, dtype=torch.int64)
    with pytest.raises(ValueError, match="support holds 1 tasks, query 2"):
        Episode(**parts)


def test_episode_names_the_task_that_misses_a_class() -> None:
    episode = feature_episode((1, 1), batch=2)
    labels = episode.support_y.clone()
    labels[1] = 0
    with pytest.raises(ValueError, match=r"task 1: no support image for class 1 of 0..1"):
        replace(episode, support_y=labels, check=True)


def test_map_encodes_all_images_in_one_batch_and_puts_them_back() -> None:
    episode = EpisodeSampler(numbered_classes([6] * 5), n_way=3, k_shot=2, n_query=1).sample(2)
    batches = []

    def double(images: torch.Tensor) -> torch.Tensor:
        batches.append(images.shape)
        return 2 * images.flatten(1)

    features = episode.map(double)
    assert batches == [(2 * 9, 1, 1, 2)]
    assert torch.equal(features.support_x, 2 * episode.support_x.flatten(2))
    assert torch.equal(features.query_x, 2 * episode.query_x.flatten(2))
    assert torch.equal(features.support_y, episode.support_y)
    assert torch.equal(features.query_y, episode.query_y)


def test_tasks_are_views_of_one_task_each() -> None:
    episode = feature_episode((2, 1, 3), batch=3)
    tasks = episode.tasks()
    assert [task.batch_size for task in tasks] == [1, 1, 1]
    for part in ("support_x", "support_y", "query_x", "query_y"):
        assert torch.equal(torch.cat([getattr(task, part) for task in tasks]), getattr(episode, part))
        assert getattr(tasks[1], part).data_ptr() == getattr(episode, part)[1].data_ptr()
    assert {task.n_way for task in tasks} == {3}


def test_labels_may_be_withheld_and_are_missed_in_words() -> None:
    episode = feature_episode((2, 1), batch=2).without_labels()
    assert episode.query_y is None
    assert [task.query_y for task in episode.tasks()] == [None, None]
    assert episode.map(lambda x: 2 * x).to("cpu").query_y is None
    replace(episode, check=True)
    with pytest.raises(ValueError, match=r"this episode has no query labels \(query_y is None\)"):
        _ = episode.targets


def test_unlabelled_images_are_mapped_split_and_moved_with_the_others() -> None:
    episode = feature_episode((2, 1), batch=3)
    extra = torch.randn(3, 7, 5, dtype=torch.float64)
    episode = replace(episode, unlabelled_x=extra, check=True)
    batches = []

    def double(x: torch.Tensor) -> torch.Tensor:
        batches.append(len(x))
        return 2 * x

    assert torch.equal(episode.map(double).unlabelled_x, 2 * extra)
    assert batches == [3 * (3 + 4 + 7)]
    assert [torch.equal(t.unlabelled_x, extra[i : i + 1]) for i, t in enumerate(episode.tasks())] == [True] * 3
    again = joined(episode.split(2))
    assert torch.equal(again.unlabelled_x, extra)
    assert torch.equal(again.query_y, episode.query_y)
    assert episode.to("meta").unlabelled_x.device.type == "meta"


def test_a_label_per_pixel_and_numbers_as_targets_pass_the_full_check() -> None:
    x = torch.rand(2, 3, 1, 4, 4)
    pixels = torch.randint(0, 2, (2, 3, 4, 4))
    pixels[:, 0, 0, :2] = torch.tensor([0, 1])
    assert Episode(x, pixels, x, pixels, n_way=2).targets.shape == (2, 3, 4, 4)
    numbers = torch.randn(2, 3, 5)
    assert Episode(x, numbers, x, numbers, n_way=5).targets.dtype == torch.float32


X, Y = torch.rand(1, 2, 3), torch.tensor([[0, 1]])
NUMBERS = torch.rand(1, 2, 1)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((X.mul(255).byte(), Y, X, Y, 2), "support_x must be floating point, got torch.uint8; bytes become images by"),
        ((X, Y, X.mul(255).byte(), Y, 2), "query_x must be floating point, got torch.uint8"),
        ((X, Y, X.double(), Y, 2), "support images are torch.float32, query images torch.float64; give both one type"),
        ((X.to(torch.complex64), Y, X, Y, 2), "support_x must be floating point, got torch.complex64"),
        ((X.numpy(), Y, X, Y, 2), "support_x must be a tensor, got ndarray"),
        ((X, Y.tolist(), X, Y, 2), "support_y must be a tensor, got list"),
        ((X[0], Y[0], X[0], Y[0], 2), r"support_x must be \[B, images, ...\], got \[2, 3\]"),
        ((X, Y, X, Y, 2.0), r"n_way must be a whole number of at least 1, got 2\.0"),
        ((X, Y, X, Y, 0), "n_way must be a whole number of at least 1, got 0"),
        ((X, NUMBERS, X, NUMBERS, 2), "n_way is the length of a target in regression: support_y has 1, n_way 2"),
        ((X, NUMBERS, X, Y, 1), "query_y must be int64|support and query targets must be of one kind|query labels"),
        ((X, NUMBERS / 0, X, NUMBERS, 1), "support targets contain NaN or infinity"),
        ((X, Y.int(), X, Y, 2), "support_y must be int64, got torch.int32"),
        ((X, Y.to("meta"), X, Y, 2), "all parts must lie on one device, got .*support_y meta"),
        ((X, Y, X, Y, 2, X[:, :, :2]), r"support images have shape \[3\], unlabelled images \[2\]"),
        ((X, Y, X, Y, 2, torch.cat([X, X])), "support holds 1 tasks, unlabelled 2"),
        ((X, Y, X, Y, 2, X / 0), "unlabelled images contain NaN or infinity"),
    ],
)
def test_parts_of_other_types_are_refused_by_name(parts: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Episode(*parts)
