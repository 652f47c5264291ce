"""Episodes with further images that nobody labelled (chapter 13).

Ren et al. (2018), "Meta-Learning for Semi-Supervised Few-Shot Classification", section 3, brought the unlabelled set
and the distractor classes into the episode.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.data.image_classes import ImageClasses, to_unit_range
from fslbook.tasks.episode import Episode
from fslbook.tasks.sampler import EpisodeSampler

Counts = int | Sequence[int]
"""One number for every class of a task, or one for each of them."""


class UnlabelledSampler(EpisodeSampler):
    """Draws N-way K-shot episodes with `unlabelled_x` [B, U, C, H, W] beside support and query.

    No image is in two of the three parts. In each part the images stand class by class, the distractors at the end;
    a method must not use that. A count of 0 leaves a class of the task out of the unlabelled images, or out of the
    queries. As long as the largest counts stay as they are, other counts give the same tasks with images left out.

    Args:
        classes: the classes to draw from; features [M, D] in place of images give episodes of features.
        n_way: classes a task, at least 2.
        k_shot: support images a class, at least 1.
        n_query: query images a class; or N numbers, one for each class, of which some may be 0.
        n_unlabelled: unlabelled images a class; or N numbers, one for each class, of which some may be 0.
        n_distractors: further classes that have unlabelled images and nothing else, as many images each as the class
            of the task with most.
        seed: the same seed gives the same episodes on the same kind of device.

    Raises:
        ValueError: a number is too small, or larger than the classes allow; there are no queries; or no unlabelled
            image would be of a class of the task.

    Example:
        >>> images = torch.zeros(32, 1, 28, 28, dtype=torch.uint8)
        >>> classes = ImageClasses(images, torch.tensor([8, 8, 8, 8]), tuple("abcd"))
        >>> sampler = UnlabelledSampler(classes, n_way=3, n_query=2, n_unlabelled=(5, 1, 0), n_distractors=1)
        >>> sampler.sample().unlabelled_x.shape  # 5 + 1 + 0, and 5 of the distractor
        torch.Size([1, 11, 1, 28, 28])
    """

    def __init__(
        self,
        classes: ImageClasses,
        n_way: int = 5,
        k_shot: int = 1,
        n_query: Counts = 5,
        *,
        n_unlabelled: Counts = 5,
        n_distractors: int = 0,
        seed: int = 0,
    ) -> None:
        n_way = check_whole_number("n_way", n_way, least=2)
        self.query_counts = _counts("n_query", n_query, n_way)
        self.unlabelled_counts = _counts("n_unlabelled", n_unlabelled, n_way)
        self.n_distractors = check_whole_number("n_distractors", n_distractors, least=0)
        super().__init__(classes, n_way, k_shot, max(self.query_counts), seed=seed)
        self._drawn = (n_way + self.n_distractors, self.k_shot + self.n_query + max(self.unlabelled_counts))
        _check_enough(classes, *self._drawn)
        self._asked = _first(self.query_counts)  # [N, largest count]
        self._shown = _first(self.unlabelled_counts)  # [N, largest count]

    def __repr__(self) -> str:
        counts = f"queries {_short(self.query_counts)}, unlabelled {_short(self.unlabelled_counts)}"
        return f"{super().__repr__()}, {counts} per class, {self.n_distractors} distractors"

    def _episode(self, rows: Tensor) -> Episode:
        """The episode of these image rows [B, N + distractors, K + queries + unlabelled]."""
        own, others = rows[:, : self.n_way], rows[:, self.n_way :]
        support, query, unlabelled = own.split([self.k_shot, self.n_query, max(self.unlabelled_counts)], dim=2)
        others = others[:, :, self.k_shot + self.n_query :].flatten(1)  # [B, distractors * U]
        query, unlabelled = query[:, self._asked], unlabelled[:, self._shown]  # [B, Q], [B, U]
        parts = [support.flatten(1), query, torch.cat([unlabelled, others], dim=1)]
        images = [to_unit_range(self.classes.images[part]) for part in parts]
        y = torch.arange(self.n_way, device=self.device)
        support_y = y.repeat_interleave(self.k_shot).expand(len(rows), -1)
        query_y = y.repeat_interleave(torch.tensor(self.query_counts, device=self.device)).expand(len(rows), -1)
        return Episode(images[0], support_y, images[1], query_y, self.n_way, images[2], check=False)

    def restarted(self, classes: ImageClasses | None = None) -> UnlabelledSampler:
        """A new sampler that begins again at the first episode.

        Args:
            classes: other tensors of the same classes, for instance their features; by default the same.
        """
        return UnlabelledSampler(
            self.classes if classes is None else classes,
            self.n_way,
            self.k_shot,
            self.query_counts,
            n_unlabelled=self.unlabelled_counts,
            n_distractors=self.n_distractors,
            seed=self.seed,
        )


def _counts(name: str, value: object, n_way: int) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)):
        return (check_whole_number(name, value, least=1),) * n_way
    if len(value) != n_way:
        raise ValueError(f"{name} must be one whole number or {n_way}, one for each class, got {len(value)}")
    counts = tuple(check_whole_number(name, one, least=0) for one in value)
    if not any(counts):
        what = "query" if name == "n_query" else "unlabelled image"
        raise ValueError(f"{name} is 0 for all {n_way} classes: no {what} would be of a class of the task")
    return counts


def _check_enough(classes: ImageClasses, n_classes: int, n_images: int) -> None:
    if n_classes > len(classes):
        raise ValueError(f"the task and its distractors need {n_classes} classes, the data set has {len(classes)}")
    smallest = int(classes.counts.argmin())
    if n_images > int(classes.counts[smallest]):
        name, has = classes.names[smallest], int(classes.counts[smallest])
        raise ValueError(f"support, query and unlabelled need {n_images} images a class, but class {name!r} has {has}")


def _first(counts: tuple[int, ...]) -> Tensor:
    """True for the first images of each class, as many as it counts: bool [N, largest count]."""
    return torch.arange(max(counts)) < torch.tensor(counts)[:, None]


def _short(counts: tuple[int, ...]) -> str:
    return str(counts[0]) if len({*counts}) == 1 else str(counts)
