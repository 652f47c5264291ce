"""Several processes train one model: each draws its own tasks, and PyTorch averages the gradients."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from fslbook.common.arguments import check_whole_number


@dataclass(frozen=True)
class Team:
    """The processes that train together; alone it is a team of one.

    Args:
        rank: number of this process, from 0; process 0 leads: it validates, prints and writes.
        size: how many there are.

    Example:
        >>> Team(rank=1, size=4).share(32)
        8
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process speaks for all."""
        return self.rank == 0

    @property
    def command(self) -> str:
        """What starts such a team."""
        return "python" if self.size == 1 else f"torchrun --nproc-per-node={self.size}"

    def share(self, batch_size: int) -> int:
        """Tasks a step for each process.

        Args:
            batch_size: tasks a step for all of them.

        Raises:
            ValueError: the tasks cannot be dealt out evenly, or are no whole number.
        """
        batch_size = check_whole_number("batch_size", batch_size, least=1)
        if batch_size % self.size:
            raise ValueError(f"{batch_size} tasks a step cannot be dealt out evenly to {self.size} processes")
        return batch_size // self.size

    def parallel(self, method: nn.Module) -> nn.Module:
        """The method itself, or in a larger team one whose gradients are averaged over the processes.

        Args:
            method: with at least one parameter to train.
        """
        return Parallel(method) if self.size > 1 else method


class Parallel(nn.Module):
    """A method whose `loss` averages gradients over all processes when it is differentiated.

    Args:
        method: with at least one parameter to train; the processes must have begun with the same weights.

    Example:
        >>> method = Parallel(method)  # doctest: +SKIP
        >>> method.loss(episode).backward()  # doctest: +SKIP
    """

    def __init__(self, method: nn.Module) -> None:
        super().__init__()
        self.method = method
        ids = [torch.cuda.current_device()] if next(method.parameters()).is_cuda else None
        self._ddp = [DistributedDataParallel(_LossOf(method), device_ids=ids)]  # in a list: not a second child

    @property
    def makes_logits(self) -> nn.Module:
        """Whom to watch: the method itself answers inside its loss."""
        return self.method

    def forward(self, batch: Any) -> Tensor:
        """Answers of this process alone; for episodes logits [B, Q, N]."""
        return self.method(batch)

    def loss(self, batch: Any) -> Tensor:
        """The method's loss, a scalar, on the batch of this process."""
        return self._ddp[0](batch)


class _LossOf(nn.Module):
    """DistributedDataParallel wraps `forward`, methods learn by `loss`."""

    def __init__(self, method: nn.Module) -> None:
        super().__init__()
        self.method = method

    def forward(self, batch: Any) -> Tensor:
        return self.method.loss(batch)  # type: ignore[operator]


def join(device: torch.device) -> Team:
    """The team that `torchrun` started this process in, or a team of one.

    Args:
        device: what this process will compute on.

    Raises:
        RuntimeError: something other than `torchrun` has set RANK and WORLD_SIZE, but not LOCAL_RANK.

    Example:
        >>> join(torch.device("cpu"))  # doctest: +SKIP
        Team(rank=0, size=1)
    """
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return Team()
    if device.type == "cuda":
        if "LOCAL_RANK" not in os.environ:
            raise RuntimeError("RANK and WORLD_SIZE are set, LOCAL_RANK is not: start the team with torchrun")
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Team(dist.get_rank(), dist.get_world_size())
