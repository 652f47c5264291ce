"""Losses and measures of training without labels: two views of an image, and all others (chapter 12)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from fslbook.common.arguments import check_positive


def nt_xent(first: Tensor, second: Tensor, temperature: float = 0.5) -> Tensor:
    """Normalised temperature-scaled cross-entropy (Chen, Kornblith et al. 2020, equation 1), mean of 2M terms, in nats.

    Each of the 2M views has to pick its partner among the 2M - 1 other views, by the softmax of cosines over the
    temperature. The authors' code adds the two means of M terms, which is twice this.

    Args:
        first: features [M, D] of one view of each image, of any length.
        second: features [M, D] of the other views, in the same order.
        temperature: what cosines are divided by, above 0.

    Raises:
        ValueError: the two differ in shape, there are fewer than two images, or the temperature is not positive.

    Example:
        >>> alike = torch.ones(4, 3)  # no view can be told from another: log(2·4 - 1)
        >>> round(nt_xent(alike, alike).item(), 4)
        1.9459
    """
    _check_views(first, second)
    check_positive("temperature", temperature)
    z = F.normalize(torch.cat([first, second]).float(), dim=1)  # [2M, D]
    logits = z @ z.T / temperature  # [2M, 2M]
    logits = logits.masked_fill(torch.eye(len(z), dtype=torch.bool, device=z.device), -torch.inf)
    partner = torch.arange(len(z), device=z.device).roll(len(first))  # view i belongs to view i ± M
    return F.cross_entropy(logits, partner)


def alignment(first: Tensor, second: Tensor) -> Tensor:
    """Mean squared distance of the two views on the unit sphere (Wang and Isola 2020, section 4.1); lower is better.

    Args:
        first: features [M, D] of one view, or image, of each pair.
        second: features [M, D] of the other one.

    Raises:
        ValueError: the two differ in shape, or there are fewer than two pairs.

    Example:
        >>> first, second = torch.tensor([[1.0, 0.0], [2.0, 0.0]]), torch.tensor([[3.0, 0.0], [0.0, 1.0]])
        >>> alignment(first, second).item()  # (0 + 2) / 2
        1.0
    """
    _check_views(first, second)
    return (F.normalize(first, dim=1) - F.normalize(second, dim=1)).square().sum(dim=1).mean()


def uniformity(features: Tensor) -> Tensor:
    """Logarithm of the mean of exp(-2·squared distance) over all pairs on the unit sphere; lower is more even.

    Wang and Isola (2020), section 4.1, with t = 2.

    Args:
        features: [M, D], of any length.

    Raises:
        ValueError: not a matrix of at least two rows.

    Example:
        >>> uniformity(torch.tensor([[1.0, 0.0], [-1.0, 0.0]])).item()  # one pair, squared distance 4
        -8.0
    """
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"features must be [M, D] with at least two rows, got {[*features.shape]}")
    distances = torch.pdist(F.normalize(features, dim=1))
    return (-2 * distances.square()).logsumexp(dim=0) - torch.tensor(float(len(distances))).log().to(distances)


def _check_views(first: Tensor, second: Tensor) -> None:
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(f"two views need features [M, D] each, got {[*first.shape]} and {[*second.shape]}")
    if len(first) < 2:
        raise ValueError(f"a contrast needs at least two images, got {len(first)}")
