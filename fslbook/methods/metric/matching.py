"""Matching Networks: Vinyals, Blundell, Lillicrap, Kavukcuoglu and Wierstra (2016).

The paper's attention is a softmax over bare cosines. They lie in -1..1, so that with one shot no probability among N
classes can exceed e² / (e² + N - 1). The package multiplies the cosines by `scale`, the inverse of a temperature;
`scale=1` is the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_module, check_positive
from fslbook.methods.base import EmbeddingMethod
from fslbook.networks.context import FullContextEmbedding
from fslbook.tasks.episode import Episode


def cosines(queries: Tensor, support: Tensor) -> Tensor:
    """Cosine of every query with every support feature, [B, Q, S]; zero vectors give 0.

    Args:
        queries: [B, Q, D].
        support: [B, S, D].

    Example:
        >>> cosines(torch.tensor([[[2.0, 0.0]]]), torch.tensor([[[1.0, 0.0], [0.0, 5.0]]]))
        tensor([[[1., 0.]]])
    """
    return F.normalize(queries, dim=-1) @ F.normalize(support, dim=-1).mT


class MatchingNetwork(EmbeddingMethod):
    """Attention over the support set as a differentiable nearest neighbour (Vinyals et al. 2016, equation 1).

    Args:
        encoder: images [M, C, H, W] to features [M, D]; the paper's f (for queries) and g (for the support) at once.
        scale: factor on the cosines before the softmax, above 0; 1 is the paper.
        context: embeds the feature vectors of an episode anew, given its whole support set: support [B, S, D] and
            query [B, Q, D] to the same shapes. By default they stay as they are.

    Raises:
        TypeError: the encoder or the context is no module.
        ValueError: `scale` is not positive and finite.

    Example:
        >>> x, y = torch.eye(2)[None], torch.tensor([[0, 1]])
        >>> episode = Episode(x, y, x, None, n_way=2)
        >>> MatchingNetwork(nn.Identity(), scale=1.0).attention(episode)[0, 0]  # e / (e + 1) and 1 / (e + 1)
        tensor([0.7311, 0.2689])
    """

    def __init__(self, encoder: nn.Module, scale: float = 20.0, context: FullContextEmbedding | None = None) -> None:
        super().__init__(encoder)
        self.scale = check_positive("scale", scale)
        if context is not None:
            check_module("context", context)
        self.context = context

    def attention(self, embedded: Episode) -> Tensor:
        """Weights [B, Q, S] of the support images for each query; they are positive and add up to 1.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].
        """
        return self._scores(embedded).softmax(dim=-1)

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N]: their softmax is the attention summed over the support images of each class.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].
        """
        scores = self._scores(embedded)  # [B, Q, S]
        of_class = F.one_hot(embedded.support_y, embedded.n_way).bool()  # [B, S, N]
        by_class = scores[..., None].masked_fill(~of_class[:, None], -torch.inf)  # [B, Q, S, N]
        return by_class.logsumexp(dim=2)

    def _scores(self, embedded: Episode) -> Tensor:
        support, query = embedded.support_x.flatten(2), embedded.query_x.flatten(2)  # [B, S, D], [B, Q, D]
        if self.context is not None:
            support, query = self.context(support, query)
        return self.scale * cosines(query, support)
