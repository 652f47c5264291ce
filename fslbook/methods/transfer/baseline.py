"""Baseline and Baseline++: both stages in one method, for training at paper scale.

Chen, Liu, Kira, Wang and Huang (2019), "A Closer Look at Few-shot Classification", section 3.2.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from fslbook.methods.transfer.linear_heads import TrainedHead
from fslbook.methods.transfer.pretraining import BaseClassifier
from fslbook.networks.heads import CosineLinear
from fslbook.tasks.images import LabelledImages


class Baseline(TrainedHead):
    """Learns from labelled images as a `BaseClassifier`, and answers episodes as a `TrainedHead` on its encoder.

    Args:
        encoder: images [M, C, H, W] to features [M, D].
        n_classes: number of base classes.
        n_features: length D of a feature vector.
        cosine: heads of scaled cosines in both stages (Baseline++); else linear layers (Baseline).
        scale: factor on the cosines, above 0.
        test: the other arguments of `TrainedHead`.

    Raises:
        TypeError: the encoder is no module.
        ValueError: a number is too small.

    Example:
        >>> import torch
        >>> method = Baseline(nn.Flatten(), n_classes=10, n_features=64)
        >>> method.loss(LabelledImages(torch.rand(3, 1, 8, 8), torch.tensor([0, 4, 9]))).shape
        torch.Size([])
    """

    def __init__(
        self,
        encoder: nn.Module,
        n_classes: int,
        n_features: int = 64,
        *,
        cosine: bool = False,
        scale: float = 10.0,
        **test: Any,
    ) -> None:
        super().__init__(encoder, cosine=cosine, scale=scale, **test)
        head = CosineLinear(n_features, n_classes, scale) if cosine else None
        self.head = BaseClassifier(encoder, n_classes, n_features, head).head

    @property
    def makes_logits(self) -> nn.Module:
        """Whose answers the training accuracy is counted from."""
        return self.head

    def loss(self, batch: LabelledImages) -> Tensor:  # type: ignore[override]
        """Mean cross-entropy over the base classes, in nats.

        Args:
            batch: M images with labels in 0..n_classes-1.
        """
        return nn.functional.cross_entropy(self.head(self.encoder(batch.images)), batch.labels)
