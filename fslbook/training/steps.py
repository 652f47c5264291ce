"""One training step: draw a batch, compute its loss, follow the gradient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from fslbook.training.compiling import loss_of
from fslbook.training.cuda_graphs import Step, captured
from fslbook.training.requirements import short
from fslbook.training.settings import (
    Settings,
    settings_of_method,
    settings_of_optimizer,
    settings_of_sampler,
    settings_of_scheduler,
)
from fslbook.training.watching import accuracy, watching


@dataclass(frozen=True)
class Training:
    """What a training consists of: who learns, from what, and how.

    Args:
        method: a module with `loss(batch)`.
        sampler: draws batches, by `sample(batch_size)`.
        batch_size: handed to the sampler at each step.
        optimizer: moves the parameters of the method.
        scheduler: moves the learning rate, once a step; None leaves it.
        device: where all of it lies.
        bf16: compute in bfloat16 where autocast thinks that it may.
        cuda_graph: replay the whole step as one graph where that can be.
        compiled: hand the loss to torch.compile where that can be.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> sgd = torch.optim.SGD(layer.parameters(), lr=0.1)
        >>> Training(layer, [], 4, sgd, None, torch.device("cpu")).settings()["batch_size"]
        '4'
    """

    method: nn.Module
    sampler: Any
    batch_size: int
    optimizer: Optimizer
    scheduler: LRScheduler | None
    device: torch.device
    bf16: bool = False
    cuda_graph: bool = False
    compiled: bool = False

    def settings(self) -> Settings:
        """What must be equal for another run to be the same run, in words; speed alone plays no part."""
        said = {"device": repr(self.device.type), "batch_size": str(self.batch_size), "bf16": str(self.bf16)}
        said |= settings_of_method(self.method) | settings_of_optimizer(self.optimizer, self.method)
        return said | settings_of_scheduler(self.scheduler) | settings_of_sampler(self.sampler)

    def step(self) -> Step:
        """A function that takes one training step: its loss and its accuracy, two scalars on the device."""
        loss_of_batch = loss_of(self.method, self.device, compiled=self.compiled)
        autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

        def take_step() -> tuple[Tensor, Tensor]:
            batch = self.sampler.sample(self.batch_size)
            with watching(self.method) as logits, autocast:
                loss = loss_of_batch(batch)
            check_loss(loss, self.method)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            return loss.detach(), accuracy(logits, batch, loss)

        if not self.cuda_graph:
            return take_step
        generator = getattr(self.sampler, "generator", None)
        return captured(take_step, generator, self.optimizer, self.device, self.scheduler)


@contextmanager
def training_mode(method: nn.Module) -> Iterator[None]:
    """Put `method` into training mode, and every part of it back as it was, also after an error.

    Args:
        method: any module.

    Example:
        >>> layer = nn.Linear(2, 2).eval()
        >>> with training_mode(layer):
        ...     layer.training
        True
        >>> layer.training
        False
    """
    modes = [(module, module.training) for module in method.modules()]
    method.train()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def check_loss(loss: Any, method: nn.Module) -> None:
    """Refuse a loss that cannot be differentiated; no number is read from the device.

    Args:
        loss: what `method.loss(batch)` returned.
        method: for its name.

    Raises:
        TypeError: it is no tensor.
        ValueError: it is not a single number, or no parameter has a part in it.

    Example:
        >>> check_loss(torch.ones(3), nn.Linear(2, 2))
        Traceback (most recent call last):
        ValueError: Linear.loss must return a single number, a mean over the batch; got a tensor of shape [3]
    """
    name = f"{type(method).__name__}.loss"
    if not isinstance(loss, Tensor):
        raise TypeError(f"{name} must return a tensor that holds a single number; got {short(loss)}")
    if loss.ndim:
        raise ValueError(
            f"{name} must return a single number, a mean over the batch; got a tensor of shape {[*loss.shape]}"
        )
    if not loss.requires_grad:
        raise ValueError(
            f"{name} does not depend on any parameter that can be trained; was it detached, or under no_grad?"
        )
