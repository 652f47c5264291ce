"""What a training run saw, and how it gets there while the run goes on."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from tqdm.auto import tqdm

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(repr=False)
class History:
    """What `fit` saw: loss (nats) and accuracy (0..1; NaN where a loss makes no logits) of each training step."""

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    validation_steps: list[int] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    validation_ci95: list[float] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    def __repr__(self) -> str:
        if not self.loss:
            return "History(no steps yet)"
        last = slice(-20, None)
        loss, accuracy = _mean(self.loss[last]), _mean(self.accuracy[last])
        return f"History({len(self.loss)} steps in {self.seconds:.0f} s, now loss {loss:.3f}, accuracy {accuracy:.1%})"

    def plot(self) -> Figure:
        """Draw loss and accuracy against the training step."""
        from fslbook.plots import plot_history

        return plot_history(self)


class Recorder:
    """Moves losses and accuracies into the history and onto the bar, seldom, since reading them stalls a GPU."""

    def __init__(self, history: History, bar: tqdm, every: int = 20) -> None:
        self.history, self.bar, self.every = history, bar, every
        self.pending: list[Tensor] = []

    def __enter__(self) -> Recorder:
        self.mark = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.flush()
        self.bar.close()

    def add(self, loss: Tensor, accuracy: Tensor) -> None:
        self.pending.append(torch.stack([loss.detach().float(), accuracy.float()]))
        if len(self.pending) >= self.every:
            self.flush()

    def flush(self) -> None:
        if not self.pending:
            return
        losses, accuracies = torch.stack(self.pending).T.tolist()
        self.history.loss += losses
        self.history.accuracy += accuracies
        now = time.perf_counter()
        self.history.seconds, self.mark = self.history.seconds + now - self.mark, now
        accuracy = {} if math.isnan(accuracies[-1]) else {"accuracy": f"{_mean(accuracies):.1%}"}
        self.bar.set_postfix(loss=f"{losses[-1]:.3f}", **accuracy, refresh=False)  # drawn by the update, if it is time
        self.bar.update(len(self.pending))
        self.pending.clear()
        if not torch.isfinite(torch.tensor(losses)).all():
            raise FloatingPointError(
                f"the loss is not finite before step {len(self.history.loss)}: lower the learning rate"
            )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
