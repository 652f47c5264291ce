"""What every method promises that is a network over features: what it may look at, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from helpers import assert_close, feature_episode
from torch import Tensor, nn

from fslbook import Conv4, Episode, HyperNetwork, InContextLearner, MetaNetwork, SequenceLearner
from fslbook.methods import EmbeddingMethod
from fslbook.networks.readers import FeedForwardReader, LSTMReader, MemoryReader

METHODS: dict[str, Callable[[nn.Module], EmbeddingMethod]] = {
    "in context": lambda encoder: InContextLearner(encoder, 12, 3, width=8),
    "meta network": lambda encoder: MetaNetwork(encoder, 12, 3, hidden=8),
    "hypernetwork": lambda encoder: HyperNetwork(encoder, 12, hidden=8),
    "feed-forward": lambda encoder: SequenceLearner(encoder, FeedForwardReader(12 + 3, 8), 3),
    "lstm": lambda encoder: SequenceLearner(encoder, LSTMReader(12 + 3, 8), 3),
    "memory": lambda encoder: SequenceLearner(encoder, MemoryReader(12 + 3, 8, n_rows=9, width=6), 3),
}
EVERY = pytest.mark.parametrize("name", METHODS)
EPISODE = feature_episode((2, 1, 3), batch=3, features=12)


def on_features(name: str, encoder: nn.Module | None = None) -> EmbeddingMethod:
    torch.manual_seed(0)
    return METHODS[name](encoder or nn.Identity()).double()


@EVERY
def test_tasks_of_a_batch_do_not_touch_each_other(name: str) -> None:
    parts = (EPISODE.support_x, EPISODE.support_y, EPISODE.query_x, EPISODE.query_y)
    alone = [on_features(name)(Episode(*(part[i : i + 1] for part in parts), n_way=3)) for i in range(3)]
    assert_close(on_features(name)(EPISODE), torch.cat(alone))


@EVERY
def test_logits_never_look_at_the_query_labels(name: str) -> None:
    logits = on_features(name)(EPISODE)
    for nonsense in (EPISODE.query_y.flip(1), torch.full_like(EPISODE.query_y, -(10**9))):
        blind = replace(EPISODE, query_y=nonsense, check=False)
        assert torch.equal(on_features(name)(blind), logits)


@EVERY
def test_feature_maps_are_flattened(name: str) -> None:
    maps = [x.unflatten(2, (3, 2, 2)) for x in (EPISODE.support_x, EPISODE.query_x)]
    episode = replace(EPISODE, support_x=maps[0], query_x=maps[1])
    assert_close(on_features(name)(episode), on_features(name)(EPISODE))


class Half(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.bfloat16()


@EVERY
def test_half_precision_features_are_read_in_float32(name: str) -> None:
    x = [x.bfloat16().float() for x in (EPISODE.support_x, EPISODE.query_x)]
    rounded = replace(EPISODE, support_x=x[0], query_x=x[1])
    logits = on_features(name, Half()).float()(EPISODE)
    assert logits.dtype == torch.float32
    assert torch.equal(logits, on_features(name).float()(rounded))


@EVERY
def test_what_is_no_encoder_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=r"encoder must be a module, got the class Conv4: call it, Conv4\(\.\.\.\)"):
        METHODS[name](Conv4)


@EVERY
def test_features_of_another_length_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"\b5\b"):
        on_features(name, nn.Linear(12, 5))(EPISODE)
