"""Gradients that are taken before `backward` is called, task by task (chapter 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from fslbook.tasks.episode import Episode


def mean_over_tasks(
    loss: Callable[[Episode], Tensor], tasks: Iterable[Episode], parameters: list[nn.Parameter]
) -> Tensor:
    """Mean of `loss(task)`, differentiated task by task, so that only one task's graph is in memory at a time.

    Args:
        loss: an episode of one task to a scalar.
        tasks: at least one.
        parameters: with respect to which the result can be differentiated.

    Returns:
        a scalar whose gradient with respect to `parameters` (and to nothing else) is that of the mean.

    Example:
        >>> from fslbook.tasks import SinusoidTasks
        >>> w = nn.Parameter(torch.tensor(2.0))
        >>> mean = mean_over_tasks(lambda task: w**2, SinusoidTasks().sample(3).tasks(), [w])
        >>> mean.item(), torch.autograd.grad(mean, w)[0].item()
        (4.0, 4.0)
    """
    losses, total = [], [torch.zeros_like(p) for p in parameters]
    for task in tasks:
        value = loss(task)
        gradients = torch.autograd.grad(value, parameters, materialize_grads=True)
        for so_far, gradient in zip(total, gradients, strict=True):
            so_far += gradient
        losses.append(value.detach())
    return with_gradients(torch.stack(losses).mean(), parameters, [so_far / len(losses) for so_far in total])


def with_gradients(value: Tensor, parameters: list[nn.Parameter], gradients: list[Tensor]) -> Tensor:
    """`value`, as a scalar that has these gradients: zero in value, but linear in the parameters, is added to it.

    Args:
        value: a scalar.
        parameters: of any shapes.
        gradients: one for each parameter, in its shape.

    Example:
        >>> w = nn.Parameter(torch.ones(2))
        >>> value = with_gradients(torch.tensor(5.0), [w], [torch.tensor([1.0, 3.0])])
        >>> value.item(), torch.autograd.grad(value, w)[0]
        (5.0, tensor([1., 3.]))
    """
    linear = torch.stack([(p * g).sum() for p, g in zip(parameters, gradients, strict=True)]).sum()
    return value + (linear - linear.detach())
