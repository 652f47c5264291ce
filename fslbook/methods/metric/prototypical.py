"""Prototypical Networks: Snell, Swersky and Zemel (2017), "Prototypical Networks for Few-shot Learning".

Derived in chapter 5. As in the authors' code the distance is the squared Euclidean one, summed over
dimensions, and support and query pass through the encoder in one batch.
"""

from __future__ import annotations

from torch import Tensor, einsum
from torch.nn import functional as F

from fslbook.methods.base import EmbeddingMethod
from fslbook.tasks.episode import Episode


def prototypes(features: Tensor, labels: Tensor, n_way: int) -> Tensor:
    """Mean feature vector of each class (Snell et al. 2017, equation 1).

    Args:
        features: [B, S, D].
        labels: int64 [B, S] in 0..n_way-1; classes may have different numbers of images, but none has none.
        n_way: number of classes N.

    Returns:
        prototypes [B, N, D].

    Raises:
        ValueError: features and labels do not fit.

    Example:
        >>> import torch
        >>> prototypes(torch.tensor([[[1.0], [3.0], [5.0]]]), torch.tensor([[0, 0, 1]]), n_way=2)
        tensor([[[2.],
                 [5.]]])
    """
    if features.ndim != 3 or labels.shape != features.shape[:2]:
        raise ValueError(f"features [B, S, D] need labels [B, S], got {[*features.shape]} and {[*labels.shape]}")
    membership = F.one_hot(labels, n_way).to(features.dtype)  # [B, S, N]
    totals = einsum("bsn,bsd->bnd", membership, features)  # [B, N, D]
    return totals / membership.sum(dim=1)[..., None]


def negative_squared_distances(queries: Tensor, centres: Tensor) -> Tensor:
    """-‖q - c‖² for all pairs, summed over dimensions: [B, Q, N]; larger is closer.

    Args:
        queries: [B, Q, D].
        centres: [B, N, D].

    Raises:
        ValueError: the two do not fit.

    Example:
        >>> import torch
        >>> negative_squared_distances(torch.tensor([[[0.0, 0.0]]]), torch.tensor([[[3.0, 4.0]]]))
        tensor([[[-25.]]])
    """
    if queries.ndim != 3 or centres.ndim != 3 or (queries.shape[0], queries.shape[2]) != centres.shape[::2]:
        raise ValueError(f"queries [B, Q, D] need centres [B, N, D], got {[*queries.shape]} and {[*centres.shape]}")
    return -(queries[:, :, None] - centres[:, None]).square().sum(dim=-1)


class PrototypicalNetwork(EmbeddingMethod):
    """Classify a query by the nearest class mean in feature space (Snell et al. 2017, equation 2).

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps [M, C', H', W'] are flattened.

    Raises:
        TypeError: the encoder is no module.

    Example:
        >>> import torch
        >>> x, y = torch.tensor([[[0.0], [1.0]]]), torch.tensor([[0, 1]])
        >>> PrototypicalNetwork(torch.nn.Identity())(Episode(x, y, x, None, n_way=2))
        tensor([[[-0., -1.],
                 [-1., -0.]]])
    """

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] = minus the squared distances from queries to prototypes.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].
        """
        support, query = embedded.support_x.flatten(2), embedded.query_x.flatten(2)  # [B, S, D], [B, Q, D]
        return negative_squared_distances(query, prototypes(support, embedded.support_y, embedded.n_way))
