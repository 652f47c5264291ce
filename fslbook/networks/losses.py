"""Losses on pairs and triplets of features (chapter 4)."""

from __future__ import annotations

import torch
from torch import Tensor

from fslbook.common.arguments import check_positive, readable


def pair_distances(first: Tensor, second: Tensor, eps: float = 1e-12) -> Tensor:
    """Plain Euclidean distance of each pair, [P].

    Args:
        first: features [P, D].
        second: features [P, D].
        eps: stands under the square root, whose slope at zero is infinite: with it, equal features get gradient zero.

    Raises:
        ValueError: the two hold different numbers of features, or features of different lengths.

    Example:
        >>> pair_distances(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
        tensor([5.])
    """
    if first.shape != second.shape:
        raise ValueError(f"pairs need two tensors of one shape, got {[*first.shape]} and {[*second.shape]}")
    return ((first - second).square().sum(dim=-1) + eps).sqrt()


def contrastive_loss(distances: Tensor, different: Tensor, margin: float = 1.0) -> Tensor:
    """Contrastive loss (Hadsell, Chopra and LeCun 2006, equation 4), the mean over the pairs.

    (1 - Y)·½·D² + Y·½·max(0, margin - D)²: equal pairs are pulled together, different ones pushed apart until they are
    `margin` away. Mind the convention: Y = 1 means *different*.

    Args:
        distances: D, plain (not squared) Euclidean distances, float [P].
        different: Y, 0 for a pair of one class and 1 for a pair of two, [P], any number type or bool.
        margin: distance beyond which different pairs are left alone, above 0.

    Raises:
        ValueError: the margin is not positive, the lengths differ, or a label is neither 0 nor 1.

    Example:
        >>> contrastive_loss(torch.tensor([2.0, 0.5]), torch.tensor([0, 1])).item()  # (2²/2 + 0.5²/2) / 2
        1.0625
    """
    check_positive("margin", margin)
    if distances.shape != different.shape:
        raise ValueError(f"{[*distances.shape]} distances but {[*different.shape]} labels")
    if readable(different) and not ((different == 0) | (different == 1)).all():
        raise ValueError(f"pair labels must be 0 (same class) or 1 (different), found {different.unique().tolist()}")
    return contrastive_terms(distances, different, margin).mean()


def contrastive_terms(distances: Tensor, different: Tensor, margin: float) -> Tensor:
    """What each pair adds to `contrastive_loss`, before the mean: [P].

    Args:
        distances: as there, [P].
        different: as there, [P].
        margin: as there.

    Example:
        >>> contrastive_terms(torch.tensor([2.0, 0.5]), torch.tensor([0, 1]), margin=1.0)
        tensor([2.0000, 0.1250])
    """
    y = different.to(distances.dtype)
    pull = distances.square()
    push = (margin - distances).clamp_min(0).square()
    return ((1 - y) * pull + y * push) / 2


def mean_where(chosen: Tensor, values: Tensor) -> Tensor:
    """Mean of the values at the places chosen; unlike values[chosen] it reads nothing, so a CUDA graph can hold it.

    Args:
        chosen: bool, in the shape of the values [...].
        values: float [...].

    Example:
        >>> mean_where(torch.tensor([True, False, True]), torch.tensor([1.0, 9.0, 3.0]))
        tensor(2.)
    """
    return values.masked_fill(~chosen, 0).sum() / chosen.sum()


def semi_hard_triplet_loss(features: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    """Triplet loss with semi-hard negatives (Schroff, Kalenichenko and Philbin 2015, sections 3.1 and 3.2).

    For each anchor a and positive p of its class, the negative n is the nearest feature of another class that is
    farther from a than p is; where there is none, the farthest of all. Mean over all (a, p) of
    max(0, ‖a - p‖² - ‖a - n‖² + margin).

    Args:
        features: [..., M, D]; triplets are formed within the M features of a task.
        labels: int64 [..., M].
        margin: in squared distance, above 0.

    Raises:
        ValueError: the margin is not positive, the shapes do not fit, or no feature has both a positive and a negative.

    Example:
        >>> semi_hard_triplet_loss(torch.tensor([[0.0], [1.0], [1.5]]), torch.tensor([0, 0, 1]), margin=1.0)
        tensor(0.8750)
    """
    check_positive("margin", margin)
    if features.shape[:-1] != labels.shape:
        raise ValueError(f"features {[*features.shape]} need labels {[*features.shape[:-1]]}, got {[*labels.shape]}")
    d = (features[..., :, None, :] - features[..., None, :, :]).square().sum(dim=-1)  # [..., M, M]
    same = labels[..., :, None] == labels[..., None, :]  # [..., M, M]
    itself = torch.eye(labels.shape[-1], dtype=torch.bool, device=labels.device)
    usable = same & ~itself & (~same).any(dim=-1, keepdim=True)  # [..., a, p]
    if readable(usable) and not usable.any():
        raise ValueError("triplets need two features of one class and one of another")
    d_ap, d_an, not_n = d[..., :, :, None], d[..., :, None, :], same[..., :, None, :]  # [..., a, p, n] when combined
    nearest_farther = d_an.masked_fill(not_n | (d_an <= d_ap), torch.inf).amin(dim=-1)  # [..., a, p]
    farthest = d_an.masked_fill(not_n, -torch.inf).amax(dim=-1)  # [..., a, 1]
    negative = torch.where(nearest_farther.isinf(), farthest, nearest_farther)  # [..., a, p]
    return mean_where(usable, (d - negative + margin).clamp_min(0))
