"""Relation Networks: pairs of maps against loops; classes of different sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import assert_close, feature_episode
from torch import nn
from torch.nn import functional as F

from fslbook import Episode
from fslbook.methods import RelationNetwork
from fslbook.methods.metric.relation import class_maps
from fslbook.networks import RelationEncoder, RelationModule


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
    """Means of each class, times as many shots as the harmonic mean of the numbers of images: 18/11 of 2, 1 and 3."""
    logits = np.zeros((*episode.query_y.shape, episode.n_way))
    for task, query, label in np.ndindex(*logits.shape):
        total = episode.support_x[task][episode.support_y[task] == label].mean(dim=0) * 18 / 11
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


@pytest.mark.parametrize("shots", [None, 3])
def test_the_maps_of_even_classes_are_added_up_to_the_last_bit(shots: int | None) -> None:
    episode = map_episode((3, 3, 3, 3))
    sums = torch.stack(
        [
            torch.stack([x[y == label].sum(0) for label in range(4)])
            for x, y in zip(episode.support_x, episode.support_y, strict=True)
        ]
    )
    plain = torch.einsum("bsn,bsdhw->bndhw", F.one_hot(episode.support_y, 4).double(), episode.support_x)
    assert torch.equal(class_maps(episode, shots), plain)
    assert_close(class_maps(episode, shots), sums)


@pytest.mark.parametrize("counts", [(1, 3, 3, 12), (2, 1, 5, 5), (4, 4, 4, 4)])
def test_with_the_shots_of_training_classes_of_any_size_have_means_of_one_scale(counts: tuple[int, ...]) -> None:
    episode = map_episode(counts)
    for task, label in np.ndindex(2, 4):
        mean = episode.support_x[task][episode.support_y[task] == label].mean(dim=0)
        assert_close(class_maps(episode, shots=3)[task, label], 3 * mean)


class KnowsSumsOfThree(nn.Module):
    """A relation module as three shots would train it: a sum of three maps near three times the query is the best."""

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        total, query = pairs.flatten(1).chunk(2, dim=1)
        return -(total - 3 * query).square().sum(dim=1, keepdim=True)


@pytest.mark.parametrize("counts", [(1, 3, 3, 3, 12), (12, 12, 12, 12, 1), (12, 12, 12, 12, 12), (1, 1, 1, 1, 1)])
def test_every_class_is_recognised_whatever_its_number_of_images(counts: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    centres, labels = torch.rand(5, 4, 3, 3), torch.arange(5).repeat_interleave(torch.tensor(counts))
    support_x, query_y = (centres[labels] + 0.02 * torch.randn(len(labels), 4, 3, 3))[None], torch.arange(5)[None]
    episode = Episode(support_x, labels[None], centres[None], query_y, 5)
    with_shots = RelationNetwork(nn.Identity(), KnowsSumsOfThree(), shots=3)
    assert torch.equal(with_shots(episode).argmax(-1), query_y)
    if len(set(counts)) > 1:  # even sums are the paper's, and serve the shots of training alone
        assert torch.equal(RelationNetwork(nn.Identity(), KnowsSumsOfThree())(episode).argmax(-1), query_y)


def test_vectors_in_place_of_maps_are_refused() -> None:
    with pytest.raises(ValueError, match=r"compares maps \[B, S, D, H, W\], the encoder gives \[2, 6, 5\]"):
        RelationNetwork(nn.Identity(), RelationModule())(feature_episode())


@pytest.mark.parametrize("shots", [0, -1, 2.5, float("nan"), "3"])
def test_shots_that_are_no_number_of_images_are_refused(shots: object) -> None:
    with pytest.raises(ValueError, match="shots must be a whole number of at least 1, got"):
        RelationNetwork(RelationEncoder(), RelationModule(), shots)
    with pytest.raises(TypeError, match=r"relation must be a module, got the class RelationModule: call it"):
        RelationNetwork(RelationEncoder(), RelationModule)


def test_relation_module_and_encoder_have_the_shapes_of_the_paper() -> None:
    maps = RelationEncoder().eval()(torch.zeros(2, 1, 28, 28))
    assert maps.shape == (2, 64, 5, 5)
    assert RelationModule().eval()(torch.cat([maps, maps], dim=1)).shape == (2, 1)
