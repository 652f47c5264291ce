"""The optimiser and the scheduler of a training: what `fit` asks of them, and the optimiser that it takes by itself."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from fslbook.training.requirements import short


def default_optimizer(method: nn.Module, device: torch.device, *, capturable: bool = False) -> Adam:
    """Adam with learning rate 1e-3 over all parameters that can be trained.

    Args:
        method: a module with parameters to train.
        device: where they lie.
        capturable: on a GPU, such that a CUDA graph can hold it.

    Example:
        >>> default_optimizer(nn.Linear(2, 2), torch.device("cpu")).param_groups[0]["lr"]
        0.001
    """
    parameters = [p for p in method.parameters() if p.requires_grad]
    if capturable and device.type == "cuda":
        return Adam(parameters, lr=torch.tensor(1e-3, device=device), capturable=True)
    return Adam(parameters, lr=1e-3)


def check_optimizer(optimizer: Any, method: nn.Module) -> None:
    """Refuse an optimiser that would not move exactly what the method can learn.

    Parameters that are frozen (`requires_grad=False`) may be missing. One that shall adapt and yet not be learned, as
    an inner loop may want, gets a group of its own with `lr=0`: to leave it out would look like a mistake.

    Args:
        optimizer: a torch optimiser.
        method: a module with parameters to train.

    Raises:
        TypeError: it is no optimiser, or its `step` needs a closure (LBFGS).
        ValueError: it holds other parameters than those of the method, or not all that can be trained.

    Example:
        >>> method = nn.Linear(2, 2)
        >>> check_optimizer(torch.optim.SGD([method.weight], lr=0.1), method)
        Traceback (most recent call last):
        ValueError: the optimiser lacks bias of Linear, which would never move: hand it over too, freeze it with \
requires_grad_(False), or give it a group with lr=0
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"optimizer must be a torch optimiser, such as Adam(method.parameters()); got {short(optimizer)}"
        )
    kind, name = type(optimizer).__name__, type(method).__name__
    if _step_needs_more(type(optimizer)):
        raise TypeError(f"{kind}.step needs a closure, which fit does not have; take Adam or SGD")
    held = {id(p): p for group in optimizer.param_groups for p in group["params"]}
    own = {id(p) for p in method.parameters()}
    missing = [n for n, p in method.named_parameters() if p.requires_grad and id(p) not in held]
    if not own & held.keys():
        raise ValueError(
            f"the optimiser holds none of the parameters of {name} ({_listed(missing)}): make it with "
            f"{kind}(method.parameters())"
        )
    if foreign := [[*p.shape] for key, p in held.items() if key not in own]:
        raise ValueError(
            f"the optimiser holds {len(foreign)} tensors that are not parameters of {name}: {_listed(foreign)}"
        )
    if missing:
        them = "it" if len(missing) == 1 else "them"
        raise ValueError(
            f"the optimiser lacks {_listed(missing)} of {name}, which would never move: hand {them} over too, freeze "
            f"{them} with requires_grad_(False), or give {them} a group with lr=0"
        )


def check_scheduler(scheduler: Any, optimizer: Optimizer | None) -> None:
    """Refuse a scheduler that cannot move the learning rate of this optimiser once a step.

    Args:
        scheduler: a torch scheduler.
        optimizer: the optimiser of the training; None where `fit` makes its own.

    Raises:
        TypeError: it is no scheduler, or waits for a number at each step (ReduceLROnPlateau).
        ValueError: it is of another optimiser.

    Example:
        >>> sgd = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)
        >>> check_scheduler(torch.optim.lr_scheduler.ReduceLROnPlateau(sgd), sgd)
        Traceback (most recent call last):
        TypeError: ReduceLROnPlateau waits for a score at each step, which fit does not have; take one that counts \
steps, such as CosineAnnealingLR
    """
    kind = type(scheduler).__name__
    if not isinstance(scheduler, LRScheduler):
        raise TypeError(f"scheduler must be a torch scheduler, such as CosineAnnealingLR; got {short(scheduler)}")
    if _step_needs_more(type(scheduler)):
        raise TypeError(
            f"{kind} waits for a score at each step, which fit does not have; take one that counts steps, such as "
            "CosineAnnealingLR"
        )
    if optimizer is None:
        raise ValueError(f"{kind} belongs to an optimiser: hand that over too, optimizer=...")
    if scheduler.optimizer is not optimizer:
        raise ValueError(
            f"{kind} moves the learning rate of another optimiser than the {type(optimizer).__name__} here"
        )


def check_lasts(scheduler: Any, steps: int) -> None:
    """Refuse a scheduler that is made for fewer steps than are left; it would stop the training in the middle.

    Args:
        scheduler: its `total_steps`, if it has any, say how many it can take.
        steps: training steps that are left.

    Raises:
        ValueError: says both numbers.

    Example:
        >>> sgd = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1, momentum=0.9)
        >>> check_lasts(torch.optim.lr_scheduler.OneCycleLR(sgd, 0.1, total_steps=10), 20)
        Traceback (most recent call last):
        ValueError: OneCycleLR is made for 10 steps, of which 0 are taken; 20 are left to train: total_steps=20
    """
    total, taken = getattr(scheduler, "total_steps", None), getattr(scheduler, "last_epoch", 0)
    if isinstance(total, int) and taken + steps > total:
        raise ValueError(
            f"{type(scheduler).__name__} is made for {total} steps, of which {taken} are taken; {steps} are left to "
            f"train: total_steps={taken + steps}"
        )


def _step_needs_more(kind: type) -> bool:
    """Whether its `step` cannot be called without arguments. On an instance, schedulers hide that behind a wrapper."""
    _self, *parameters = inspect.signature(kind.step).parameters.values()  # type: ignore[attr-defined]
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return any(p.default is p.empty and p.kind not in kinds for p in parameters)


def _listed(names: list[Any], at_most: int = 4) -> str:
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(map(str, names[:at_most])) + more
