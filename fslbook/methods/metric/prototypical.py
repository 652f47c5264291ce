"""Prototypical Networks: Snell, Swersky and Zemel (2017), "Prototypical Networks for Few-shot Learning".

Derived in chapter 4. As in the authors' code the distance is the squared Euclidean one, summed over
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
        features: [B, S, D]. labels: int64 [B, S] in 0..n_way-1; classes may have different numbers of images.

    Returns:
        prototypes [B, n_way, D].
    """
    membership = F.one_hot(labels, n_way).to(features.dtype)  # [B, S, N]
    totals = einsum("bsn,bsd->bnd", membership, features)  # [B, N, D]
    return totals / membership.sum(dim=1)[..., None]


def negative_squared_distances(queries: Tensor, centres: Tensor) -> Tensor:
    """-‖q - c‖² for all pairs, summed over dimensions: [B, Q, D] and [B, N, D] to [B, Q, N]; larger is closer."""
    return -(queries[:, :, None] - centres[:, None]).square().sum(dim=-1)


class PrototypicalNetwork(EmbeddingMethod):
    """Classify a query by the nearest class mean in feature space (Snell et al. 2017, equation 2).

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps [M, C', H', W'] are flattened.
    """

    def classify(self, features: Episode) -> Tensor:
        """Logits [B, Q, N] = minus the squared distances from queries to prototypes."""
        support, query = features.support_x.flatten(2), features.query_x.flatten(2)  # [B, S, D], [B, Q, D]
        return negative_squared_distances(query, prototypes(support, features.support_y, features.n_way))
