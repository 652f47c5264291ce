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

    Raises:
        TypeError: the encoder is no module.

    Example:
        >>> x, y = torch.tensor([[[0.0], [1.0]]]), torch.tensor([[0, 1]])
        >>> NearestNeighbour()(Episode(x, y, x, None, n_way=2))
        tensor([[[-0., -1.],
                 [-1., -0.]]])
    """

    def __init__(self, encoder: nn.Module | None = None) -> None:
        super().__init__(nn.Flatten(1) if encoder is None else encoder)

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N]: minus the distance to the nearest support image of each class.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].
        """
        support, query = embedded.support_x.flatten(2), embedded.query_x.flatten(2)  # [B, S, D], [B, Q, D]
        return best_of_class(-torch.cdist(query, support), embedded.support_y, embedded.n_way)


def best_of_class(similarity: Tensor, support_y: Tensor, n_way: int) -> Tensor:
    """Similarity of each query to the most similar support image of each class, [B, Q, N].

    Args:
        similarity: of each query to each support image, [B, Q, S]; larger is more alike.
        support_y: int64 [B, S] in 0..n_way-1.
        n_way: number of classes N.

    Example:
        >>> best_of_class(torch.tensor([[[1.0, 3.0, 2.0]]]), torch.tensor([[0, 0, 1]]), n_way=2)
        tensor([[[3., 2.]]])
    """
    best = similarity.new_full((*similarity.shape[:2], n_way), -torch.inf)  # [B, Q, N]
    return best.scatter_reduce(2, support_y[:, None].expand_as(similarity), similarity, "amax")
