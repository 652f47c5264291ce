"""Mean squared error over many regression tasks, with its 95 % confidence interval (chapter 8)."""

from __future__ import annotations

from torch import nn

from fslbook.common.arguments import check_whole_number
from fslbook.evaluation.loop import TestTasks, evaluate
from fslbook.evaluation.results import RegressionEvaluation
from fslbook.evaluation.scores import squared_error


def evaluate_regression(method: nn.Module, tasks: TestTasks, n_tasks: int = 600) -> RegressionEvaluation:
    """Mean squared error of `method` in evaluation mode on the first `n_tasks` tasks.

    `evaluate` with the squared error as its score.

    Args:
        method: any module with `method(episode) -> predictions [B, Q, D]`.
        tasks: where the tasks come from, left untouched; on the device of the method.
        n_tasks: at least 2, since one task has no spread.

    Raises:
        ValueError: fewer than 2 tasks, method and tasks on different devices, tasks whose targets are labels, or
            predictions of another shape than the targets.

    Example:
        >>> import torch
        >>> from fslbook.tasks import SinusoidTasks
        >>> class Zero(nn.Module):
        ...     def forward(self, episode):
        ...         return torch.zeros_like(episode.query_x)
        >>> 4 < evaluate_regression(Zero(), SinusoidTasks(), 1000).mean < 4.5
        True
    """
    result = evaluate(method, tasks, check_whole_number("n_tasks", n_tasks, least=2), score=squared_error)
    if not isinstance(result, RegressionEvaluation):
        raise ValueError("the targets of these tasks are labels, not numbers; take `evaluate`")
    return result
