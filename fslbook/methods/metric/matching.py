"""Matching Networks: Vinyals, Blundell, Lillicrap, Kavukcuoglu and Wierstra (2016).

The paper's attention is a softmax over bare cosines. They lie in -1..1, so that with one shot no probability among N
classes can exceed e² / (e² + N - 1). The package multiplies the cosines by `scale`, the inverse of a temperature;
`scale=1` is the paper.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.methods.base import EmbeddingMethod
from fslbook.networks.context import FullContextEmbedding
from fslbook.tasks.episode import Episode


def cosines(queries: Tensor, support: Tensor) -> Tensor:
    """Cosine of every query with every support feature: [B, Q, D] and [B, S, D] to [B, Q, S]; zero vectors give 0."""
    return F.normalize(queries, dim=-1) @ F.normalize(support, dim=-1).mT


class MatchingNetwork(EmbeddingMethod):
    """Attention over the support set as a differentiable nearest neighbour (Vinyals et al. 2016, equation 1).

    Args:
        encoder: images [M, C, H, W] to features [M, D]; the paper's f (for queries) and g (for the support) at once.
        scale: factor on the cosines before the softmax, above 0; 1 is the paper.
        context: embeds the features of an episode anew, given its whole support set; by default they stay as they are.

    Raises:
        ValueError: `scale` is not positive.
    """

    def __init__(self, encoder: nn.Module, scale: float = 20.0, context: FullContextEmbedding | None = None) -> None:
        super().__init__(encoder)
        if not scale > 0:
            raise ValueError(f"scale must be positive, got {scale}")
        self.scale, self.context = scale, context

    def attention(self, features: Episode) -> Tensor:
        """Weights [B, Q, S] of the support images for each query; they are positive and add up to 1."""
        return self._scores(features).softmax(dim=-1)

    def classify(self, features: Episode) -> Tensor:
        """Logits [B, Q, N]: their softmax is the attention summed over the support images of each class."""
        scores = self._scores(features)  # [B, Q, S]
        of_class = F.one_hot(features.support_y, features.n_way).bool()  # [B, S, N]
        by_class = scores[..., None].masked_fill(~of_class[:, None], -torch.inf)  # [B, Q, S, N]
        return by_class.logsumexp(dim=2)

    def _scores(self, features: Episode) -> Tensor:
        flat = replace(
            features, support_x=features.support_x.flatten(2), query_x=features.query_x.flatten(2), check=False
        )
        flat = self.context(flat) if self.context else flat
        return self.scale * cosines(flat.query_x, flat.support_x)
