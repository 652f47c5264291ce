"""Siamese networks: the three losses against loops, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from helpers import assert_close, feature_episode
from torch import nn

from fslbook import Episode
from fslbook.methods import (
    SiameseNetwork,
)


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


@pytest.mark.parametrize("margin", [0, -1.0, math.nan, math.inf, "1", None, True])
def test_a_margin_that_is_not_positive_and_finite_is_refused(margin: object) -> None:
    with pytest.raises(ValueError, match=r"margin must be (positive|finite), got"):
        SiameseNetwork(nn.Identity(), margin=margin)


@pytest.mark.parametrize("n_features", [0, 2.5, "64"])
def test_a_length_that_is_no_number_of_features_is_refused(n_features: object) -> None:
    with pytest.raises(ValueError, match="n_features must be a whole number of at least 1, got"):
        SiameseNetwork(nn.Identity(), "cross-entropy", n_features=n_features)


def test_features_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="the encoder gives 5 features, not 64: say SiameseNetwork"):
        SiameseNetwork(nn.Identity(), "cross-entropy").double()(feature_episode())


@pytest.mark.parametrize("loss", ["contrastive", "triplet", "cross-entropy"])
def test_a_single_class_has_no_negatives(loss: str) -> None:
    x, y = torch.ones(1, 2, 5, dtype=torch.float64), torch.zeros(1, 2, dtype=torch.int64)
    with pytest.raises(ValueError, match="pairs of different classes need at least 2 classes, the episode has 1"):
        siamese(loss).loss(Episode(x, y, x, y, n_way=1))
