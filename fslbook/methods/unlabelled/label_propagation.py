"""Label propagation: labels flow along a graph of all images of a task.

Zhou et al. (2004), "Learning with Local and Global Consistency"; for few-shot tasks Liu et al. (2019), "Learning to
Propagate Labels: Transductive Propagation Network for Few-Shot Learning".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_positive, check_whole_number
from fslbook.methods.base import EmbeddingMethod
from fslbook.methods.unlabelled.parts import check_task
from fslbook.tasks.episode import Episode


def affinities(features: Tensor, width: float, n_neighbours: int | None = None) -> Tensor:
    """How closely images belong together, float64 [B, M, M]: exp(-d² / (2·width·median d²)), 0 on the diagonal.

    The median is taken over the pairs of different images of each task, so that `width` means the same for features of
    any size.

    Args:
        features: [B, M, D], M at least 2.
        width: σ² as a share of the median squared distance, above 0.
        n_neighbours: keep the edges to that many nearest images of each image, and of those that name it in turn;
            None keeps all.

    Raises:
        ValueError: the features are no [B, M, D] with M of at least 2, or a number is too small.

    Example:
        >>> affinities(torch.tensor([[[0.0], [1.0], [2.0]]]), width=0.5)[0, 0]  # squared distances 1, 4 and 1, median 1
        tensor([0.0000, 0.3679, 0.0183], dtype=torch.float64)
    """
    check_positive("width", width)
    if features.ndim != 3 or features.shape[1] < 2:
        raise ValueError(f"features must be [B, M, D] with M at least 2, got {[*features.shape]}")
    m, x = features.shape[1], features.double()  # narrow widths underflow in float32
    d = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").square()  # [B, M, M]
    i, j = torch.triu_indices(m, m, offset=1, device=x.device)
    median = d[:, i, j].median(dim=1).values.clamp_min(1e-12)[:, None, None]  # [B, 1, 1]
    itself = torch.eye(m, dtype=torch.bool, device=x.device)
    weights = (-d / (2 * width * median)).exp().masked_fill(itself, 0)
    return weights if n_neighbours is None else _near(weights, n_neighbours)


def _near(weights: Tensor, n_neighbours: int) -> Tensor:
    k = min(check_whole_number("n_neighbours", n_neighbours, least=1), weights.shape[1] - 1)
    kept = torch.zeros_like(weights, dtype=torch.bool).scatter(2, weights.topk(k, dim=2).indices, True)
    return weights * (kept | kept.mT)


def normalised(weights: Tensor) -> Tensor:
    """D^(-1/2) W D^(-1/2), where D holds the sums of the rows: [B, M, M]; rows without any weight stay 0.

    Args:
        weights: [B, M, M], symmetric, at least 0.

    Example:
        >>> normalised(torch.tensor([[[0.0, 4.0], [4.0, 0.0]]]))
        tensor([[[0., 1.],
                 [1., 0.]]])
    """
    degrees = weights.sum(dim=-1)  # [B, M]
    root = torch.where(degrees > 0, degrees, torch.ones_like(degrees)).rsqrt()
    return root[..., :, None] * weights * root[..., None, :]


def propagate(smooth: Tensor, labels: Tensor, alpha: float) -> Tensor:
    """Labels after infinitely many steps, (I - αS)⁻¹Y (Zhou et al. 2004, section 2): [B, M, N].

    Args:
        smooth: S, normalised weights [B, M, M].
        labels: Y, one-hot rows for labelled images and zeros for all others, [B, M, N].
        alpha: how much of its label an image takes from its neighbours in each step, above 0 and below 1.

    Raises:
        ValueError: alpha is not between 0 and 1, or the two do not fit.

    Example:
        >>> smooth = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
        >>> propagate(smooth, torch.tensor([[[1.0], [0.0]]]), alpha=0.5).flatten()
        tensor([1.3333, 0.6667])
    """
    _check_flow(smooth, labels, alpha)
    itself = torch.eye(smooth.shape[-1], dtype=smooth.dtype, device=smooth.device)
    return torch.linalg.solve(itself - alpha * smooth, labels)


def propagate_in_steps(smooth: Tensor, labels: Tensor, alpha: float, steps: int) -> Tensor:
    """Labels after so many steps F ← αSF + Y, from F = Y: [B, M, N]; with more steps it tends to `propagate`.

    Args:
        smooth: S, normalised weights [B, M, M].
        labels: Y, one-hot rows for labelled images and zeros for all others, [B, M, N].
        alpha: as for `propagate`.
        steps: at least 0.

    Raises:
        ValueError: a number is out of range, or the two do not fit.

    Example:
        >>> smooth = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
        >>> propagate_in_steps(smooth, torch.tensor([[[1.0], [0.0]]]), alpha=0.5, steps=2).flatten()
        tensor([1.2500, 0.5000])
    """
    _check_flow(smooth, labels, alpha)
    flowing = labels
    for _ in range(check_whole_number("steps", steps, least=0)):
        flowing = alpha * smooth @ flowing + labels
    return flowing


def _check_flow(smooth: Tensor, labels: Tensor, alpha: float) -> None:
    if check_positive("alpha", alpha) >= 1:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha}: with more, labels grow without end")
    square = smooth.ndim == 3 and smooth.shape[1] == smooth.shape[2]
    if not square or labels.ndim != 3 or smooth.shape[:2] != labels.shape[:2]:
        raise ValueError(f"weights [B, M, M] need labels [B, M, N], got {[*smooth.shape]} and {[*labels.shape]}")


class LabelPropagation(EmbeddingMethod):
    """Answers with the labels that have reached the queries along the graph of all images (Zhou et al. 2004).

    The graph holds support, unlabelled images if the episode has any, and all queries: it is transductive.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        alpha: between 0 and 1; 0.99 is customary.
        width: σ² as a share of the median squared distance, above 0.
        n_neighbours: as for `affinities`; None keeps all edges.

    Raises:
        TypeError: the encoder is no module.
        ValueError: a number is out of range.

    Example:
        >>> x, y = torch.tensor([[[0.0], [9.0]]]), torch.tensor([[0, 1]])
        >>> chain = torch.tensor([[[1.0], [2.0], [3.0], [4.0], [5.0]]])  # the last one is nearer to class 1
        >>> LabelPropagation(nn.Identity(), width=0.05)(Episode(x, y, chain, None, n_way=2)).argmax(dim=-1)
        tensor([[0, 0, 0, 0, 0]])
    """

    def __init__(
        self, encoder: nn.Module, alpha: float = 0.8, width: float = 1 / 16, n_neighbours: int | None = None
    ) -> None:
        super().__init__(encoder)
        if check_positive("alpha", alpha) >= 1:
            raise ValueError(f"alpha must lie between 0 and 1, got {alpha}")
        self.alpha, self.width = alpha, check_positive("width", width)
        self.n_neighbours = None if n_neighbours is None else check_whole_number("n_neighbours", n_neighbours, 1)

    @property
    def queries_see_each_other(self) -> bool:
        """True: they are neighbours in the graph."""
        return True

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] = how much of each label has arrived.

        Args:
            embedded: an episode of features [B, S, ...], [B, Q, ...] and, if there are any, [B, U, ...].
        """
        parts = [x.flatten(2) for x in (embedded.support_x, embedded.query_x, embedded.unlabelled_x) if x is not None]
        check_task(self, embedded.n_way, *parts)
        features, (s, q) = torch.cat(parts, dim=1), (part.shape[1] for part in parts[:2])
        smooth = normalised(affinities(features, self.width, self.n_neighbours))  # [B, M, M]
        known = F.one_hot(embedded.support_y, embedded.n_way).to(smooth)  # [B, S, N]
        labels = F.pad(known, (0, 0, 0, features.shape[1] - s))  # [B, M, N]
        return propagate(smooth, labels, self.alpha)[:, s : s + q].to(features.dtype)
