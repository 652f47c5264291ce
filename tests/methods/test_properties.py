"""What a method says about itself: whether it adapts weights, and whether its queries see each other."""

from __future__ import annotations

import pytest
import torch
from helpers import image_episode, small_method
from torch import nn

from fslbook import (
    MAML,
    Conv4,
    MatchingNetwork,
    MetaSGD,
    NearestNeighbour,
    OneQueryAtATime,
    PrototypicalNetwork,
    RelationEncoder,
    RelationNetwork,
    Reptile,
    SiameseNetwork,
    conv_classifier,
)
from fslbook.methods import FewShotMethod
from fslbook.networks import RelationModule

ADAPTING = [MAML(conv_classifier(3)), MetaSGD(conv_classifier(3)), Reptile(conv_classifier(3))]
METRIC = [
    NearestNeighbour(),
    PrototypicalNetwork(Conv4()),
    MatchingNetwork(Conv4()),
    SiameseNetwork(Conv4()),
    RelationNetwork(RelationEncoder(), RelationModule()),
]


def named(method: nn.Module) -> str:
    return type(method).__name__


@pytest.mark.parametrize("method", ADAPTING + METRIC, ids=named)
def test_which_methods_adapt(method: FewShotMethod) -> None:
    assert method.adapts == (method in ADAPTING)
    assert OneQueryAtATime(method).adapts == method.adapts


@pytest.mark.parametrize("method", ADAPTING + METRIC, ids=named)
def test_the_networks_of_the_adapting_methods_let_queries_see_each_other(method: FewShotMethod) -> None:
    assert method.queries_see_each_other == (method in ADAPTING)
    assert not OneQueryAtATime(method).queries_see_each_other


def moved_by_company(method: FewShotMethod) -> bool:
    """Whether other images beside it move the answer to the first query."""
    episode, other = image_episode(dtype=torch.float32), image_episode(dtype=torch.float32)
    other.query_x[:, 1:] = 1 - other.query_x[:, 1:]
    return not torch.allclose(method(episode)[:, 0], method(other)[:, 0], rtol=1e-4)


NORMS = {
    "running statistics": nn.BatchNorm1d(16),
    "the batch at hand": nn.BatchNorm1d(16, track_running_stats=False),
    "each image": nn.LayerNorm(16),
    "groups of channels": nn.GroupNorm(4, 16),
}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("adapting", [False, True])
def test_what_a_method_says_of_its_queries_is_true(norm: str, adapting: bool) -> None:
    method = small_method(NORMS[norm])
    if adapting:
        method = MAML(nn.Sequential(method.encoder, nn.Linear(8, 3)), 0.1)
    method.eval()
    assert method.queries_see_each_other == moved_by_company(method) == (norm == "the batch at hand")
