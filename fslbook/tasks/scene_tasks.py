"""Tasks of scenes: which character is where (detection), and which pixel is of what (segmentation)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.data.image_classes import ImageClasses, to_unit_range
from fslbook.tasks.episode import Episode
from fslbook.tasks.sampler import EpisodeSampler
from fslbook.tasks.scenes import check_fits, draw_scenes

DISTRACTOR = -1
"""The label of an object that is of no class of its task."""


@dataclass(frozen=True)
class SceneTasks:
    """B tasks of S support and Q query scenes with O objects each.

    Args:
        support_x: pictures, float [B, S, 1, H, W] in 0..1.
        support_masks: the visible pixels of each object, bool [B, S, O, H, W].
        support_boxes: x1, y1, x2, y2 in pixels, float [B, S, O, 4].
        support_y: the class of each object in its task, 0..n_way-1, or -1 for a distractor, int64 [B, S, O].
        query_x: pictures [B, Q, 1, H, W].
        query_masks: as of the support [B, Q, O, H, W].
        query_boxes: as of the support [B, Q, O, 4].
        query_y: as of the support [B, Q, O].
        classes: which class of the data set is class n of its task, int64 [B, N].

    Example:
        >>> classes = ImageClasses(torch.ones(12, 1, 8, 8), torch.tensor([4, 4, 4]), ("a", "b", "c"))
        >>> tasks = SceneSampler(classes, n_way=1, n_distractors=2, size=24).sample(5)
        >>> tasks.query_boxes.shape, tasks.n_way
        (torch.Size([5, 1, 3, 4]), 1)
    """

    support_x: Tensor
    support_masks: Tensor
    support_boxes: Tensor
    support_y: Tensor
    query_x: Tensor
    query_masks: Tensor
    query_boxes: Tensor
    query_y: Tensor
    classes: Tensor

    @property
    def n_way(self) -> int:
        """Number of classes N of a task, background not counted."""
        return self.classes.shape[1]

    def segmentation(self) -> Episode:
        """The same tasks with a label for each pixel: 0 for background and distractors, n + 1 for class n of the task.

        Its `n_way` is N + 1.
        """
        support, query = _pixels(self.support_masks, self.support_y), _pixels(self.query_masks, self.query_y)
        return Episode(self.support_x, support, self.query_x, query, self.n_way + 1, check=False)


class SceneSampler:
    """Draws tasks of scenes: each scene holds one character of its own class of the task, and others beside it.

    A class of the task has `k_shot` support and `n_query` query scenes. The other characters of a scene are of
    different classes: of the other classes of the task or of distractor classes, as chance has it. The one that the
    scene is for lies on top, so that all of it is visible. No drawing of a character stands in two scenes of a task.

    Args:
        classes: the classes to draw from.
        n_way: classes a task, at least 1.
        k_shot: support scenes a class, at least 1.
        n_query: query scenes a class, at least 1.
        n_distractors: further characters in each scene, 0 or more, and as many classes that are not asked for.
        size: height and width of a scene in pixels.
        overlap: whether characters may cover each other.
        seed: the same seed gives the same tasks on the same kind of device.

    Raises:
        ValueError: a number is too small, or larger than the classes or the picture allow; or the pictures are not grey
            and square.

    Example:
        >>> classes = ImageClasses(torch.ones(12, 1, 8, 8), torch.tensor([4, 4, 4]), ("a", "b", "c"))
        >>> SceneSampler(classes, n_way=2, n_distractors=1, size=24).sample().segmentation().query_y.shape
        torch.Size([1, 2, 24, 24])
    """

    def __init__(
        self,
        classes: ImageClasses,
        n_way: int = 1,
        k_shot: int = 1,
        n_query: int = 1,
        *,
        n_distractors: int = 2,
        size: int = 84,
        overlap: bool = False,
        seed: int = 0,
    ) -> None:
        self.n_way, self.k_shot = check_whole_number("n_way", n_way, 1), check_whole_number("k_shot", k_shot, 1)
        self.n_query = check_whole_number("n_query", n_query, least=1)
        self.n_distractors = check_whole_number("n_distractors", n_distractors, least=0)
        self.size, self.overlap = check_whole_number("size", size, least=1), overlap
        self.n_scenes = self.n_way * (self.k_shot + self.n_query)
        # Two classes at least, for the sampler of episodes draws no fewer; one too many is not used.
        n_classes = max(2, self.n_way + self.n_distractors)
        self._characters = EpisodeSampler(classes, n_classes, 1, max(1, self.n_scenes - 1), seed=seed)
        if (
            classes.images.ndim != 4
            or classes.images.shape[1] != 1
            or classes.images.shape[2] != classes.images.shape[3]
        ):
            raise ValueError(f"scenes need grey square pictures [M, 1, h, h], got {[*classes.images.shape]}")
        check_fits(1 + self.n_distractors, classes.images.shape[-1], self.size, overlap)
        self.classes, self.seed, self.generator = classes, self._characters.seed, self._characters.generator

    def __repr__(self) -> str:
        beside = f"{self.n_distractors} characters beside it, {'overlapping' if self.overlap else 'apart'}"
        return f"scenes of {self.size} pixels, {self.n_way}-way {self.k_shot}-shot, {beside}, {self._characters!r}"

    @property
    def device(self) -> torch.device:
        """Where the scenes lie."""
        return self._characters.device

    @property
    def identity(self) -> str:
        """Tells which tasks these are: settings, the content of the images, and the kind of device."""
        return f"{self!r}, {self.n_query} queries a class, content {self.classes.content}, on {self.device.type}"

    def sample(self, batch_size: int = 1) -> SceneTasks:
        """Draw the next tasks, one by one, so that they do not depend on their number.

        Args:
            batch_size: number of tasks B, at least 1.
        """
        batch_size = check_whole_number("batch_size", batch_size, least=1)
        tasks = [self._task() for _ in range(batch_size)]
        return SceneTasks(*map(torch.stack, zip(*tasks, strict=True)))

    def restarted(self) -> SceneSampler:
        """A new sampler that begins again at the first task."""
        numbers = (self.n_way, self.k_shot, self.n_query)
        others, size, overlap = self.n_distractors, self.size, self.overlap
        return SceneSampler(self.classes, *numbers, n_distractors=others, size=size, overlap=overlap, seed=self.seed)

    def _task(self) -> tuple[Tensor, ...]:
        """The parts of one task, without the first axis."""
        drawn, rows = self._characters.sample_indices()  # [1, classes], [1, classes, scenes]
        own = torch.arange(self.n_way, device=self.device).repeat(self.k_shot + self.n_query)  # [scenes]
        kinds = self._kinds(own)  # [scenes, O], the last one is the scene's own
        rows = rows[0].T[: len(own)].gather(1, kinds)  # [scenes, O]: for each scene other drawings of a class
        characters = to_unit_range(self.classes.images[rows])  # [scenes, O, 1, h, h]
        scenes = draw_scenes(characters, self.size, self.generator, overlap=self.overlap)
        y = torch.where(kinds < self.n_way, kinds, DISTRACTOR)  # [scenes, O]
        n = self.n_way * self.k_shot
        parts = (scenes.images, scenes.masks, scenes.boxes, y)
        return *(x[:n] for x in parts), *(x[n:] for x in parts), drawn[0, : self.n_way]

    def _kinds(self, own: Tensor) -> Tensor:
        """Which of the drawn classes each object of a scene is of, [scenes, 1 + n_distractors]; its own comes last."""
        n_classes = self.n_way + self.n_distractors
        priority = torch.rand(len(own), n_classes, generator=self.generator, device=self.device)
        priority.scatter_(1, own[:, None], -1.0)
        others = priority.topk(self.n_distractors, dim=1).indices  # [scenes, n_distractors]
        return torch.cat([others, own[:, None]], dim=1)


def _pixels(masks: Tensor, y: Tensor) -> Tensor:
    """Labels of pixels [..., H, W] from visible masks [..., O, H, W], which share no pixel, and labels [..., O]."""
    return ((y + 1)[..., None, None] * masks).sum(dim=-3)
