"""Matching Networks: attention, and how confident cosines can be."""

from __future__ import annotations

import math

import pytest
import torch
from helpers import assert_close, feature_episode
from torch import nn

from fslbook import Episode
from fslbook.methods import (
    MatchingNetwork,
)


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


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, -math.inf, math.nan, "20", None])
def test_a_scale_that_is_not_positive_and_finite_is_refused(scale: object) -> None:
    with pytest.raises(ValueError, match=r"scale must be (positive|finite), got"):
        MatchingNetwork(nn.Identity(), scale)
