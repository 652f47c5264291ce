"""Prototypes refined by unlabelled images: soft k-means.

Ren et al. (2018), "Meta-Learning for Semi-Supervised Few-Shot Classification", section 3.1.1. As in the authors' code
no gradient passes through the shares.
"""

from __future__ import annotations

from torch import Tensor, einsum, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_positive, check_whole_number
from fslbook.methods.base import EmbeddingMethod
from fslbook.methods.metric.prototypical import negative_squared_distances
from fslbook.methods.unlabelled.parts import three_parts
from fslbook.tasks.episode import Episode


def weighted_means(support: Tensor, labels: Tensor, unlabelled: Tensor, shares: Tensor) -> Tensor:
    """Class means in which each unlabelled image counts with its share (Ren et al. 2018, section 3.1.1): [B, N, D].

    Args:
        support: [B, S, D].
        labels: int64 [B, S] in 0..N-1; every class has at least one image.
        unlabelled: [B, U, D].
        shares: [B, U, N], at least 0; how much of each unlabelled image belongs to each class.

    Raises:
        ValueError: the shares do not fit the images.

    Example:
        >>> import torch
        >>> support, labels = torch.tensor([[[0.0], [9.0]]]), torch.tensor([[0, 1]])
        >>> weighted_means(support, labels, torch.tensor([[[3.0]]]), torch.tensor([[[0.5, 0.0]]])).flatten()
        tensor([1., 9.])
    """
    if shares.shape[:2] != unlabelled.shape[:2]:
        raise ValueError(f"unlabelled [B, U, D] needs shares [B, U, N], got {[*unlabelled.shape]}, {[*shares.shape]}")
    own = F.one_hot(labels, shares.shape[2]).to(support.dtype)  # [B, S, N]
    totals = einsum("bsn,bsd->bnd", own, support) + einsum("bun,bud->bnd", shares, unlabelled)  # [B, N, D]
    return totals / (own.sum(dim=1) + shares.sum(dim=1))[..., None]


class SoftKMeans(EmbeddingMethod):
    """A Prototypical Network whose prototypes move to the unlabelled images before it answers (Ren et al. 2018).

    In each step every unlabelled image is shared out among the classes by a softmax of scaled distances; then each
    prototype becomes the mean of its support and its shares. The support images stay where their labels put them.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        steps: refinements, at least 0; 0 is the Prototypical Network, 1 the paper.
        scale: what minus the squared distance is multiplied by, above 0; larger makes the shares sharper. 1 is the
            paper, for features that were trained with it.

    Raises:
        TypeError: the encoder is no module.
        ValueError: a number is too small.

    Example:
        >>> import torch
        >>> x, y = torch.tensor([[[0.0], [4.0]]]), torch.tensor([[0, 1]])
        >>> task = Episode(x, y, torch.tensor([[[2.1]]]), None, n_way=2, unlabelled_x=torch.tensor([[[1.0], [1.5]]]))
        >>> SoftKMeans(nn.Identity(), steps=0)(task).argmax().item(), SoftKMeans(nn.Identity())(task).argmax().item()
        (1, 0)
    """

    def __init__(self, encoder: nn.Module, steps: int = 1, scale: float = 1.0) -> None:
        super().__init__(encoder)
        self.steps, self.scale = check_whole_number("steps", steps, least=0), check_positive("scale", scale)

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] = minus the scaled squared distances to the refined prototypes.

        Args:
            embedded: an episode of features with unlabelled ones, [B, S, ...], [B, Q, ...] and [B, U, ...].
        """
        query = three_parts(self, embedded)[1]
        return self.scale * negative_squared_distances(query, self.refined(embedded))

    def refined(self, embedded: Episode) -> Tensor:
        """The prototypes after all steps, [B, N, D].

        Args:
            embedded: as for `classify`.
        """
        support, _, unlabelled = three_parts(self, embedded)
        nobody = unlabelled.new_zeros((*unlabelled.shape[:2], embedded.n_way))  # [B, U, N]
        centres = weighted_means(support, embedded.support_y, unlabelled, nobody)
        for _ in range(self.steps):
            shares = self.shares(unlabelled, centres)
            centres = weighted_means(support, embedded.support_y, unlabelled, shares)
        return centres

    def shares(self, unlabelled: Tensor, centres: Tensor) -> Tensor:
        """How much of each unlabelled image belongs to each class, [B, U, N].

        Args:
            unlabelled: features [B, U, D].
            centres: prototypes [B, N, D].
        """
        return (self.scale * negative_squared_distances(unlabelled, centres)).softmax(dim=-1).detach()
