"""Siamese networks: Koch, Zemel and Salakhutdinov (2015), and the contrastive loss of Hadsell et al. (2006).

One encoder embeds both images of a pair. Koch samples half of the pairs from one class and half from two classes. Here
all pairs of a query and a support image count, and the two kinds get half of the weight each, with no sampling.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_positive, check_whole_number
from fslbook.methods.base import EmbeddingMethod
from fslbook.methods.metric.nearest_neighbour import best_of_class
from fslbook.networks.losses import contrastive_terms, mean_where, pair_distances, semi_hard_triplet_loss
from fslbook.tasks.episode import Episode

LOSSES = ("contrastive", "triplet", "cross-entropy")


class SiameseNetwork(EmbeddingMethod):
    """Learn from pairs whether two images are of one class; classify by the most similar support image.

    Args:
        encoder: images [M, C, H, W] to features [M, n_features].
        loss: "contrastive" (Hadsell et al. 2006), "triplet" (Schroff et al. 2015) or "cross-entropy" (Koch et al. 2015:
            the logit of *same* is a learned weighting of the coordinates' absolute differences).
        margin: of the contrastive and the triplet loss, above 0.
        n_features: length of a feature vector; needed for "cross-entropy" alone.

    Raises:
        TypeError: the encoder is no module.
        ValueError: unknown loss, a margin that is not positive and finite, or no features.

    Example:
        >>> x, y = torch.tensor([[[0.0], [1.0]]]), torch.tensor([[0, 1]])
        >>> SiameseNetwork(nn.Identity())(Episode(x, y, x, None, n_way=2)).argmax(dim=-1)
        tensor([[0, 1]])
    """

    def __init__(
        self, encoder: nn.Module, loss: str = "contrastive", margin: float = 1.0, n_features: int = 64
    ) -> None:
        super().__init__(encoder)
        if loss not in LOSSES:
            raise ValueError(f"unknown loss {loss!r}; known are {', '.join(map(repr, LOSSES))}")
        self.loss_name, self.margin = loss, check_positive("margin", margin)
        check_whole_number("n_features", n_features, least=1)
        self.weighting = nn.Linear(n_features, 1) if loss == "cross-entropy" else None

    def similarity(self, embedded: Episode) -> Tensor:
        """How alike each query and each support image are, [B, Q, S]: Koch's logit, or minus the distance.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].

        Raises:
            ValueError: for Koch's logit, the features are not `n_features` long.
        """
        query, support = embedded.query_x.flatten(2)[:, :, None], embedded.support_x.flatten(2)[:, None]
        if self.weighting is None:
            return -pair_distances(*torch.broadcast_tensors(query, support))
        if query.shape[-1] != self.weighting.in_features:
            wanted, given = self.weighting.in_features, query.shape[-1]
            raise ValueError(
                f"the encoder gives {given} features, not {wanted}: say SiameseNetwork(n_features={given})"
            )
        return self.weighting((query - support).abs())[..., 0]

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N]: the similarity to the most similar support image of each class.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].
        """
        return best_of_class(self.similarity(embedded), embedded.support_y, embedded.n_way)

    def loss(self, episode: Episode) -> Tensor:
        """The chosen loss over all pairs of a query and a support image, or over all triplets of each task; a scalar.

        Args:
            episode: B tasks with query labels [B, Q].

        Raises:
            ValueError: there is but one class, so that no pair is of two, or the episode has no query labels.
        """
        if episode.n_way < 2:
            raise ValueError(f"pairs of different classes need at least 2 classes, the episode has {episode.n_way}")
        features = episode.map(self.embed)
        if self.loss_name == "triplet":
            x = torch.cat([features.support_x, features.query_x], dim=1).flatten(2)  # [B, S + Q, D]
            return semi_hard_triplet_loss(x, torch.cat([episode.support_y, episode.targets], dim=1), self.margin)
        different = episode.targets[:, :, None] != episode.support_y[:, None]  # [B, Q, S]
        losses = self._pair_loss(self.similarity(features), different)
        # The pairs of one class and those of two classes have half of the weight each.
        return (mean_where(~different, losses) + mean_where(different, losses)) / 2

    def _pair_loss(self, similarity: Tensor, different: Tensor) -> Tensor:
        if self.loss_name == "contrastive":
            return contrastive_terms(-similarity, different, self.margin)
        same = (~different).to(similarity.dtype)
        return F.binary_cross_entropy_with_logits(similarity, same, reduction="none")
