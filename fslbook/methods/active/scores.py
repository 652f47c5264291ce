"""How much an unlabelled image would tell: three scores of doubt, and how typical it is.

The scores of doubt are surveyed by Settles (2009), "Active Learning Literature Survey", section 3.1; typicality is that
of Hacohen, Dekel and Weinshall (2022), "Active Learning on a Budget: Opposite Strategies Suit High and Low Budgets".
"""

from __future__ import annotations

import torch
from torch import Tensor

from fslbook.common.arguments import check_whole_number


def least_confidence(probabilities: Tensor) -> Tensor:
    """One minus the largest probability, [M]; larger means more doubt.

    Args:
        probabilities: float [M, N], rows that add up to 1.

    Raises:
        ValueError: they are no matrix of two or more columns, or not finite.

    Example:
        >>> least_confidence(torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
        tensor([0.5000, 0.0000])
    """
    return 1 - _checked(probabilities).amax(dim=1)


def smallest_margin(probabilities: Tensor) -> Tensor:
    """Minus the lead of the first answer over the second, [M]; larger means more doubt.

    Args:
        probabilities: float [M, N], rows that add up to 1.

    Raises:
        ValueError: they are no matrix of two or more columns, or not finite.

    Example:
        >>> smallest_margin(torch.tensor([[0.5, 0.25, 0.25]]))
        tensor([-0.2500])
    """
    first, second = _checked(probabilities).topk(2, dim=1).values.unbind(dim=1)
    return second - first


def entropy(probabilities: Tensor) -> Tensor:
    """Shannon entropy of each row in nats, [M]; larger means more doubt.

    Args:
        probabilities: float [M, N], rows that add up to 1.

    Raises:
        ValueError: they are no matrix of two or more columns, or not finite.

    Example:
        >>> entropy(torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
        tensor([0.6931, 0.0000])
    """
    return torch.special.entr(_checked(probabilities)).sum(dim=1)


def typicality(features: Tensor, n_neighbours: int = 20) -> Tensor:
    """One over the mean distance to the nearest other images, [M] (Hacohen et al. 2022, equation 1).

    Args:
        features: float [M, D], at least two rows.
        n_neighbours: how many of the others are looked at; of fewer images, all others.

    Raises:
        ValueError: the features are no matrix of finite numbers with two rows or more, or a number is too small.

    Example:
        >>> typicality(torch.tensor([[0.0], [1.0], [5.0]]), n_neighbours=1)  # distances 1, 1 and 4
        tensor([1.0000, 1.0000, 0.2500])
    """
    check_features(features, least=2)
    k = min(check_whole_number("n_neighbours", n_neighbours, least=1), len(features) - 1)
    nearest = torch.cdist(features, features).fill_diagonal_(torch.inf).topk(k, largest=False).values  # [M, k]
    return 1 / (nearest.mean(dim=1) + 1e-5)


def check_features(features: Tensor, least: int = 1) -> None:
    """Refuse what is no matrix of finite features.

    Args:
        features: what was given.
        least: how many rows there must be.

    Raises:
        ValueError: says what is wrong.

    Example:
        >>> check_features(torch.tensor([[float("nan")]]))
        Traceback (most recent call last):
        ValueError: features hold NaN or infinity
    """
    if features.ndim != 2 or len(features) < least:
        raise ValueError(f"features must be [M, D] with at least {least} rows, got {[*features.shape]}")
    if not features.isfinite().all():
        raise ValueError("features hold NaN or infinity")


def _checked(probabilities: Tensor) -> Tensor:
    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        raise ValueError(f"probabilities must be [M, N] with N at least 2, got {[*probabilities.shape]}")
    if not probabilities.isfinite().all():
        raise ValueError("probabilities hold NaN or infinity")
    return probabilities
