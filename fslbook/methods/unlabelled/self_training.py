"""Pseudo-labels: believe your own surest answers, and learn from them as if they were labels.

Lee (2013), "Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep Neural Networks", here with
class means in place of a network, and with as many pseudo-labels per class, as Li et al. (2019), "Learning to
Self-Train for Semi-Supervised Few-Shot Classification", choose them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_whole_number
from fslbook.methods.base import EmbeddingMethod
from fslbook.methods.metric.prototypical import negative_squared_distances, prototypes
from fslbook.methods.unlabelled.parts import three_parts
from fslbook.methods.unlabelled.soft_k_means import weighted_means
from fslbook.tasks.episode import Episode


def surest(logits: Tensor, per_class: int | None = None) -> Tensor:
    """Pseudo-labels as one-hot rows, zero for an image that is not among the surest of its class: [B, U, N].

    The order is by the logarithm of the odds, logit minus logsumexp of the other logits. That is the order of the
    probabilities, and it goes on where those are all rounded to 1.

    Args:
        logits: [B, U, N], N at least 2; an image's answer is its largest.
        per_class: how many images of each class are taken, at least 1; None takes all.

    Raises:
        ValueError: the number is too small.

    Example:
        >>> surest(torch.tensor([[[3.0, 0.0], [1.0, 0.0], [0.0, 1.0]]]), per_class=1)
        tensor([[[1., 0.],
                 [0., 0.],
                 [0., 1.]]])
    """
    chosen = F.one_hot(logits.argmax(dim=-1), logits.shape[-1]).to(logits.dtype)  # [B, U, N]
    if per_class is None:
        return chosen
    per_class = check_whole_number("per_class", per_class, least=1)
    others = logits.masked_fill(chosen == 1, -torch.inf).logsumexp(dim=-1, keepdim=True)  # [B, U, 1]
    odds = (logits - others).masked_fill(chosen == 0, -torch.inf)  # [B, U, N]; probabilities would round to 1
    rank = odds.argsort(dim=1, descending=True, stable=True).argsort(dim=1)  # [B, U, N], 0 for the surest
    return chosen * (rank < per_class)


class SelfTraining(EmbeddingMethod):
    """Class means of support and pseudo-labelled images, in rounds (Lee 2013; Li et al. 2019).

    In each round all unlabelled images are answered anew by the means so far; the surest of each class count as if they
    were labelled. With `per_class=None` this is k-means with hard shares.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        rounds: at least 0; 0 is the Prototypical Network.
        per_class: how many pseudo-labels are believed per class and round, at least 1; None believes all.

    Raises:
        TypeError: the encoder is no module.
        ValueError: a number is too small.

    Example:
        >>> x, y = torch.tensor([[[0.0], [4.0]]]), torch.tensor([[0, 1]])
        >>> task = Episode(x, y, torch.tensor([[[2.1]]]), None, n_way=2, unlabelled_x=torch.tensor([[[1.0], [1.5]]]))
        >>> SelfTraining(nn.Identity())(task).argmax(dim=-1)
        tensor([[0]])
    """

    def __init__(self, encoder: nn.Module, rounds: int = 1, per_class: int | None = None) -> None:
        super().__init__(encoder)
        self.rounds = check_whole_number("rounds", rounds, least=0)
        self.per_class = None if per_class is None else check_whole_number("per_class", per_class, least=1)

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] = minus the squared distances to the means after all rounds.

        Args:
            embedded: an episode of features with unlabelled ones, [B, S, ...], [B, Q, ...] and [B, U, ...].
        """
        support, query, unlabelled = three_parts(self, embedded)
        centres = prototypes(support, embedded.support_y, embedded.n_way)  # [B, N, D]
        for _ in range(self.rounds):
            believed = surest(negative_squared_distances(unlabelled, centres), self.per_class)  # [B, U, N]
            centres = weighted_means(support, embedded.support_y, unlabelled, believed)
        return negative_squared_distances(query, centres)
