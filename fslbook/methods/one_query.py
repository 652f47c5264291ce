"""Three ways to ask a method about the queries of an episode; they differ where queries see each other (chapter 9).

A network that normalises by the batch at hand answers a query with the help of whatever else is in the batch:

- all at once: all queries of a task, as in the authors' code of MAML;
- with the support: one query and the support images, as in the authors' code of Reptile;
- one at a time: one query and nothing else, as in use without a second thought.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from fslbook.common.arguments import check_module
from fslbook.methods.base import FewShotMethod, query_by_query
from fslbook.tasks.episode import Episode


class _Asking(FewShotMethod):
    """Asks another method in one of the ways above; it has the parameters of that method and no others."""

    def __init__(self, method: nn.Module) -> None:
        super().__init__()
        check_module("method", method)
        self.method = method
        self.adapts = getattr(method, "adapts", False)

    @property
    def queries_see_each_other(self) -> bool:
        """False: that is its purpose."""
        return False

    def _ask(self, protocol: str, episode: Episode) -> Tensor:
        own: Callable[[Episode], Tensor] | None = getattr(self.method, protocol, None)
        return own(episode) if own else query_by_query(self.method, episode)


class OneQueryAtATime(_Asking):
    """The logits that `method` would give if each query came alone: B tasks of Q queries become B·Q tasks of one.

    A method that adapts weights adapts to each support set once; then each query passes through the network as a batch
    of one, whose statistics say little. Methods that embed put the support images into the batch anyway, so that this
    is the same as `QueryWithSupport` for them.

    Args:
        method: any method of the book, or any module with `method(episode) -> logits`.

    Raises:
        TypeError: `method` is no module.

    Example:
        >>> from fslbook import Episode, NearestNeighbour
        >>> x, y = torch.tensor([[[0.0], [1.0]]]), torch.tensor([[0, 1]])
        >>> OneQueryAtATime(NearestNeighbour())(Episode(x, y, x, y, n_way=2)).argmax(dim=-1)
        tensor([[0, 1]])
    """

    def forward(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N], each query asked alone.

        Args:
            episode: B tasks of Q queries each.
        """
        return self._ask("one_at_a_time", episode)


class QueryWithSupport(_Asking):
    """The logits that `method` gives to each query in one batch with the support images, and no other query.

    So one image has one answer, in whatever company it is asked, and the statistics of the batch are still of use. A
    method that adapts weights adapts to each support set once. `evaluate(method, ...)` minus
    `evaluate(QueryWithSupport(method), ...)` on the same episodes says what the other queries are worth.

    Args:
        method: any method of the book, or any module with `method(episode) -> logits`.

    Raises:
        TypeError: `method` is no module.

    Example:
        >>> from fslbook import MAML, Episode
        >>> x, y = torch.tensor([[[0.0], [1.0]]]), torch.tensor([[0, 1]])
        >>> by_batch = torch.nn.Sequential(torch.nn.BatchNorm1d(1, track_running_stats=False), torch.nn.Linear(1, 2))
        >>> method = MAML(by_batch, inner_lr=1.0, inner_steps=5)
        >>> QueryWithSupport(method)(Episode(x, y, x, y, n_way=2)).argmax(dim=-1)
        tensor([[0, 1]])
    """

    def forward(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N], each query asked beside the support images of its task.

        Args:
            episode: B tasks of Q queries each.
        """
        return self._ask("with_support", episode)


PROTOCOLS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "all_at_once": lambda method: method,
    "with_support": QueryWithSupport,
    "one_at_a_time": OneQueryAtATime,
}
"""The three ways by name; each makes of a method one that is asked so."""


@torch.no_grad()
def company_matters(method: nn.Module, episode: Episode) -> bool:
    """Try whether the answers to the queries depend on each other: ask again with all queries but the first replaced.

    `queries_see_each_other` reads the same off the layers; this also finds out about layers of your own.

    Args:
        method: any module with `method(episode) -> logits`, in the mode in which it will be used.
        episode: at least two different queries; the pixels count, not the labels.

    Example:
        >>> from fslbook import Episode, NearestNeighbour
        >>> x, y = torch.tensor([[[0.0], [1.0]]]), torch.tensor([[0, 1]])
        >>> company_matters(NearestNeighbour(), Episode(x, y, x, y, n_way=2))
        False
    """
    first = episode.query_x[:, :1]
    same = first.expand_as(episode.query_x)
    others = replace(episode, query_x=same, check=False)
    before, after = method(episode)[:, 0], method(others)[:, 0]  # [B, N]
    return not torch.allclose(before, after, rtol=1e-3, atol=1e-4 * float(before.abs().max()), equal_nan=True)
