"""Intersection over union of pixels, by its two definitions: a mean over tasks, and one accumulated for each class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fslbook.common.arguments import check_same_device, check_whole_number
from fslbook.evaluation.modes import evaluation_mode
from fslbook.evaluation.scores import checked_answers
from fslbook.tasks.scene_tasks import SceneSampler


@dataclass(frozen=True)
class Overlap:
    """Pixels counted over many tasks, for each class of the data set, and for the background (the last entry).

    Args:
        intersection: pixels that are of the class and were said to be, float64 [C + 1].
        union: pixels that are of the class or were said to be, float64 [C + 1].

    Example:
        >>> seen = Overlap(torch.tensor([3.0, 0.0, 90.0]), torch.tensor([6.0, 0.0, 100.0]))  # class 1 never came
        >>> seen.mean_iou, round(seen.foreground_background_iou, 3)
        (0.5, 0.7)
    """

    intersection: Tensor
    union: Tensor

    @property
    def by_class(self) -> Tensor:
        """Intersection over union of each class of the data set, [C]; NaN for a class that never came."""
        return (self.intersection / self.union)[:-1]

    @property
    def mean_iou(self) -> float:
        """Mean over the classes that came, background not counted."""
        return float(self.by_class.nanmean())

    @property
    def foreground_background_iou(self) -> float:
        """Mean of two: all classes together as one, and the background. It flatters, for background is easy."""
        foreground = self.intersection[:-1].sum() / self.union[:-1].sum()
        return float((foreground + self.intersection[-1] / self.union[-1]) / 2)


def counted_pixels(said: Tensor, labels: Tensor, n_way: int) -> tuple[Tensor, Tensor]:
    """Intersection and union of each class in each task, int64 [B, N] both.

    Args:
        said: the answer for each pixel, int64 [B, ...] in 0..n_way-1.
        labels: the truth, of the same shape.
        n_way: number of classes N.

    Raises:
        ValueError: a label is not in 0..n_way-1, such as the 255 with which some data sets mark pixels to be left out.

    Example:
        >>> counted_pixels(torch.tensor([[0, 1, 1]]), torch.tensor([[0, 0, 1]]), 2)
        (tensor([[1, 1]]), tensor([[2, 2]]))
    """
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < n_way:
        raise ValueError(f"labels must lie in 0..{n_way - 1}, got {int(labels.min())}..{int(labels.max())}")
    pairs = zip(said.flatten(1), labels.flatten(1), strict=True)
    table = torch.stack([torch.bincount(n_way * s + y, minlength=n_way**2) for s, y in pairs])  # [B, N * N]
    table = table.unflatten(1, (n_way, n_way))  # said, label
    both = table.diagonal(dim1=1, dim2=2)
    return both, table.sum(dim=1) + table.sum(dim=2) - both


def intersection_over_union(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the classes that the queries of a task show or that were marked there, without background, float64 [B].

    A score for `evaluate`. Pixels of all queries of a task are counted together. A class that is not there and was
    marked counts 0; a task that shows no class, and in which none was marked, gets 1.

    Args:
        logits: [B, Q, N, H, W], larger is more likely.
        labels: int64 [B, Q, H, W]; 0 is background.

    Raises:
        ValueError: labels are not one for each pixel, or not in 0..N-1.

    Example:
        >>> logits = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, -1.0]]).view(1, 1, 2, 1, 3)  # marks two pixels of three
        >>> intersection_over_union(logits, torch.tensor([1, 0, 0]).view(1, 1, 1, 3))
        tensor([0.5000], dtype=torch.float64)
    """
    if labels.ndim != 4 or labels.is_floating_point():
        raise ValueError(f"labels must be int64 [B, Q, H, W], one for each pixel, got {labels.dtype} {[*labels.shape]}")
    both, either = counted_pixels(logits.argmax(dim=2), labels, logits.shape[2])
    shares = both[:, 1:].double() / either[:, 1:]  # [B, N - 1], NaN where nothing is and nothing was marked
    return shares.nanmean(dim=1).nan_to_num(1.0)


@torch.no_grad()
def overlap_by_class(method: nn.Module, scenes: SceneSampler, n_tasks: int = 300) -> Overlap:
    """Pixels counted for each class of the data set over the first `n_tasks` tasks, as PANet does (Wang et al. 2019).

    A class that came in many tasks gets one figure, and each class counts as much as the others.

    Args:
        method: with `method(episode) -> logits [B, Q, N + 1, H, W]`.
        scenes: where the tasks come from, left untouched; on the device of the method.
        n_tasks: at least 1.

    Raises:
        ValueError: answers of another shape or not finite, a number too small, or another device.

    Example:
        >>> from fslbook.data import ImageClasses
        >>> class Ink(nn.Module):
        ...     def forward(self, episode):
        ...         return torch.stack([1 - 2 * episode.query_x[:, :, 0], episode.query_x[:, :, 0]], dim=2)
        >>> classes = ImageClasses(torch.ones(8, 1, 8, 8), torch.tensor([4, 4]), ("a", "b"))
        >>> overlap_by_class(Ink(), SceneSampler(classes, n_distractors=0, size=12), 5).mean_iou > 0.8
        True
    """
    n_tasks = check_whole_number("n_tasks", n_tasks, least=1)
    check_same_device(method, scenes.device)
    tasks, n_classes = scenes.restarted(), len(scenes.classes)
    sums = torch.zeros(2, n_classes + 1, dtype=torch.float64)
    with evaluation_mode(method):
        for _ in range(n_tasks):
            task = tasks.sample()
            episode = task.segmentation()
            answers = checked_answers(method, method(episode.without_labels()), episode)
            counted = counted_pixels(answers.argmax(dim=2), episode.targets, episode.n_way)  # [1, N + 1] both
            where = torch.cat([torch.tensor([n_classes]), task.classes[0].cpu()])  # background last
            sums.index_add_(1, where, torch.cat(counted).cpu().double())
    return Overlap(*sums)
