"""Look at classes that are not trained on, every now and then while the training goes on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from fslbook.common.arguments import check_whole_number
from fslbook.evaluation.loop import evaluate
from fslbook.tasks.sampler import EpisodeSampler
from fslbook.training.history import History


@dataclass(frozen=True)
class Validation:
    """Which episodes to validate on, how often, and on how many.

    Args:
        sampler: where the episodes come from; None validates never.
        every: training steps from one validation to the next, at least 1.
        n_episodes: how many, always the same; at least 2.

    Raises:
        ValueError: a number is too small.

    Example:
        >>> validation = Validation(None, every=200, n_episodes=100)
        >>> validation.due(200)
        False
    """

    sampler: EpisodeSampler | None
    every: int
    n_episodes: int

    def __post_init__(self) -> None:
        check_whole_number("validate_every", self.every, least=1)
        check_whole_number("validation_episodes", self.n_episodes, least=2)

    def rehearse(self, method: nn.Module) -> None:
        """Ask for two answers before the first step, so that what cannot be validated stops the training at once.

        Random numbers are put back as they were.

        Args:
            method: what will be trained.

        Raises:
            ValueError, TypeError: whatever `evaluate` refuses.
        """
        if self.sampler is not None:
            device = next(method.parameters()).device
            with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
                evaluate(method, self.sampler, 2)

    def due(self, step: int) -> bool:
        """Whether to validate after this step, counted from 1."""
        return self.sampler is not None and step % self.every == 0

    def record(self, method: nn.Module, history: History) -> None:
        """Validate the method as it is now, and note the step, the accuracy in 0..1 and half its 95 % interval."""
        assert self.sampler is not None
        result = evaluate(method, self.sampler, self.n_episodes)
        history.validation_steps.append(len(history.loss))
        history.validation_accuracy.append(result.mean)
        history.validation_ci95.append(result.ci95)
