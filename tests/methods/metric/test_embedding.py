"""Loss, gradients and the passage through the encoder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import assert_close, devices, feature_episode
from metric_methods import (
    METHODS,
    loop_prototype_logits,
    on_features,
)
from torch import nn

from fslbook import Conv4, Episode, NearestNeighbour, PrototypicalNetwork
from fslbook.methods import (
    EmbeddingMethod,
    FewShotMethod,
)


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


class Fixed(nn.Module):
    """Gives the same whatever it is asked."""

    def __init__(self, features: object) -> None:
        super().__init__()
        self.features = features

    def forward(self, images: torch.Tensor) -> object:
        return self.features


@pytest.mark.parametrize(
    ("features", "given"),
    [
        (torch.zeros(2, 5), r"\[2, 5\]"),
        (torch.tensor(1.0), r"\[\]"),
        ((torch.zeros(20, 5), 1), "tuple"),
        (None, "NoneType"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_an_encoder_must_give_features_of_every_image(
    method: type[EmbeddingMethod], features: object, given: str
) -> None:
    with pytest.raises(ValueError, match=rf"Fixed must give features \[20, ...\], got {given}"):
        method(Fixed(features))(feature_episode())


@pytest.mark.parametrize("method", METHODS)
def test_what_is_no_encoder_is_refused(method: type[EmbeddingMethod]) -> None:
    with pytest.raises(TypeError, match=r"encoder must be a module, got the class Conv4: call it, Conv4\(\.\.\.\)"):
        method(Conv4)
    with pytest.raises(TypeError, match=r"encoder must be a torch\.nn\.Module, got <function"):
        method(lambda x: x)
