"""Relation Networks: Sung, Yang, Zhang, Xiang, Torr and Hospedales (2018), "Learning to Compare".

A second network compares feature maps. As in the authors' code the maps of a class's support images are added up before
the comparison, the support map stands before the query map, and the loss is the squared error over all pairs. Unlike
that code, this one uses running statistics in evaluation mode, so that a query is answered on its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, einsum, nn
from torch.nn import functional as F

from fslbook.methods.base import EmbeddingMethod
from fslbook.tasks.episode import Episode


class RelationNetwork(EmbeddingMethod):
    """Score each pair of a class and a query with a learned comparison (Sung et al. 2018, equations 1 and 2).

    Args:
        encoder: images [M, C, H, W] to feature maps [M, D, H', W'], for instance `RelationEncoder`.
        relation: stacked maps [M, 2·D, H', W'] to numbers [M, 1]. If it has `compare(classes, queries)`, as
            `RelationModule` has, that is asked for all pairs at once.
    """

    def __init__(self, encoder: nn.Module, relation: nn.Module) -> None:
        super().__init__(encoder)
        self.relation = relation

    def classify(self, features: Episode) -> Tensor:
        """Logits [B, Q, N]; their sigmoid is the relation score in 0..1."""
        membership = F.one_hot(features.support_y, features.n_way).to(features.support_x.dtype)  # [B, S, N]
        classes = einsum("bsn,bsdhw->bndhw", membership, features.support_x)  # [B, N, D, H', W']
        if compare := getattr(self.relation, "compare", None):
            return compare(classes, features.query_x)
        return self._of_stacked(classes, features.query_x)

    def _of_stacked(self, classes: Tensor, queries: Tensor) -> Tensor:
        """What `relation` says about each pair: [B, N, D, H', W'] and [B, Q, D, H', W'] to [B, Q, N]."""
        both = torch.broadcast_tensors(classes[:, None], queries[:, :, None])
        pairs = torch.cat(both, dim=3)  # [B, Q, N, 2·D, H', W']
        return self.relation(pairs.flatten(0, 2)).view(pairs.shape[:3])

    def loss(self, episode: Episode) -> Tensor:
        """Mean squared error of the relation scores against 1 for the right class and 0 for the others."""
        target = F.one_hot(episode.targets, episode.n_way)  # [B, Q, N]
        scores = self(episode).sigmoid()
        return F.mse_loss(scores, target.to(scores.dtype))
