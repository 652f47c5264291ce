"""Ask any method one query at a time, so that no query can learn from the others (chapter 8)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from fslbook.methods.base import FewShotMethod
from fslbook.tasks.episode import Episode


class OneQueryAtATime(FewShotMethod):
    """The logits that `method` would give if each query came alone: B tasks of Q queries become B·Q tasks of one.

    A method that normalises by batch statistics answers a query with the help of the other queries (it is
    transductive). The difference between `evaluate(method, ...)` and `evaluate(OneQueryAtATime(method), ...)` on the
    same episodes says how much that help is worth.

    Args:
        method: any method of the book; one that adapts weights adapts to each support set once.
    """

    def __init__(self, method: nn.Module) -> None:
        super().__init__()
        self.method = method
        self.adapts = getattr(method, "adapts", False)

    @property
    def queries_see_each_other(self) -> bool:
        """False: that is its purpose."""
        return False

    def forward(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N]."""
        singly = getattr(self.method, "one_at_a_time", None)
        if singly:
            return singly(episode)
        return torch.stack([self._one_by_one(task) for task in episode.tasks()])

    def _one_by_one(self, task: Episode) -> Tensor:
        queries = task.without_labels()
        parts = [replace(queries, query_x=x, check=False) for x in task.query_x.split(1, dim=1)]
        alone = [self.method(part) for part in parts]  # Q times [1, 1, N]
        return torch.cat(alone, dim=1)[0]
