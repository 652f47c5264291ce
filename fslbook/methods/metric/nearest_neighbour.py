"""The baseline that learns nothing: the label of the nearest support image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fslbook.methods.base import EmbeddingMethod
from fslbook.tasks.episode import Episode


class NearestNeighbour(EmbeddingMethod):
    """One-nearest-neighbour by Euclidean distance, on raw pixels unless an encoder is given.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; by default the pixels themselves.
    """

    def __init__(self, encoder: nn.Module | None = None) -> None:
        super().__init__(nn.Flatten(1) if encoder is None else encoder)

    def classify(self, features: Episode) -> Tensor:
        """Logits [B, Q, N]: minus the distance to the nearest support image of each class."""
        support, query = features.support_x.flatten(2), features.query_x.flatten(2)  # [B, S, D], [B, Q, D]
        return best_of_class(-torch.cdist(query, support), features.support_y, features.n_way)


def best_of_class(similarity: Tensor, support_y: Tensor, n_way: int) -> Tensor:
    """Similarity of each query to the most similar support image of each class: [B, Q, S] to [B, Q, n_way].

    Args:
        similarity: larger is more alike. support_y: int64 [B, S] in 0..n_way-1.
    """
    best = similarity.new_full((*similarity.shape[:2], n_way), -torch.inf)  # [B, Q, N]
    return best.scatter_reduce(2, support_y[:, None].expand_as(similarity), similarity, "amax")
