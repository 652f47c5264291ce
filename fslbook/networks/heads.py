"""Last layers: features to logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_positive, check_whole_number


class CosineLinear(nn.Module):
    """A linear layer without length: scale times the cosine between a feature vector and each class's weights.

    The head of Baseline++ (Chen et al. 2019, section 3.2): the logit of class n is scale · xᵀwₙ / (‖x‖‖wₙ‖).

    Args:
        n_features: length D of a feature vector.
        n_classes: number of classes N.
        scale: what the cosines are multiplied by, above 0; one over the temperature.

    Raises:
        ValueError: a number is too small.

    Example:
        >>> head = CosineLinear(2, 2, scale=10.0)
        >>> _ = head.weight.data.copy_(torch.eye(2))
        >>> head(torch.tensor([[5.0, 0.0]])).tolist()
        [[10.0, 0.0]]
    """

    def __init__(self, n_features: int, n_classes: int, scale: float = 10.0) -> None:
        super().__init__()
        n_features = check_whole_number("n_features", n_features, least=1)
        n_classes = check_whole_number("n_classes", n_classes, least=1)
        check_positive("scale", scale)
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(n_classes, n_features))
        nn.init.normal_(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Logits [..., N] of features [..., D].

        Args:
            features: float [..., D].
        """
        return self.scale * F.linear(F.normalize(features, dim=-1), F.normalize(self.weight, dim=-1))
