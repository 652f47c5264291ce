"""The relation module: all pairs at once must be what each stacked pair gives by itself."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from fslbook.methods import RelationNetwork
from fslbook.networks import RelationModule
from fslbook.tasks.episode import Episode


def stacked(module: nn.Module, classes: Tensor, queries: Tensor) -> Tensor:
    """One pair after the other in a batch, class first: [B, Q, N]."""
    pairs = [torch.cat([c, q]) for of_task, asked in zip(classes, queries, strict=True) for q in asked for c in of_task]
    return module(torch.stack(pairs)).view(len(classes), queries.shape[1], classes.shape[1])


def maps_and_module() -> tuple[Tensor, Tensor, RelationModule]:
    torch.manual_seed(0)
    module = RelationModule(channels=6).double()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean)
    shapes = ((2, 5, 6, 5, 5), (2, 3, 6, 5, 5))
    classes, queries = (torch.randn(s, dtype=torch.float64, requires_grad=True) for s in shapes)
    return classes, queries, module


@pytest.mark.parametrize("training", [True, False])
def test_all_pairs_at_once_are_the_stacked_pairs_one_by_one(training: bool) -> None:
    classes, queries, module = maps_and_module()
    twin = deepcopy(module).train(training)
    at_once, one_by_one = module.train(training).compare(classes, queries), stacked(twin, classes, queries)
    torch.testing.assert_close(at_once, one_by_one, rtol=0, atol=1e-12)
    slopes = [
        torch.autograd.grad(numbers.square().sum(), [classes, queries, *owner.parameters()])
        for numbers, owner in ((at_once, module), (one_by_one, twin))
    ]
    torch.testing.assert_close(*slopes, rtol=0, atol=1e-10)
    torch.testing.assert_close(module.state_dict(), twin.state_dict(), rtol=0, atol=1e-12)  # running statistics


def test_a_relation_that_only_takes_stacked_maps_gives_the_same_answers() -> None:
    classes, queries, module = maps_and_module()
    y = torch.arange(5).expand(2, 5)
    episode = Episode(classes, y, queries, y[:, :3], n_way=5)
    plain = nn.Sequential(*module)  # the same layers, without `compare`
    networks = [RelationNetwork(nn.Identity(), relation).eval() for relation in (module, plain)]
    torch.testing.assert_close(*(network.classify(episode) for network in networks), rtol=0, atol=1e-12)
