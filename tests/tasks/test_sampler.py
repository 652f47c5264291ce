"""The sampler of episodes: by properties, by counting, and by what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from helpers import PROPERTIES, blobs, devices, numbered_classes, rows_of
from hypothesis import given
from hypothesis import strategies as st

from fslbook import Episode, EpisodeSampler


@st.composite
def samplers(draw: st.DrawFn) -> EpisodeSampler:
    """Any sampler that can be: uneven class sizes, down to the very smallest that still suffice."""
    counts = draw(st.lists(st.integers(2, 9), min_size=2, max_size=8))
    n_way = draw(st.integers(2, len(counts)))
    k_shot = draw(st.integers(1, min(counts) - 1))
    n_query = draw(st.integers(1, min(counts) - k_shot))
    return EpisodeSampler(numbered_classes(counts), n_way, k_shot, n_query, seed=draw(st.integers(0, 2**32)))


def tensors(episode: Episode) -> tuple[torch.Tensor, ...]:
    return episode.support_x, episode.support_y, episode.query_x, episode.query_y


def same(first: Episode, second: Episode) -> bool:
    return all(torch.equal(a, b) for a, b in zip(tensors(first), tensors(second), strict=True))


def joined(episodes: list[Episode]) -> Episode:
    parts = zip(*map(tensors, episodes), strict=True)
    return Episode(*(torch.cat(part) for part in parts), n_way=episodes[0].n_way)


@PROPERTIES
@given(samplers(), st.integers(1, 4))
def test_shapes_types_and_range(sampler: EpisodeSampler, batch: int) -> None:
    episode = sampler.sample(batch)
    n_support, n_query = sampler.n_way * sampler.k_shot, sampler.n_way * sampler.n_query
    assert episode.support_x.shape == (batch, n_support, 1, 1, 2)
    assert episode.query_x.shape == (batch, n_query, 1, 1, 2)
    assert episode.support_y.shape == (batch, n_support)
    assert episode.query_y.shape == (batch, n_query)
    assert episode.support_x.dtype == episode.query_x.dtype == torch.float32
    assert episode.support_y.dtype == episode.query_y.dtype == torch.int64
    assert 0 <= float(episode.query_x.min()) <= float(episode.query_x.max()) <= 1
    assert (episode.batch_size, episode.n_way) == (batch, sampler.n_way)


@PROPERTIES
@given(samplers())
def test_no_class_twice_and_every_label_means_one_class(sampler: EpisodeSampler) -> None:
    episode = sampler.sample(3)
    for task in range(3):
        rows = torch.cat([rows_of(episode.support_x[task]), rows_of(episode.query_x[task])])
        labels = torch.cat([episode.support_y[task], episode.query_y[task]])
        classes = sampler.classes.labels[rows]
        meaning = {int(label): set(classes[labels == label].tolist()) for label in range(sampler.n_way)}
        assert all(len(found) == 1 for found in meaning.values())
        assert len(set.union(*meaning.values())) == sampler.n_way


@PROPERTIES
@given(samplers())
def test_no_image_twice_so_none_in_both_support_and_query(sampler: EpisodeSampler) -> None:
    episode = sampler.sample(3)
    for task in range(3):
        rows = torch.cat([rows_of(episode.support_x[task]), rows_of(episode.query_x[task])]).tolist()
        assert len(set(rows)) == len(rows) == sampler.n_way * (sampler.k_shot + sampler.n_query)


@PROPERTIES
@given(samplers())
def test_every_class_of_an_episode_has_k_support_and_its_queries(sampler: EpisodeSampler) -> None:
    episode = sampler.sample(2)
    for task in range(2):
        assert episode.support_y[task].bincount().tolist() == [sampler.k_shot] * sampler.n_way
        assert episode.query_y[task].bincount().tolist() == [sampler.n_query] * sampler.n_way


@PROPERTIES
@given(samplers())
def test_what_the_sampler_builds_passes_the_full_check(sampler: EpisodeSampler) -> None:
    replace(sampler.sample(2), check=True)


@PROPERTIES
@given(samplers())
def test_the_same_seed_gives_the_same_episodes(sampler: EpisodeSampler) -> None:
    sizes = sampler.n_way, sampler.k_shot, sampler.n_query
    twin = EpisodeSampler(sampler.classes, *sizes, seed=sampler.seed)
    first = [sampler.sample(2) for _ in range(3)]
    assert all(same(episode, twin.sample(2)) for episode in first)
    again = sampler.restarted()
    assert all(same(episode, again.sample(2)) for episode in first)


@PROPERTIES
@given(samplers(), st.integers(1, 4), st.integers(1, 4))
def test_episodes_do_not_depend_on_the_batch_size(sampler: EpisodeSampler, first: int, second: int) -> None:
    batched = joined([sampler.sample(first), sampler.sample(second)])
    single = sampler.restarted()
    assert same(batched, joined([single.sample() for _ in range(first + second)]))


def test_another_seed_and_the_next_draw_give_other_episodes() -> None:
    classes = numbered_classes([20] * 30)
    sampler, other = EpisodeSampler(classes, seed=0), EpisodeSampler(classes, seed=1)
    first, following = sampler.sample(), sampler.sample()
    assert not same(first, following)
    assert not same(first, other.sample())


def test_sampling_neither_reads_nor_moves_the_global_generator() -> None:
    sampler = EpisodeSampler(numbered_classes([20] * 8))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = sampler.sample()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert same(first, sampler.restarted().sample())


def assert_frequency(found: torch.Tensor, draws: int, expected: torch.Tensor | float) -> None:
    """Within five standard deviations of a binomial count: 1 in 10 million by chance, and the seed is fixed."""
    probability = torch.as_tensor(expected, dtype=torch.float64)
    spread = (draws * probability * (1 - probability)).sqrt()
    assert ((found - draws * probability).abs() <= 5 * spread + 1e-9).all(), (found, draws * probability)


@pytest.mark.parametrize("device", devices())
def test_classes_labels_and_images_are_drawn_uniformly(device: str) -> None:
    counts, draws = torch.tensor([3, 4, 9, 5, 3]), 6000
    sampler = EpisodeSampler(numbered_classes(counts.tolist(), device), n_way=3, k_shot=1, n_query=2, seed=7)
    episode = sampler.sample(draws)
    support, query = rows_of(episode.support_x).cpu(), rows_of(episode.query_x).cpu()  # [draws, 3], [draws, 6]
    class_of_row = torch.arange(5).repeat_interleave(counts)
    per_image = (3 / 5 / counts)[class_of_row]  # a class is drawn with 3/5, then one support image of `count`
    assert_frequency(support.flatten().bincount(minlength=24), draws, per_image)
    assert_frequency(query.flatten().bincount(minlength=24), draws, 2 * per_image)
    for label in range(3):  # no class prefers a label
        assert_frequency(class_of_row[support[:, label]].bincount(minlength=5), draws, 1 / 5)


def test_classes_are_drawn_independently_of_each_other() -> None:
    sampler = EpisodeSampler(numbered_classes([2] * 4), n_way=2, k_shot=1, n_query=1)
    chosen, _ = sampler.sample_indices(6000)
    pairs = (4 * chosen[:, 0] + chosen[:, 1]).bincount(minlength=16).view(4, 4)
    assert pairs.diagonal().sum() == 0
    assert_frequency(pairs[~torch.eye(4, dtype=torch.bool)], 6000, 1 / 12)


def test_indices_name_the_classes_and_rows_of_the_episodes() -> None:
    sampler = EpisodeSampler(numbered_classes([4, 6, 5]), n_way=2, k_shot=2, n_query=2, seed=3)
    chosen, rows = sampler.sample_indices(5)
    assert chosen.shape == (5, 2)
    assert rows.shape == (5, 2, 4)
    assert torch.equal(sampler.classes.labels[rows], chosen[..., None].expand_as(rows))
    episode = sampler.restarted().sample(5)
    assert torch.equal(rows_of(episode.support_x), rows[:, :, :2].flatten(1))
    assert torch.equal(rows_of(episode.query_x), rows[:, :, 2:].flatten(1))


def test_restarted_over_features_draws_the_same_rows() -> None:
    sampler = EpisodeSampler(numbered_classes([5, 4, 6]), n_way=2, k_shot=1, n_query=2, seed=5)
    rows = torch.arange(15, dtype=torch.float64)[:, None]
    features = replace(sampler.classes, images=rows)
    episode, of_features = sampler.sample(4), sampler.restarted(features).sample(4)
    assert torch.equal(of_features.query_x[..., 0].long(), rows_of(episode.query_x))
    assert of_features.query_x.dtype == torch.float64  # features are not taken for bytes


def test_bytes_are_scaled_to_the_unit_range() -> None:
    sampler = EpisodeSampler(blobs(3, 4), n_way=2, k_shot=1, n_query=1)
    _, rows = sampler.sample_indices()
    expected = sampler.classes.images[rows[:, :, 0]].double() / 255
    torch.testing.assert_close(sampler.restarted().sample().support_x.double(), expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("device", devices())
def test_episodes_live_on_the_device_of_the_images(device: str) -> None:
    episode = EpisodeSampler(numbered_classes([4] * 6, device), n_way=3, k_shot=1, n_query=2).sample(2)
    assert {tensor.device.type for tensor in tensors(episode)} == {device}
    assert {tensor.device.type for tensor in tensors(episode.to("cpu"))} == {"cpu"}
