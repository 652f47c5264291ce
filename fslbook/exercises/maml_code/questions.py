"""Checks of chapter 9's exercises: questions to ask of a MAML that runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.inputs import Weights, batch_norm_network, other_weights, own_weights, small_network
from fslbook.exercises.engine.steps import step

# One query at a time


def _draw_queries(n_query: int) -> Any:
    def draw(generator: Generator) -> tuple[nn.Module, Weights, Tensor]:
        network = batch_norm_network(generator)
        queries = torch.rand(n_query, 1, 4, 4, generator=generator)
        return network, other_weights(network, generator), queries

    return draw


def _one_by_one(network: nn.Module, weights: Weights, queries: Tensor) -> Tensor:
    return torch.cat([functional_call(network, weights, (query,)) for query in queries.split(1)])


def _beside_zeros(network: nn.Module, weights: Weights, queries: Tensor) -> Tensor:
    both = [torch.cat([query, 0 * query]) for query in queries.split(1)]
    return torch.cat([functional_call(network, weights, (pair,))[:1] for pair in both])


def _in_pairs(network: nn.Module, weights: Weights, queries: Tensor) -> Tensor:
    return torch.cat([functional_call(network, weights, (pair,)) for pair in queries.split(2)])


one_at_a_time = Exercise(
    "one_at_a_time",
    _one_by_one,
    {"five queries": Case(_draw_queries(5)), "a single query": Case(_draw_queries(1))},
    [
        Mistake(
            lambda network, weights, x: functional_call(network, weights, (x,)),
            "the answers depend on which other queries are asked",
        ),
        Mistake(
            lambda network, weights, x: torch.cat([network(query) for query in x.split(1)]),
            "the network answered with its own weights, not with those handed in",
        ),
        Mistake(lambda *z: _one_by_one(*z).softmax(dim=1), "these are probabilities; hand back the logits"),
        Mistake(lambda *z: _one_by_one(*z).argmax(dim=1), "these are decisions; hand back the logits"),
        Mistake(
            lambda *z: _one_by_one(*z).log_softmax(dim=1), "these are logarithms of probabilities; hand back the logits"
        ),
        Mistake(_beside_zeros, "each query has an image of zeros in its batch; it must be alone"),
        Mistake(_in_pairs, "the queries were asked in pairs; each must be alone"),
    ],
)

# Does it listen?


class Learner(nn.Module):
    """Answers queries after one inner step; or looks at the support images without their labels.

    Args:
        generator: draws its weights.
        inner_lr: size of the inner step; 0 means that it does not adapt.
        by_images: its answers depend on the support images and on their order.

    Example:
        >>> learner = Learner(torch.Generator(), inner_lr=0.5)
        >>> learner(torch.zeros(6, 3), torch.arange(6) % 3, torch.zeros(4, 3)).shape
        torch.Size([4, 3])
    """

    def __init__(self, generator: Generator, inner_lr: float, by_images: bool = False) -> None:
        super().__init__()
        self.network, self.inner_lr, self.by_images = small_network(generator), inner_lr, by_images

    def forward(self, support_x: Tensor, support_y: Tensor, query_x: Tensor) -> Tensor:
        """Logits [Q, 3] of queries [Q, 3] from support_x [S, 3] and support_y [S]."""
        weights = own_weights(self.network)
        if self.inner_lr:
            weights = step(self.network, weights, support_x, support_y, self.inner_lr)
        logits: Tensor = functional_call(self.network, weights, (query_x,))
        return logits * support_x.std() - support_x[0].mean() if self.by_images else logits


def _draw_learner(inner_lr: float, by_images: bool = False) -> Any:
    def draw(generator: Generator) -> tuple[nn.Module, Tensor, Tensor, Tensor, int]:
        support_x, query_x = torch.randn(9, 3, generator=generator), torch.randn(5, 3, generator=generator)
        support_y = torch.arange(3).repeat(3)[torch.randperm(9, generator=generator)]
        return Learner(generator, inner_lr, by_images), support_x, support_y, query_x, 3

    return draw


def _tells(change: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], look: Callable[[Tensor], Tensor]) -> Any:
    def version(learner: nn.Module, support_x: Tensor, support_y: Tensor, query_x: Tensor, n_way: int) -> bool:
        before, after = learner(support_x, support_y, query_x), learner(*change(support_x, support_y), query_x)
        return not torch.allclose(look(before).double(), look(after).double())

    return version


_IGNORES = "this one does not listen to its labels, and you say it does"
_LISTENS = "this one listens to its labels, and you say it does not"

listens = Exercise(
    "listens",
    lambda learner, *rest: learner.inner_lr > 0,
    {
        "a learner that adapts": Case(_draw_learner(2.0)),
        "one that does not adapt": Case(_draw_learner(0.0)),
        "one that looks at the images and ignores their labels": Case(_draw_learner(0.0, by_images=True)),
        "one that adapts a very little": Case(_draw_learner(0.001)),
    },
    [
        Mistake(lambda *z: True, _IGNORES),
        Mistake(lambda *z: False, _LISTENS),
        Mistake(_tells(lambda x, y: (x + 1, y), lambda logits: logits), _IGNORES),
        Mistake(_tells(lambda x, y: (x.flip(0), y.flip(0)), lambda logits: logits), _LISTENS),
        Mistake(_tells(lambda x, y: (x, (y + 1) % 3), lambda logits: logits.argmax(dim=1)), _LISTENS),
    ],
)
