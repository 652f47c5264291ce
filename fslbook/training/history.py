"""What a training run saw, and how it gets there while the run goes on."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from fslbook.training.requirements import check_still_finite

if TYPE_CHECKING:
    from matplotlib.figure import Figure


REDRAWN = 0.5
"""Seconds between two drawings of the bar. In a notebook each is some messages, of which a thousand may wait."""


@dataclass(repr=False)
class History:
    """What `fit` saw, from the first step on.

    Args:
        loss: of each training step, in the unit of the method's loss; cross-entropies are in nats.
        accuracy: of each training step, in 0..1; NaN where the loss makes no logits, or the batch has no labels.
        validation_steps: training steps after which there was a validation.
        validation_accuracy: of each validation, in 0..1.
        validation_ci95: half widths of their 95 % confidence intervals.
        seconds: time that the training took, with its validations.
        interrupted: whether Ctrl-C or SIGTERM ended it.

    Example:
        >>> History(loss=[1.5, 0.5], accuracy=[0.25, 0.75], seconds=3.0)
        History(2 steps in 3 s, now loss 1.000, accuracy 50.0%)
    """

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
    """Moves losses and accuracies into the history and onto a bar, seldom, since reading them stalls a GPU.

    Args:
        history: what has been seen so far.
        method: whose weights are looked at too, at each reading.
        steps: training steps in the end, for the bar.
        progress: show the bar.
        every: training steps from one reading to the next.

    Example:
        >>> history = History()
        >>> with Recorder(history, nn.Linear(2, 2), steps=2, progress=False) as recorder:
        ...     recorder.add(torch.tensor(1.5), torch.tensor(0.5))
        >>> history.loss, history.accuracy
        ([1.5], [0.5])
    """

    def __init__(self, history: History, method: nn.Module, steps: int, progress: bool, every: int = 20) -> None:
        self.history, self.method, self.steps, self.progress, self.every = history, method, steps, progress, every
        self.pending: list[Tensor] = []

    def __enter__(self) -> Recorder:
        done, hidden = len(self.history.loss), not self.progress
        self.bar = tqdm(total=self.steps, initial=done, disable=hidden, desc="fit", mininterval=REDRAWN)
        self.mark = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self.bar.close()

    def add(self, loss: Tensor, accuracy: Tensor) -> None:
        """Take over one step: two scalars, both of shape [], on any device."""
        self.pending.append(torch.stack([loss.detach().float(), accuracy.float()]))
        if len(self.pending) >= self.every:
            self.flush()

    def flush(self) -> None:
        """Read what is pending.

        Raises:
            FloatingPointError: a loss or a weight is NaN or infinite.
        """
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
        check_still_finite(self.method, len(self.history.loss))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
