"""Several processes train one model: each draws its own tasks, and PyTorch averages the gradients."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from fslbook.tasks.episode import Episode


@dataclass(frozen=True)
class Team:
    """The processes that train together; alone it is a team of one.

    Args:
        rank: number of this process, from 0; process 0 leads: it validates, prints and writes.
        size: how many there are.
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

        Raises:
            ValueError: the tasks cannot be dealt out evenly.
        """
        if batch_size % self.size:
            raise ValueError(f"{batch_size} tasks a step cannot be dealt out evenly to {self.size} processes")
        return batch_size // self.size

    def parallel(self, method: nn.Module) -> nn.Module:
        """The method itself, or in a larger team one whose gradients are averaged over the processes."""
        return Parallel(method) if self.size > 1 else method


class Parallel(nn.Module):
    """A method whose `loss` averages gradients over all processes when it is differentiated."""

    def __init__(self, method: nn.Module) -> None:
        super().__init__()
        self.method = method
        ids = [torch.cuda.current_device()] if next(method.parameters()).is_cuda else None
        self._ddp = [DistributedDataParallel(_LossOf(method), device_ids=ids)]  # in a list: not a second child

    def forward(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N] of this process alone."""
        return self.method(episode)

    def loss(self, episode: Episode) -> Tensor:
        """The method's loss on the tasks of this process."""
        return self._ddp[0](episode)


class _LossOf(nn.Module):
    """DistributedDataParallel wraps `forward`, methods learn by `loss`."""

    def __init__(self, method: nn.Module) -> None:
        super().__init__()
        self.method = method

    def forward(self, episode: Episode) -> Tensor:
        return self.method.loss(episode)  # type: ignore[operator]


def join(device: torch.device) -> Team:
    """The team that `torchrun` started this process in, or a team of one."""
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return Team()
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Team(dist.get_rank(), dist.get_world_size())
