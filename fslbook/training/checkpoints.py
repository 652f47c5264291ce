"""Save a training run so that it can go on as if it had never stopped."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from fslbook.common.files import replaced
from fslbook.tasks.sampler import TaskSampler


@dataclass
class TrainingState:
    """Everything that the next training step depends on, and the history so far.

    Args:
        settings: what must be equal for a run to go on, beside the method's shape and the sampler.
    """

    method: nn.Module
    optimizer: Optimizer
    scheduler: LRScheduler | None
    sampler: TaskSampler
    history: Any
    settings: dict[str, int]

    def save(self, path: Path) -> None:
        """Write the state to `path` in one move, so that a kill never leaves half a file."""
        with replaced(path) as temporary:
            torch.save(self._as_dict(), temporary)

    def load(self, path: Path) -> None:
        """Take over the state saved at `path`.

        Raises:
            ValueError: the file is damaged, or is of a run with other settings; nothing has been taken over then.
        """
        saved = _read(path)
        if saved["run"] != self._run():
            raise ValueError(f"checkpoint {path} is of another run, {saved['run']}; this one is {self._run()}")
        _check_same_shapes(path, saved["method"], self.method.state_dict())
        _restore_optimizer(self.optimizer, saved["optimizer"])
        self.method.load_state_dict(saved["method"])
        if self.scheduler:
            self.scheduler.load_state_dict(saved["scheduler"])
        self.sampler.generator.set_state(saved["generator"])
        torch.set_rng_state(saved["rng"])
        if torch.cuda.is_available() and saved["cuda_rng"]:
            torch.cuda.set_rng_state_all(saved["cuda_rng"])
        vars(self.history).update(saved["history"])

    def _run(self) -> dict[str, Any]:
        scheduler = type(self.scheduler).__name__ if self.scheduler else None
        names = {"method": type(self.method).__name__, "optimizer": type(self.optimizer).__name__}
        names |= {"device": self.sampler.device.type, "episodes": str(self.sampler)}
        return names | {"scheduler": scheduler} | self.settings

    def _as_dict(self) -> dict[str, Any]:
        return {
            "run": self._run(),
            "method": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler else None,
            "generator": self.sampler.generator.get_state(),
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "history": vars(self.history),
        }


def _restore_optimizer(optimizer: Optimizer, saved: dict[str, Any]) -> None:
    """Load its state; how it computes stays as it is now, and so does the tensor of a learning rate, on its device."""
    for ours, theirs in zip(optimizer.param_groups, saved["param_groups"], strict=True):
        theirs |= {name: ours[name] for name in ("capturable", "foreach", "fused") if name in ours}
    rates = [group["lr"] for group in optimizer.param_groups]
    optimizer.load_state_dict(saved)
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        if isinstance(rate, Tensor):
            group["lr"] = rate.fill_(float(group["lr"]))


def _read(path: Path) -> dict[str, Any]:
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise ValueError(f"checkpoint {path} is damaged; delete it to start anew") from error
    if not isinstance(saved, dict) or not {"run", "method", "optimizer", "history"} <= saved.keys():
        raise ValueError(f"checkpoint {path} is damaged or not of a training run; delete it to start anew")
    return saved


def _check_same_shapes(path: Path, saved: dict[str, Tensor], ours: dict[str, Tensor]) -> None:
    for name in saved | ours:
        shapes = [[*state[name].shape] if name in state else None for state in (saved, ours)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"checkpoint {path} is of another run: its {name} has shape {shapes[0]}, that of this one {shapes[1]}"
            )
