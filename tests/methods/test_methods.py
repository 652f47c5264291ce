"""The methods against NumPy loops in float64, and against what theory says about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import PROPERTIES, assert_close, devices, feature_episode
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fslbook import Episode, NearestNeighbour, PrototypicalNetwork
from fslbook.methods import (
    EmbeddingMethod,
    FewShotMethod,
    MatchingNetwork,
    SiameseNetwork,
    negative_squared_distances,
    prototypes,
)

DISTANCE_METHODS = [PrototypicalNetwork, NearestNeighbour]
METHODS = [*DISTANCE_METHODS, MatchingNetwork, SiameseNetwork]


def on_features(method: type[EmbeddingMethod]) -> EmbeddingMethod:
    """The method with an encoder that leaves feature vectors as they are."""
    return method(nn.Identity())


def loop_prototypes(support_x: np.ndarray, support_y: np.ndarray, n_way: int) -> np.ndarray:
    centres = np.zeros((len(support_x), n_way, support_x.shape[-1]))
    for task in range(len(support_x)):
        for label in range(n_way):
            members = [x for x, y in zip(support_x[task], support_y[task], strict=True) if y == label]
            centres[task, label] = sum(members) / len(members)
    return centres


def loop_prototype_logits(episode: Episode) -> np.ndarray:
    centres = loop_prototypes(episode.support_x.numpy(), episode.support_y.numpy(), episode.n_way)
    queries = episode.query_x.numpy()
    logits = np.zeros((*queries.shape[:2], episode.n_way))
    for task, query, label in np.ndindex(*logits.shape):
        logits[task, query, label] = -sum(
            (a - b) ** 2 for a, b in zip(queries[task, query], centres[task, label], strict=True)
        )
    return logits


def loop_neighbour_logits(episode: Episode) -> np.ndarray:
    support, labels, queries = episode.support_x.numpy(), episode.support_y.numpy(), episode.query_x.numpy()
    logits = np.full((*queries.shape[:2], episode.n_way), -np.inf)
    for task, query in np.ndindex(*logits.shape[:2]):
        for x, y in zip(support[task], labels[task], strict=True):
            distance = np.sqrt(np.sum((queries[task, query] - x) ** 2))
            logits[task, query, y] = max(logits[task, query, y], -distance)
    return logits


def loop_matching_logits(episode: Episode) -> np.ndarray:
    """The logarithm of the attention's numerator, summed over the support images of each class."""
    support, labels, queries = episode.support_x.numpy(), episode.support_y.numpy(), episode.query_x.numpy()
    sums = np.zeros((*queries.shape[:2], episode.n_way))
    for task, query in np.ndindex(*sums.shape[:2]):
        q = queries[task, query]
        for x, y in zip(support[task], labels[task], strict=True):
            cosine = np.dot(q, x) / (np.sqrt(np.dot(q, q)) * np.sqrt(np.dot(x, x)))
            sums[task, query, y] += np.exp(MatchingNetwork(nn.Identity()).scale * cosine)
    return np.log(sums)


ORACLES = [
    (PrototypicalNetwork, loop_prototype_logits),
    (NearestNeighbour, loop_neighbour_logits),
    (SiameseNetwork, loop_neighbour_logits),
    (MatchingNetwork, loop_matching_logits),
]


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


@pytest.mark.parametrize("device", devices())
def test_loss_is_the_mean_cross_entropy_of_the_logits(device: str) -> None:
    episode = feature_episode((2, 3, 1), n_query=6, batch=3)
    logits = loop_prototype_logits(episode)
    losses = []
    for task, query in np.ndindex(3, 6):
        scores = logits[task, query]
        losses.append(
            np.log(np.sum(np.exp(scores - scores.max()))) + scores.max() - scores[episode.query_y[task, query]]
        )
    assert_close(on_features(PrototypicalNetwork).loss(episode.to(device)), np.array(np.mean(losses)))


@pytest.mark.parametrize("value", ["logits", "loss"])
def test_gradients_equal_finite_differences(value: str) -> None:
    episode = feature_episode((2, 1, 3), n_query=3, features=4)
    network = on_features(PrototypicalNetwork)

    def compute(support_x: torch.Tensor, query_x: torch.Tensor) -> torch.Tensor:
        moved = replace(episode, support_x=support_x, query_x=query_x, check=False)
        return network(moved) if value == "logits" else network.loss(moved)

    assert torch.autograd.gradcheck(compute, (episode.support_x.requires_grad_(), episode.query_x.requires_grad_()))


def test_gradients_reach_the_encoder() -> None:
    torch.manual_seed(0)
    network = PrototypicalNetwork(nn.Linear(5, 3).double())
    weight = network.encoder.weight

    def loss(values: torch.Tensor) -> torch.Tensor:
        features = feature_episode().map(lambda x: x @ values.T + network.encoder.bias.detach())
        return on_features(PrototypicalNetwork).loss(features)

    network.loss(feature_episode()).backward()
    (expected,) = torch.autograd.grad(loss(weight), weight)
    assert float(expected.abs().max()) > 0
    assert_close(weight.grad, expected)


def test_nearest_neighbour_compares_raw_pixels_by_default() -> None:
    x = torch.zeros(1, 2, 1, 4, 4)
    x[0, 1] = 1  # class 0 is black, class 1 is white
    episode = Episode(x, torch.tensor([[0, 1]]), x[:, [1]] * 0.75, torch.tensor([[1]]), 2)
    assert_close(NearestNeighbour()(episode), torch.tensor([[[-3.0, -1.0]]]))  # sixteen pixels: √(16 · 0.75²) = 3
    assert not [*NearestNeighbour().parameters()]


@pytest.mark.parametrize("method", METHODS)
def test_feature_maps_are_flattened(method: type[EmbeddingMethod]) -> None:
    episode = feature_episode(features=12)
    maps = replace(
        episode, support_x=episode.support_x.unflatten(2, (3, 2, 2)), query_x=episode.query_x.unflatten(2, (3, 2, 2))
    )
    assert_close(on_features(method)(maps), on_features(method)(episode))


def test_support_and_query_pass_through_the_encoder_in_one_batch() -> None:
    sizes = []

    class Watching(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            sizes.append(len(images))
            return images.flatten(1)

    PrototypicalNetwork(Watching())(feature_episode((2, 3, 1), n_query=4, batch=2))
    assert sizes == [2 * (6 + 4)]


def test_half_precision_features_are_compared_in_float32() -> None:
    class Half(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.flatten(1).bfloat16()

    episode = feature_episode()
    rounded = replace(
        episode, support_x=episode.support_x.bfloat16().double(), query_x=episode.query_x.bfloat16().double()
    )
    logits = PrototypicalNetwork(Half())(episode)
    assert logits.dtype == torch.float32
    assert_close(logits, loop_prototype_logits(rounded))


def test_the_base_classes_leave_the_idea_to_the_method() -> None:
    with pytest.raises(NotImplementedError):
        FewShotMethod()(feature_episode())
    with pytest.raises(NotImplementedError):
        EmbeddingMethod(nn.Identity())(feature_episode())
