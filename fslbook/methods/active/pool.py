"""A pool of images of which some are labelled (chapter 14)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.methods.active.scores import check_features


@dataclass(frozen=True)
class Pool:
    """What a strategy sees: all features, and the labels asked for so far.

    Args:
        features: float [M, D] of all images.
        labelled: int64 [L], which of them have a label.
        labels: int64 [L], the labels of these, in 0..n_way-1.
        n_way: number of classes N.

    Raises:
        ValueError: the features are no finite matrix, indices or labels are out of range, or one occurs twice.

    Example:
        >>> pool = Pool(torch.tensor([[0.0], [1.0], [4.0]]), torch.tensor([0, 2]), torch.tensor([1, 0]), n_way=2)
        >>> pool.unlabelled
        tensor([1])
    """

    features: Tensor
    labelled: Tensor
    labels: Tensor
    n_way: int

    def __post_init__(self) -> None:
        check_features(self.features)
        check_whole_number("n_way", self.n_way, least=2)
        _check_range("labelled", self.labelled, len(self.features))
        _check_range("labels", self.labels, self.n_way)
        if self.labelled.shape != self.labels.shape or len(self.labelled.unique()) != len(self.labelled):
            raise ValueError("labelled must name each image once, with one label each")

    @property
    def unlabelled(self) -> Tensor:
        """Which images have no label yet, int64 [M - L]."""
        free = torch.ones(len(self.features), dtype=torch.bool, device=self.features.device)
        free[self.labelled] = False
        return free.nonzero()[:, 0]

    def logits(self, features: Tensor) -> Tensor:
        """Minus the squared distances to the means of the labelled images, [Q, N]; -inf for a class without a label.

        Args:
            features: float [Q, D].
        """
        members = torch.nn.functional.one_hot(self.labels, self.n_way).to(features.dtype)  # [L, N]
        counts = members.sum(dim=0)  # [N]
        means = members.T @ self.features[self.labelled] / counts.clamp_min(1)[:, None]  # [N, D]
        return -torch.cdist(features, means).square().masked_fill(counts == 0, torch.inf)

    def with_labels(self, indices: Tensor, labels: Tensor) -> Pool:
        """The same pool with further labels.

        Args:
            indices: int64 [n], images that had none.
            labels: int64 [n].
        """
        return Pool(self.features, torch.cat([self.labelled, indices]), torch.cat([self.labels, labels]), self.n_way)

    def check_budget(self, n: int) -> None:
        """Refuse to ask for more labels than there are images without one.

        Args:
            n: how many labels are asked for, at least 1.

        Raises:
            ValueError: it is below 1, or too many.
        """
        free = len(self.features) - len(self.labelled)
        if check_whole_number("n", n, least=1) > free:
            raise ValueError(f"{n} labels are asked for, but only {free} images of the pool have none")


def _check_range(name: str, values: Tensor, end: int) -> None:
    if values.ndim != 1 or values.dtype != torch.int64:
        raise ValueError(f"{name} must be int64 [L], got {values.dtype} {[*values.shape]}")
    if len(values) and not (int(values.min()) >= 0 and int(values.max()) < end):
        raise ValueError(f"{name} must lie in 0..{end - 1}, got {int(values.min())}..{int(values.max())}")
