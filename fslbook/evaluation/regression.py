"""Mean squared error over many regression tasks, with its 95 % confidence interval (chapter 7)."""

from __future__ import annotations

import torch
from torch import nn

from fslbook.common.arguments import check_same_device, check_whole_number
from fslbook.evaluation.loop import Evaluation, evaluation_mode
from fslbook.tasks.sinusoids import SinusoidTasks


class RegressionEvaluation(Evaluation):
    """Mean squared error of one method on each of E tasks, in the squared unit of the targets, or a difference."""

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.ci95:.3f} ({len(self.per_episode):,} tasks)"


@torch.no_grad()
def evaluate_regression(method: nn.Module, tasks: SinusoidTasks, n_tasks: int = 600) -> RegressionEvaluation:
    """Mean squared error of `method` in evaluation mode on the first `n_tasks` tasks, all at once.

    Args:
        method: any module with `method(episode) -> predictions [B, Q, 1]`.
        tasks: where the tasks come from, left untouched; on the device of the method.
        n_tasks: at least 2, since one task has no spread.

    Raises:
        ValueError: fewer than 2 tasks, or method and tasks on different devices.
    """
    check_whole_number("n_tasks", n_tasks, least=2)
    check_same_device(method, tasks.device)
    episode = tasks.restarted().sample(n_tasks)
    with evaluation_mode(method):
        errors = (method(episode) - episode.query_y).square().flatten(1).mean(dim=1)  # [B]
    return RegressionEvaluation(errors.double().cpu(), str(tasks))
