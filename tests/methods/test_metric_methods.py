"""What is special to Siamese, Matching and Relation Networks; what they share is in test_methods.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from helpers import assert_close, feature_episode
from torch import nn

from fslbook import Episode
from fslbook.methods import MatchingNetwork, RelationNetwork, SiameseNetwork
from fslbook.networks import RelationModule
from fslbook.networks.encoders import RelationEncoder


def siamese(loss: str, margin: float = 1.0) -> SiameseNetwork:
    torch.manual_seed(0)
    return SiameseNetwork(nn.Identity(), loss, margin, n_features=5).double()


def pairs(episode: Episode) -> list[tuple[np.ndarray, np.ndarray, bool]]:
    """Every query with every support image of its task, and whether their classes differ."""
    return [
        (q.numpy(), s.numpy(), bool(qy != sy))
        for task in range(episode.batch_size)
        for q, qy in zip(episode.query_x[task], episode.query_y[task], strict=True)
        for s, sy in zip(episode.support_x[task], episode.support_y[task], strict=True)
    ]


def half_and_half(losses: list[tuple[float, bool]]) -> np.ndarray:
    kinds = [np.mean([loss for loss, different in losses if different is kind]) for kind in (False, True)]
    return np.array(np.mean(kinds))


def test_contrastive_loss_of_an_episode_equals_a_loop() -> None:
    episode = feature_episode((2, 1, 3), n_query=6, features=5)
    distances = [(np.linalg.norm(q - s), different) for q, s, different in pairs(episode)]
    losses = [(max(0, 2.5 - d) ** 2 / 2 if different else d**2 / 2, different) for d, different in distances]
    assert_close(siamese("contrastive", margin=2.5).loss(episode), half_and_half(losses))


def test_cross_entropy_loss_of_an_episode_equals_a_loop() -> None:
    episode, network = feature_episode((2, 1, 3), n_query=6, features=5), siamese("cross-entropy")
    weight, bias = network.weighting.weight[0].detach().numpy(), network.weighting.bias.item()
    losses = []
    for q, s, different in pairs(episode):
        logit = np.sum(weight * np.abs(q - s)) + bias
        losses.append((np.log1p(np.exp(logit if different else -logit)), different))
    assert_close(network.loss(episode), half_and_half(losses))


def test_learned_similarity_equals_a_loop() -> None:
    episode, network = feature_episode((2, 1, 3), features=5), siamese("cross-entropy")
    weight, bias = network.weighting.weight[0].detach().numpy(), network.weighting.bias.item()
    logits = network(episode)
    for task, query, label in np.ndindex(*logits.shape):
        q = episode.query_x[task, query].numpy()
        members = episode.support_x[task][episode.support_y[task] == label].numpy()
        best = max(np.sum(weight * np.abs(q - s)) + bias for s in members)
        assert math.isclose(logits[task, query, label].item(), best, rel_tol=1e-9)


def test_triplets_are_formed_from_support_and_query() -> None:
    support, query = torch.zeros(1, 2, 1), torch.tensor([[[1.0], [2.0]]])
    support[0, 1] = 3.0
    labels = torch.tensor([[0, 1]])
    loss = SiameseNetwork(nn.Identity(), "triplet", margin=1.0).loss(Episode(support, labels, query, labels, 2))
    # Class 0 has the points 0 and 1, class 1 has 3 and 2, each pair at squared distance 1. From 1 the nearest negative
    # that is farther away than 0 is 3, at squared distance 4 (2 is just as near); from 0 it is 2, also at 4.
    assert loss.item() == 0
    wide = SiameseNetwork(nn.Identity(), "triplet", margin=5.0).loss(Episode(support, labels, query, labels, 2))
    assert wide.item() == pytest.approx(((1 - 4 + 5) * 4) / 4)


@pytest.mark.parametrize("loss", ["contrastive", "triplet", "cross-entropy"])
def test_siamese_gradients_equal_finite_differences(loss: str) -> None:
    episode, network = feature_episode((2, 1), n_query=4, features=5, batch=1), siamese(loss, margin=3.0)

    def compute(support_x: torch.Tensor, query_x: torch.Tensor) -> torch.Tensor:
        return network.loss(Episode(support_x, episode.support_y, query_x, episode.query_y, 2, check=False))

    assert torch.autograd.gradcheck(compute, (episode.support_x.requires_grad_(), episode.query_x.requires_grad_()))


def test_unknown_loss_and_bad_margin_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown loss 'hinge'; known are 'contrastive', 'triplet', 'cross-entropy'"):
        SiameseNetwork(nn.Identity(), "hinge")
    with pytest.raises(ValueError, match="margin must be positive, got 0"):
        SiameseNetwork(nn.Identity(), margin=0)


@pytest.mark.parametrize("loss", ["contrastive", "triplet", "cross-entropy"])
def test_a_single_class_has_no_negatives(loss: str) -> None:
    x, y = torch.ones(1, 2, 5, dtype=torch.float64), torch.zeros(1, 2, dtype=torch.int64)
    with pytest.raises(ValueError, match="pairs of different classes need at least 2 classes, the episode has 1"):
        siamese(loss).loss(Episode(x, y, x, y, n_way=1))


def test_attention_adds_up_to_one_and_its_class_sums_are_the_probabilities() -> None:
    episode, network = feature_episode((2, 1, 3)), MatchingNetwork(nn.Identity())
    attention, probabilities = network.attention(episode), network(episode).softmax(-1)
    assert_close(attention.sum(-1), torch.ones_like(attention.sum(-1)))
    for label in range(3):
        of_class = (episode.support_y == label)[:, None]
        assert_close((attention * of_class).sum(-1), probabilities[..., label])


@pytest.mark.parametrize("n_way", [5, 20])
def test_bare_cosines_cannot_be_confident(n_way: int) -> None:
    support = -torch.ones(1, n_way, 3, dtype=torch.float64)
    support[0, 0] = 1
    query, labels = torch.ones(1, 1, 3, dtype=torch.float64), torch.arange(n_way)[None]
    episode = Episode(support, labels, query, labels[:, :1], n_way)  # the best case there is
    highest = MatchingNetwork(nn.Identity(), scale=1.0)(episode).softmax(-1).max().item()
    assert math.isclose(highest, math.e**2 / (math.e**2 + n_way - 1))
    assert MatchingNetwork(nn.Identity(), scale=10.0)(episode).softmax(-1).max() > 0.99


def test_zero_vectors_have_cosine_zero_and_finite_gradients() -> None:
    x, labels = torch.zeros(1, 2, 3, requires_grad=True), torch.tensor([[0, 1]])
    network = MatchingNetwork(nn.Identity())
    episode = Episode(x, labels, x, labels, 2, check=False)
    assert network.attention(episode).tolist() == [[[0.5, 0.5], [0.5, 0.5]]]
    network.loss(episode).backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_a_scale_that_is_not_positive_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale must be positive, got"):
        MatchingNetwork(nn.Identity(), scale)


def map_episode(n_support: tuple[int, ...] = (2, 1, 3)) -> Episode:
    """Random maps [2, 1, 1] in place of images."""
    flat = feature_episode(n_support, n_query=4, features=2)
    maps = (x[..., None, None] for x in (flat.support_x, flat.query_x))
    support, query = maps
    return Episode(support, flat.support_y, query, flat.query_y, flat.n_way)


def relation_network() -> RelationNetwork:
    torch.manual_seed(0)
    return RelationNetwork(
        nn.Identity(), nn.Sequential(nn.Flatten(1), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
    ).double()


def loop_relation(network: RelationNetwork, episode: Episode) -> np.ndarray:
    logits = np.zeros((*episode.query_y.shape, episode.n_way))
    for task, query, label in np.ndindex(*logits.shape):
        total = episode.support_x[task][episode.support_y[task] == label].sum(dim=0)
        pair = torch.cat([total, episode.query_x[task, query]])  # support first
        logits[task, query, label] = network.relation(pair[None]).item()
    return logits


def test_relation_logits_and_loss_equal_loops() -> None:
    network, episode = relation_network(), map_episode()
    expected = loop_relation(network, episode)
    assert_close(network(episode), expected)
    right = np.arange(episode.n_way) == episode.query_y.numpy()[..., None]
    assert_close(network.loss(episode), np.array(np.mean((1 / (1 + np.exp(-expected)) - right) ** 2)))


def test_relation_does_not_depend_on_support_order_or_class_names() -> None:
    network, episode = relation_network(), map_episode((3, 2, 4))
    order, new_name = torch.randperm(9, generator=torch.Generator().manual_seed(1)), torch.tensor([2, 0, 1])
    x, y = episode.support_x[:, order], episode.support_y[:, order]
    shuffled = Episode(x, new_name[y], episode.query_x, new_name[episode.query_y], 3)
    assert_close(network(shuffled)[..., new_name], network(episode))


def test_relation_module_and_encoder_have_the_shapes_of_the_paper() -> None:
    maps = RelationEncoder().eval()(torch.zeros(2, 1, 28, 28))
    assert maps.shape == (2, 64, 5, 5)
    assert RelationModule().eval()(torch.cat([maps, maps], dim=1)).shape == (2, 1)
