"""Ask a network about queries that are not all in one batch: each alone, or each beside the support images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.func import vmap

from fslbook.tasks.episode import Episode

Batches = Callable[[Tensor, Tensor], Tensor]
"""From a support set [S, ...] and queries [Q, ...] to a batch for each query, itself the last: [Q, M, ...]."""

IMAGES_AT_ONCE = 2000
"""How many images pass through the network at a time where each query makes a batch of its own: memory is bounded."""


def alone(support: Tensor, queries: Tensor) -> Tensor:
    """Q batches of one: [Q, 1, ...].

    Args:
        support: [S, ...]; plays no part.
        queries: [Q, ...].

    Example:
        >>> alone(torch.zeros(3, 2), torch.zeros(7, 2)).shape
        torch.Size([7, 1, 2])
    """
    return queries[:, None]


def beside_support(support: Tensor, queries: Tensor) -> Tensor:
    """Q batches of the support and one query: [Q, S + 1, ...].

    Args:
        support: [S, ...].
        queries: [Q, ...].

    Example:
        >>> beside_support(torch.zeros(3, 2), torch.zeros(7, 2)).shape
        torch.Size([7, 4, 2])
    """
    return torch.cat([support.expand(len(queries), *support.shape), queries[:, None]], dim=1)


def ask_each(network: Callable[[Tensor], Tensor], batches: Tensor, *, in_turn: bool) -> Tensor:
    """What the network gives for the last input of each batch, [Q, N].

    Args:
        network: a batch [M, ...] to outputs [M, N].
        batches: [Q, M, ...].
        in_turn: one batch after the other; otherwise many at once, by vmap.

    Example:
        >>> ask_each(lambda batch: batch - batch.mean(), torch.tensor([[[1.0], [3.0]]]), in_turn=False)
        tensor([[1.]])
    """

    def last(batch: Tensor) -> Tensor:
        return network(batch)[-1]

    if in_turn:
        return torch.stack([last(batch) for batch in batches])
    at_once = max(1, IMAGES_AT_ONCE // batches.shape[1])
    return vmap(last, randomness="different", chunk_size=at_once)(batches)


def copied(episode: Episode) -> Episode:
    """The same tasks in tensors of their own; copies of inference tensors can be differentiated.

    Args:
        episode: B tasks.

    Example:
        >>> with torch.inference_mode():
        ...     x, y = torch.zeros(1, 2, 3), torch.tensor([[0, 1]])
        >>> copied(Episode(x, y, x, None, n_way=2)).support_x.is_inference()
        False
    """
    names = ("support_x", "support_y", "query_x")
    return replace(episode, **{name: getattr(episode, name).clone() for name in names}, check=False)
