"""The sampler of episodes: its settings, what it refuses, and tasks within a group."""

from __future__ import annotations

import pytest
import torch
from helpers import numbered_classes, rows_of

from fslbook import EpisodeSampler


def test_sampler_tells_its_settings() -> None:
    text = repr(EpisodeSampler(numbered_classes([20] * 6), 5, 2, 10, seed=3))
    assert all(part in text for part in ("5-way 2-shot", "10 queries", "6 classes", "seed 3"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_way": 20}, "20-way needs 20 classes, the data set has 12"),
        ({"k_shot": 5, "n_query": 15}, r"5 support and 15 query images need 20 images a class, but .*class7' has 8"),
        ({"n_way": 0}, "n_way must be a whole number of at least 2, got 0"),
        ({"n_way": 1}, "n_way must be a whole number of at least 2, got 1"),
        ({"n_way": 2.5}, "n_way must be a whole number of at least 2, got 2.5"),
        ({"k_shot": 0}, "k_shot must be a whole number of at least 1, got 0"),
        ({"k_shot": -1}, "k_shot must be a whole number of at least 1, got -1"),
        ({"k_shot": "one"}, "k_shot must be a whole number of at least 1, got 'one'"),
        ({"n_query": 0}, "n_query must be a whole number of at least 1, got 0"),
        ({"n_query": None}, "n_query must be a whole number of at least 1, got None"),
    ],
)
def test_sampler_refuses_impossible_sizes_at_once(settings: dict[str, object], message: str) -> None:
    counts = [20] * 12
    counts[7] = 8
    with pytest.raises(ValueError, match=message):
        EpisodeSampler(numbered_classes(counts), **{"n_way": 5, "k_shot": 1, "n_query": 2, **settings})


def test_sampler_takes_the_very_smallest_class_whole() -> None:
    episode = EpisodeSampler(numbered_classes([3, 3]), n_way=2, k_shot=1, n_query=2).sample()
    assert sorted([*rows_of(episode.support_x)[0].tolist(), *rows_of(episode.query_x)[0].tolist()]) == [*range(6)]


@pytest.mark.parametrize("batch_size", [0, -2, 1.5])
def test_sampler_refuses_impossible_batches(batch_size: object) -> None:
    sampler = EpisodeSampler(numbered_classes([4] * 4), n_way=2, k_shot=1, n_query=1)
    with pytest.raises(ValueError, match=f"batch_size must be a whole number of at least 1, got {batch_size}"):
        sampler.sample(batch_size)


def test_within_a_group_all_classes_of_a_task_share_it_and_every_large_group_comes_up() -> None:
    sampler = EpisodeSampler(numbered_classes([6] * 11), n_way=3, k_shot=1, n_query=2, within_group=True)  # 3, 3, 3, 2
    chosen, rows = sampler.sample_indices(300)
    groups = chosen // 3
    assert (groups == groups[:, :1]).all()
    assert (chosen.sort(dim=1).values.diff(dim=1) > 0).all()
    assert (rows // 6 == chosen[..., None]).all()
    counts = groups[:, 0].bincount(minlength=4)
    assert counts[3] == 0  # only two classes
    assert counts[:3].min() > 70


def test_within_a_group_survives_a_restart_and_is_told_in_the_name() -> None:
    sampler = EpisodeSampler(numbered_classes([6] * 9), n_way=2, k_shot=1, n_query=2, within_group=True)
    first = sampler.sample_indices(20)
    again = sampler.restarted().sample_indices(20)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert str(sampler).endswith("seed 0, within a group")
    assert "group" not in str(EpisodeSampler(numbered_classes([6] * 9), 2, 1, 2))


def test_a_group_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="4-way needs 4 classes in one group; the largest, 'group0', has 3"):
        EpisodeSampler(numbered_classes([6] * 8), n_way=4, k_shot=1, n_query=2, within_group=True)
