"""Tasks of scenes as episodes with a label for each pixel."""

from __future__ import annotations

import torch

from fslbook.tasks.episode import Episode
from fslbook.tasks.scene_tasks import SceneSampler


class SegmentationTasks:
    """The tasks of a `SceneSampler` as episodes with a label for each pixel, for `fit` and `evaluate`.

    Args:
        scenes: where the tasks come from.

    Example:
        >>> from fslbook.data import ImageClasses
        >>> classes = ImageClasses(torch.ones(12, 1, 8, 8), torch.tensor([4, 4, 4]), ("a", "b", "c"))
        >>> episode = SegmentationTasks(SceneSampler(classes, size=24)).sample(4)
        >>> episode.support_y.shape, episode.n_way  # background is a class, too
        (torch.Size([4, 1, 24, 24]), 2)
    """

    def __init__(self, scenes: SceneSampler) -> None:
        if not isinstance(scenes, SceneSampler):
            raise ValueError(f"scenes must be a SceneSampler, got {type(scenes).__name__}")
        self.scenes, self.generator = scenes, scenes.generator

    def __repr__(self) -> str:
        return f"pixels of {self.scenes!r}"

    @property
    def device(self) -> torch.device:
        """Where the tasks lie."""
        return self.scenes.device

    @property
    def identity(self) -> str:
        """Tells which tasks these are."""
        return f"pixels of {self.scenes.identity}"

    def sample(self, batch_size: int = 1) -> Episode:
        """Draw the next tasks.

        Args:
            batch_size: number of tasks B, at least 1.
        """
        return self.scenes.sample(batch_size).segmentation()

    def restarted(self) -> SegmentationTasks:
        """A new sampler that begins again at the first task."""
        return SegmentationTasks(self.scenes.restarted())
