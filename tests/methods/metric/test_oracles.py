"""The metric methods against loops of NumPy in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import PROPERTIES, assert_close, devices, feature_episode
from hypothesis import given
from hypothesis import strategies as st
from metric_methods import (
    ORACLES,
    loop_prototypes,
    on_features,
)

from fslbook import Episode
from fslbook.methods import (
    EmbeddingMethod,
    negative_squared_distances,
    prototypes,
)


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize(("method", "oracle"), ORACLES)
@PROPERTIES
@given(data=st.data())
def test_logits_equal_numpy_loops(
    data: st.DataObject, method: type[EmbeddingMethod], oracle: Callable[[Episode], np.ndarray], device: str
) -> None:
    counts = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=5), label="support images of each class")
    sizes = {name: data.draw(st.integers(1, 4), label=name) for name in ("batch", "n_query", "features")}
    episode = feature_episode(counts, **sizes, seed=data.draw(st.integers(0, 999), label="seed"))
    logits = on_features(method)(episode.to(device))
    assert logits.shape == (sizes["batch"], sizes["n_query"], len(counts))
    assert_close(logits, oracle(episode))


@pytest.mark.parametrize(("method", "oracle"), ORACLES)
def test_logits_of_many_queries_equal_numpy_loops(
    method: type[EmbeddingMethod], oracle: Callable[[Episode], np.ndarray]
) -> None:
    episode = feature_episode((9, 13, 8), n_query=40, features=20)  # torch.cdist changes its formula at 25 rows
    assert_close(on_features(method)(episode), oracle(episode))


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize(("method", "oracle"), ORACLES)
def test_float32_logits_stay_near_the_float64_ones(
    method: type[EmbeddingMethod], oracle: Callable[[Episode], np.ndarray], device: str
) -> None:
    episode = feature_episode((2, 1, 3, 1, 1), n_query=10, features=64)
    single = replace(episode, support_x=episode.support_x.float(), query_x=episode.query_x.float(), check=True)
    logits = on_features(method)(single.to(device))
    assert logits.dtype == torch.float32
    assert_close(logits, oracle(episode))


@pytest.mark.parametrize("device", devices())
def test_prototypes_equal_numpy_loops(device: str) -> None:
    episode = feature_episode((4, 1, 2, 3), batch=3)
    expected = loop_prototypes(episode.support_x.numpy(), episode.support_y.numpy(), 4)
    assert_close(prototypes(episode.support_x.to(device), episode.support_y.to(device), 4), expected)


def test_distance_of_a_point_to_itself_is_zero_and_3_4_gives_25() -> None:
    origin_and_other = torch.tensor([[[0.0, 0.0], [3.0, 4.0]]])
    assert negative_squared_distances(origin_and_other, origin_and_other).tolist() == [[[0, -25], [-25, 0]]]
