"""Regression tasks: sine waves of random amplitude and phase (Finn, Abbeel and Levine 2017, section 5.1)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.tasks.episode import Episode

AMPLITUDES, PHASES, POINTS = (0.1, 5.0), (0.0, math.pi), (-5.0, 5.0)


def sine(x: Tensor, amplitude: Tensor, phase: Tensor) -> Tensor:
    """A·sin(x - φ), [B, P, 1].

    Args:
        x: points [B, P, 1].
        amplitude: A of each task, [B].
        phase: φ of each task in radians, [B].

    Example:
        >>> sine(torch.zeros(1, 1, 1), torch.tensor([2.0]), torch.tensor([-math.pi / 2]))
        tensor([[[2.]]])
    """
    return amplitude[:, None, None] * torch.sin(x - phase[:, None, None])


class SinusoidTasks:
    """Draws tasks y = A·sin(x - φ) with A in 0.1..5, φ in 0..π and x in -5..5, all uniform, without noise.

    Without adaptation the best function of x alone, a multiple of -cos x, has mean squared error 3.01; predicting 0
    has 4.25.

    Args:
        k_shot: support points a task, at least 1.
        n_query: query points a task, at least 1.
        seed: the same seed gives the same tasks on the same kind of device.
        device: where the tasks are drawn and lie.

    Raises:
        ValueError: a number is too small.

    Example:
        >>> SinusoidTasks(k_shot=10, n_query=5).sample(4).support_x.shape
        torch.Size([4, 10, 1])
    """

    def __init__(
        self, k_shot: int = 10, n_query: int = 10, *, seed: int = 0, device: torch.device | str = "cpu"
    ) -> None:
        self.k_shot = check_whole_number("k_shot", k_shot, least=1)
        self.n_query = check_whole_number("n_query", n_query, least=1)
        self.seed = check_whole_number("seed", seed, least=0)
        self.generator = torch.Generator(device).manual_seed(self.seed)

    def __repr__(self) -> str:
        return f"sine waves, {self.k_shot} support and {self.n_query} query points, seed {self.seed}"

    @property
    def device(self) -> torch.device:
        """Where the tasks lie."""
        return self.generator.device

    @property
    def identity(self) -> str:
        """Tells which tasks these are: settings, and the kind of device."""
        return f"{self!r}, on {self.device.type}"

    def sample(self, batch_size: int = 1) -> Episode:
        """Draw the next tasks: support_x and support_y [B, k_shot, 1], queries [B, n_query, 1], n_way = 1.

        Args:
            batch_size: number of tasks B, at least 1.
        """
        return self.points_on(*self.sample_waves(batch_size))

    def batches(self, n_tasks: int, batch_size: int) -> Iterator[Episode]:
        """The next `n_tasks` tasks in batches; the same tasks, however they are batched.

        Args:
            n_tasks: how many tasks in all, at least 1.
            batch_size: tasks in a batch, at least 1; the last batch may be smaller.
        """
        yield from self.sample(n_tasks).split(batch_size)

    def sample_waves(self, batch_size: int = 1) -> tuple[Tensor, Tensor]:
        """Draw amplitudes [B] and phases [B] in radians.

        Args:
            batch_size: number of tasks B, at least 1.
        """
        batch_size = check_whole_number("batch_size", batch_size, least=1)
        return self._uniform(AMPLITUDES, batch_size), self._uniform(PHASES, batch_size)

    def points_on(self, amplitude: Tensor, phase: Tensor) -> Episode:
        """Draw support and query points [B, k_shot, 1] and [B, n_query, 1] of given waves.

        Args:
            amplitude: of each task, [B].
            phase: of each task in radians, [B].

        Raises:
            ValueError: the two are not of one shape [B].
        """
        if amplitude.ndim != 1 or amplitude.shape != phase.shape:
            shapes = f"{[*amplitude.shape]} and {[*phase.shape]}"
            raise ValueError(f"amplitude and phase must both be [B], got {shapes}")
        x = self._uniform(POINTS, len(amplitude), self.k_shot + self.n_query, 1)  # [B, K + Q, 1]
        y = sine(x, amplitude, phase)
        sizes = [self.k_shot, self.n_query]
        (support_x, query_x), (support_y, query_y) = x.split(sizes, dim=1), y.split(sizes, dim=1)
        return Episode(support_x, support_y, query_x, query_y, n_way=1, check=False)

    def restarted(self) -> SinusoidTasks:
        """A new sampler that begins again at the first task."""
        return SinusoidTasks(self.k_shot, self.n_query, seed=self.seed, device=self.device)

    def _uniform(self, limits: tuple[float, float], *shape: int) -> Tensor:
        low, high = limits
        return low + (high - low) * torch.rand(shape, generator=self.generator, device=self.device)
