"""The loss of the inner loop, and what it must be like: one number, a mean over its inputs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import readable

Loss = Callable[[Tensor, Tensor], Tensor]


def inner_loss(loss: Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """`loss(outputs, targets)`, a scalar.

    Args:
        loss: a mean over its inputs, such as `torch.nn.functional.cross_entropy`.
        outputs: of the network, [M, N].
        targets: labels int64 [M], or numbers [M, N].

    Raises:
        ValueError: the targets do not fit the outputs, or the loss is not one number.

    Example:
        >>> inner_loss(F.cross_entropy, torch.zeros(3, 2), torch.tensor([0, 1, 1])).item()  # log 2
        0.6931471824645996
    """
    _check_targets(loss, outputs, targets)
    value = loss(outputs, targets)
    if not isinstance(value, Tensor) or value.ndim:
        given = f"shape {[*value.shape]}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"the loss must be one number, a mean over its inputs; got {given}")
    return value


def _check_targets(loss: Loss, outputs: Tensor, targets: Tensor) -> None:
    if loss is F.cross_entropy or isinstance(loss, nn.CrossEntropyLoss):
        way = "for numbers as targets give loss=torch.nn.functional.mse_loss"
        if outputs.shape[-1] == 1:
            raise ValueError(f"cross-entropy over one output is 0 whatever the targets; {way}")
        if targets.is_floating_point():
            raise ValueError(f"cross-entropy would take targets that are numbers for probabilities; {way}")
    if targets.is_floating_point() and outputs.ndim != targets.ndim:
        raise ValueError(f"targets {[*targets.shape]} do not fit outputs {[*outputs.shape]}")


def check_support(support_x: Tensor, support_y: Tensor, n_way: int | None) -> None:
    """Refuse a support set whose inputs and targets differ in number, bytes, and labels outside 0..n_way-1.

    Args:
        support_x: inputs [S, ...].
        support_y: labels int64 [S], or numbers [S, ...].
        n_way: number of classes; without it, and where targets are numbers, all are allowed.

    Raises:
        ValueError: says what does not fit.

    Example:
        >>> check_support(torch.zeros(2, 3), torch.tensor([0, 1]), n_way=2)
    """
    if len(support_x) != len(support_y):
        raise ValueError(f"{len(support_x)} support inputs but {len(support_y)} targets")
    if support_x.dtype == torch.uint8:
        raise ValueError("support inputs are bytes; to_unit_range makes floats in 0..1 of them")
    if n_way is None or support_y.is_floating_point() or not readable(support_y) or not support_y.numel():
        return
    least, most = int(support_y.min()), int(support_y.max())
    if not 0 <= least <= most < n_way:
        raise ValueError(f"labels must be in 0..{n_way - 1}, found {least}..{most}")


def check_mean(loss: object) -> None:
    """Refuse a loss that is no function, or that is no mean: given its inputs twice, it must be as large as once.

    A loss that takes neither labels nor numbers as targets cannot be tried, and passes.

    Args:
        loss: `loss(outputs, targets)`.

    Raises:
        TypeError: it cannot be called.
        ValueError: it is a sum, or gives one number for each input.

    Example:
        >>> check_mean(F.mse_loss)
    """
    if not callable(loss):
        raise TypeError(f"loss must be a function loss(outputs, targets), got {loss!r}")
    outputs = torch.tensor([[0.0, 1.0, 3.0], [2.0, 0.5, 1.0]])
    for targets in (torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), torch.tensor([0, 2])):
        try:
            once = torch.as_tensor(loss(outputs, targets))
            twice = torch.as_tensor(loss(outputs.repeat(2, 1), torch.cat([targets, targets])))
        except (RuntimeError, ValueError, TypeError, IndexError):
            continue  # a loss for the other kind of targets
        if once.shape != twice.shape or not torch.allclose(once, twice):
            raise ValueError("the loss must be one number, a mean over its inputs; take reduction='mean'")
        return


def check_finite(losses: list[Tensor]) -> None:
    """Refuse support losses, one a step (or one a step and task), that are not finite.

    Args:
        losses: one for each step, each a scalar or one number for each task.

    Raises:
        FloatingPointError: says the first step at which one is not.

    Example:
        >>> check_finite([torch.tensor(1.0), torch.tensor(0.5)])
    """
    if not losses or not readable(losses[0]):
        return  # `fit` looks at the loss of each step
    finite = torch.stack(losses).isfinite().view(len(losses), -1).all(dim=1).tolist()  # read once: it stalls a GPU
    if not all(finite):
        step = 1 + finite.index(False)
        raise FloatingPointError(
            f"the support loss is not finite at inner step {step} of {len(losses)}: lower inner_lr"
        )
