"""What every metric method promises: order, names and other tasks do not matter, labels are not looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from helpers import assert_close, feature_episode
from metric_methods import (
    DISTANCE_METHODS,
    METHODS,
    on_features,
)

from fslbook import Episode, PrototypicalNetwork
from fslbook.methods import (
    EmbeddingMethod,
    prototypes,
)


@pytest.mark.parametrize("method", DISTANCE_METHODS)
def test_one_support_image_a_class_makes_it_the_prototype(method: type[EmbeddingMethod]) -> None:
    episode = feature_episode((1, 1, 1), n_query=3, batch=1)
    on_support = replace(episode, query_x=episode.support_x, query_y=episode.support_y, check=True)
    logits = on_features(method)(on_support)
    assert torch.equal(logits.argmax(-1), episode.support_y)
    assert_close(logits.amax(-1), torch.zeros(1, 3))


@pytest.mark.parametrize("method", METHODS)
def test_tasks_of_a_batch_do_not_touch_each_other(method: type[EmbeddingMethod]) -> None:
    together = feature_episode((2, 1, 3), batch=3)
    parts = (together.support_x, together.support_y, together.query_x, together.query_y)
    alone = [on_features(method)(Episode(*(part[i : i + 1] for part in parts), n_way=3)) for i in range(3)]
    assert_close(on_features(method)(together), torch.cat(alone))


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_the_support_images_does_not_matter(method: type[EmbeddingMethod]) -> None:
    episode = feature_episode((3, 2, 4))
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    shuffled = replace(
        episode, support_x=episode.support_x[:, order], support_y=episode.support_y[:, order], check=True
    )
    assert_close(on_features(method)(shuffled), on_features(method)(episode))


@pytest.mark.parametrize("method", METHODS)
def test_renaming_the_classes_permutes_the_logits(method: type[EmbeddingMethod]) -> None:
    episode = feature_episode((3, 2, 1, 4))
    new_name = torch.tensor([2, 0, 3, 1])
    renamed = replace(episode, support_y=new_name[episode.support_y], query_y=new_name[episode.query_y], check=True)
    assert_close(on_features(method)(renamed)[..., new_name], on_features(method)(episode))


@pytest.mark.parametrize("method", METHODS)
def test_logits_never_look_at_the_query_labels(method: type[EmbeddingMethod]) -> None:
    episode = feature_episode()
    logits = on_features(method)(episode)
    for nonsense in (episode.query_y.flip(1), torch.full_like(episode.query_y, -(10**9))):
        blind = replace(episode, query_y=nonsense, check=False)
        assert torch.equal(on_features(method)(blind), logits)


def test_squared_distance_is_a_linear_classifier() -> None:
    episode = feature_episode((2, 3, 1))
    centres = prototypes(episode.support_x, episode.support_y, 3)
    weight, bias = 2 * centres, -centres.square().sum(-1)  # [B, N, D], [B, N]
    linear = torch.einsum("bqd,bnd->bqn", episode.query_x, weight) + bias[:, None]
    logits = on_features(PrototypicalNetwork)(episode)
    assert_close(logits - linear, -episode.query_x.square().sum(-1, keepdim=True).expand_as(logits))
    assert_close(logits.softmax(-1), linear.softmax(-1))
