"""Relation Networks: Sung, Yang, Zhang, Xiang, Torr and Hospedales (2018), "Learning to Compare".

A second network compares feature maps. As in the authors' code the maps of a class's support images are added up before
the comparison, the support map stands before the query map, and the loss is the squared error over all pairs. Unlike
that code, this one uses running statistics in evaluation mode, so that a query is answered on its own.

The module knows sums of as many maps as it was trained with. A small one on Omniglot, trained with 3 shots, on 1, 3, 3,
3 and 12 images per class: 66 % with plain sums (12 % in the class with most images), 94 % with three times the mean.
"""

from __future__ import annotations

import torch
from torch import Tensor, einsum, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_module, check_whole_number
from fslbook.methods.base import EmbeddingMethod
from fslbook.tasks.episode import Episode


class RelationNetwork(EmbeddingMethod):
    """Score each pair of a class and a query with a learned comparison (Sung et al. 2018, equations 1 and 2).

    Where all classes have the same number K of support images, their maps are added up, as in the paper. Where they do
    not, the sums would differ in scale, and the class with the most images would hardly ever be recognised; so each
    mean is multiplied by one number: `shots`, or by default the harmonic mean of the numbers of images.

    Args:
        encoder: images [M, C, H, W] to feature maps [M, D, H', W'], for instance `RelationEncoder`.
        relation: stacked maps [M, 2·D, H', W'] to numbers [M, 1]. If it has `compare(classes, queries)`, as
            `RelationModule` has, that is asked for all pairs at once.
        shots: support images per class in training. With it the method serves any number of images per class, the
            same for all classes or not; without it, other numbers than those of training cost accuracy.

    Raises:
        TypeError: the encoder or the relation module is no module.
        ValueError: `shots` is not a whole number of at least 1.

    Example:
        >>> maps = torch.tensor([2.0, 4.0, 1.0]).view(1, 3, 1, 1, 1)  # two of class 0, one of class 1
        >>> episode = Episode(maps, torch.tensor([[0, 0, 1]]), maps, None, n_way=2)
        >>> class_maps(episode, shots=1).flatten()
        tensor([3., 1.])
    """

    def __init__(self, encoder: nn.Module, relation: nn.Module, shots: int | None = None) -> None:
        super().__init__(encoder)
        check_module("relation", relation)
        self.relation = relation
        self.shots = None if shots is None else check_whole_number("shots", shots, least=1)

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N]; their sigmoid is the relation score in 0..1.

        Args:
            embedded: an episode of maps [B, S, D, H', W'] and [B, Q, D, H', W'].

        Raises:
            ValueError: the features are no maps.
        """
        classes = class_maps(embedded, self.shots)
        if compare := getattr(self.relation, "compare", None):
            return compare(classes, embedded.query_x)
        return self._of_stacked(classes, embedded.query_x)

    def _of_stacked(self, classes: Tensor, queries: Tensor) -> Tensor:
        """What `relation` says about each pair: [B, N, D, H', W'] and [B, Q, D, H', W'] to [B, Q, N]."""
        both = torch.broadcast_tensors(classes[:, None], queries[:, :, None])
        pairs = torch.cat(both, dim=3)  # [B, Q, N, 2·D, H', W']
        return self.relation(pairs.flatten(0, 2)).view(pairs.shape[:3])

    def loss(self, episode: Episode) -> Tensor:
        """Mean squared error of the relation scores against 1 for the right class and 0 for the others; a scalar.

        Args:
            episode: B tasks with query labels [B, Q].

        Raises:
            ValueError: the episode has no query labels, or the features are no maps.
        """
        target = F.one_hot(episode.targets, episode.n_way)  # [B, Q, N]
        scores = self(episode).sigmoid()
        return F.mse_loss(scores, target.to(scores.dtype))


def class_maps(embedded: Episode, shots: int | None = None) -> Tensor:
    """One map for each class, [B, N, D, H', W']: the sum of its maps, at the scale of a sum over `shots` of them.

    Args:
        embedded: an episode whose support maps are [B, S, D, H', W'].
        shots: by default the number of images per class, or their harmonic mean where classes differ.

    Raises:
        ValueError: the features are no maps.

    Example:
        >>> maps = torch.ones(1, 4, 1, 1, 1)
        >>> class_maps(Episode(maps, torch.tensor([[0, 0, 1, 1]]), maps, None, n_way=2)).flatten()  # a plain sum
        tensor([2., 2.])
    """
    if embedded.support_x.ndim != 5:
        raise ValueError(
            f"a Relation Network compares maps [B, S, D, H, W], the encoder gives {[*embedded.support_x.shape]}; "
            "take one that ends in maps, such as RelationEncoder"
        )
    membership = F.one_hot(embedded.support_y, embedded.n_way).to(embedded.support_x.dtype)  # [B, S, N]
    counts = membership.sum(dim=1, keepdim=True)  # [B, 1, N]
    if shots is None:
        even = (counts == counts[..., :1]).all(dim=-1, keepdim=True)  # [B, 1, 1]
        target = torch.where(even, counts, embedded.n_way / (1 / counts).sum(dim=-1, keepdim=True))
    else:
        target = torch.full_like(counts, shots)
    return einsum("bsn,bsdhw->bndhw", membership * (target / counts), embedded.support_x)
