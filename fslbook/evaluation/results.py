"""What an evaluation found: a score per task, its mean, its 95 % confidence interval, and paired differences."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True)
class Evaluation:
    """Score of one method on each of E episodes, or the paired difference between two methods.

    Args:
        per_episode: float64 [E]; accuracies in 0..1 (differences: -1..1).
        episodes: says which episodes these were; only equal ones can be compared in pairs.
        score: name of the score.

    Raises:
        ValueError: not [E] with E of at least 2, or a value is not finite.

    Example:
        >>> import torch
        >>> print(Evaluation(torch.tensor([0.5, 0.7, 0.9]), "three tasks"))
        70.00 % ± 22.63 (3 episodes)
    """

    per_episode: Tensor
    episodes: str
    score: str = "accuracy"

    def __post_init__(self) -> None:
        if self.per_episode.ndim != 1 or len(self.per_episode) < 2:
            raise ValueError(f"per_episode must be [E] with at least 2 values, got {[*self.per_episode.shape]}")
        if bad := int((~self.per_episode.isfinite()).sum()):
            raise ValueError(f"{bad} of {len(self.per_episode)} values of {self.score} are NaN or infinite")

    @property
    def mean(self) -> float:
        """Mean over the episodes."""
        return float(self.per_episode.mean())

    @property
    def ci95(self) -> float:
        """Half width of the 95 % confidence interval of the mean: 1.96·s/√E, s the sample standard deviation."""
        return 1.96 * float(self.per_episode.std(correction=1)) / math.sqrt(len(self.per_episode))

    def __str__(self) -> str:
        return f"{100 * self.mean:.2f} % ± {100 * self.ci95:.2f} ({len(self.per_episode):,} episodes)"

    def __sub__(self, other: Evaluation) -> Evaluation:
        """Paired difference, episode by episode; its interval is usually far narrower than either interval.

        Args:
            other: the same score on the same episodes, by another method.

        Raises:
            TypeError: `other` is no evaluation.
            ValueError: the two were not measured on the same episodes, or not by the same score.
        """
        if not isinstance(other, Evaluation):
            raise TypeError(f"a paired difference needs another Evaluation, got {type(other).__name__}")
        if self.score != other.score:
            raise ValueError(f"a paired difference needs the same score, got {self.score} and {other.score}")
        if self.episodes != other.episodes or len(self.per_episode) != len(other.per_episode):
            raise ValueError(
                "a paired difference needs the same episodes; "
                f"got {len(self.per_episode)} of ({self.episodes}) and {len(other.per_episode)} of ({other.episodes})"
            )
        return replace(self, per_episode=self.per_episode - other.per_episode)


class RegressionEvaluation(Evaluation):
    """Score of one method on each of E regression tasks, in its own unit, or a difference.

    Example:
        >>> import torch
        >>> print(RegressionEvaluation(torch.tensor([1.0, 3.0]), "two waves", "squared error"))
        2.000 ± 1.960 (2 tasks)
    """

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.ci95:.3f} ({len(self.per_episode):,} tasks)"
