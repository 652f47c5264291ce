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
        n_unlabelled: unlabelled images a class; or N numbers, one for each class, of which some may be 0. A single 0 is
            for none at all: `unlabelled_x` is None then.
        n_distractors: further classes that have unlabelled images and nothing else, as many images each as the class
            of the task with most.
        n_labelled: how many images of each class have a label at all: support and queries are drawn from these, and
            unlabelled images from the others. Which they are is drawn once, alike in all samplers of the same classes.
            None: any image may play any part.
        seed: the same seed gives the same episodes on the same kind of device.

    Raises:
        ValueError: a number is too small, or larger than the classes allow; there are no queries; no unlabelled image
            would be of a class of the task; or there are fewer labels than support and query images.

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
        n_labelled: int | None = None,
        seed: int = 0,
    ) -> None:
        n_way = check_whole_number("n_way", n_way, least=2)
        self.query_counts = _counts("n_query", n_query, n_way, least=1)
        self.unlabelled_counts = _counts("n_unlabelled", n_unlabelled, n_way, least=0)
        self.n_distractors = check_whole_number("n_distractors", n_distractors, least=0)
        if self.n_distractors and not any(self.unlabelled_counts):
            raise ValueError("n_distractors needs unlabelled images of the task beside them, got n_unlabelled 0")
        self.n_labelled = None if n_labelled is None else check_whole_number("n_labelled", n_labelled, least=2)
        super().__init__(classes, n_way, k_shot, max(self.query_counts), seed=seed)
        self._has_label = None if self.n_labelled is None else self._labels_given(self.n_labelled)
        self._asked = _first(self.query_counts)  # [N, largest count]
        self._shown = _first(self.unlabelled_counts)  # [N, largest count]

    def __repr__(self) -> str:
        counts = f"queries {_short(self.query_counts)}, unlabelled {_short(self.unlabelled_counts)}"
        labels = "" if self.n_labelled is None else f", {self.n_labelled} labels a class"
        return f"{super().__repr__()}, {counts} per class, {self.n_distractors} distractors{labels}"

    def _needed(self) -> tuple[int, int, str, str]:
        """Classes of a task with its distractors, images of each, and both in words."""
        images = self.k_shot + self.n_query if self.n_labelled is None else self.n_labelled
        if images < self.k_shot + self.n_query:
            said = f"{self.k_shot} support and {self.n_query} query images need as many labels a class"
            raise ValueError(f"{said}, got n_labelled {images}")
        images += max(self.unlabelled_counts)
        who = "the task and its distractors need" if self.n_distractors else f"{self.n_way}-way needs"
        return self.n_way + self.n_distractors, images, who, "support, query and unlabelled"

    def _labels_given(self, n: int) -> Tensor:
        """True for n images of each class that have a label: bool [number of classes, largest count]."""
        beyond = self._beyond_end.cpu()
        lots = torch.rand(beyond.shape, generator=torch.Generator().manual_seed(0)).masked_fill(beyond, -1.0)
        return torch.zeros_like(beyond).scatter(1, lots.topk(n).indices, True).to(self.device)

    def _positions(self, order: Tensor, chosen: Tensor) -> Tensor:
        """Which images of the chosen classes, those with a label first: [B, N, K + queries + unlabelled]."""
        n_first, n_last = self.k_shot + self.n_query, max(self.unlabelled_counts)
        if self._has_label is None:
            return order.topk(n_first + n_last).indices
        named = self._has_label[chosen]  # [B, N, largest count]
        first = order.masked_fill(~named, -1.0).topk(n_first).indices  # [B, N, K + queries]
        return torch.cat([first, order.masked_fill(named, -1.0).topk(n_last).indices], dim=2)

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
        further = images[2] if any(self.unlabelled_counts) else None
        return Episode(images[0], support_y, images[1], query_y, self.n_way, further, check=False)

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
            n_unlabelled=self.unlabelled_counts if any(self.unlabelled_counts) else 0,
            n_distractors=self.n_distractors,
            n_labelled=self.n_labelled,
            seed=self.seed,
        )


def _counts(name: str, value: object, n_way: int, least: int) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)):
        return (check_whole_number(name, value, least),) * n_way
    if len(value) != n_way:
        raise ValueError(f"{name} must be one whole number or {n_way}, one for each class, got {len(value)}")
    counts = tuple(check_whole_number(name, one, least=0) for one in value)
    if not any(counts):
        what = "query" if name == "n_query" else "unlabelled image"
        raise ValueError(f"{name} is 0 for all {n_way} classes: no {what} would be of a class of the task")
    return counts


def _first(counts: tuple[int, ...]) -> Tensor:
    """True for the first images of each class, as many as it counts: bool [N, largest count]."""
    return torch.arange(max(counts)) < torch.tensor(counts)[:, None]


def _short(counts: tuple[int, ...]) -> str:
    return str(counts[0]) if len({*counts}) == 1 else str(counts)
