"""Pretraining: one ordinary classifier over all base classes.

Chen, Liu, Kira, Wang and Huang (2019), "A Closer Look at Few-shot Classification".
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_module, check_whole_number
from fslbook.tasks.images import LabelledImages


class BaseClassifier(nn.Module):
    """An encoder and a last layer with one output for each base class; `fit` trains both with an `ImageSampler`.

    It answers no episodes. What is wanted of it afterwards is `encoder`.

    Args:
        encoder: images [M, C, H, W] to features [M, D].
        n_classes: number of base classes.
        n_features: length D of a feature vector.
        head: features [M, D] to logits [M, n_classes]; None makes a linear layer. Baseline++ takes `CosineLinear`.

    Raises:
        TypeError: encoder or head is no module.
        ValueError: a number is too small.

    Example:
        >>> import torch
        >>> classifier = BaseClassifier(nn.Flatten(), n_classes=10, n_features=64)
        >>> classifier(LabelledImages(torch.rand(3, 1, 8, 8), torch.tensor([0, 4, 9]))).shape
        torch.Size([3, 10])
    """

    def __init__(self, encoder: nn.Module, n_classes: int, n_features: int = 64, head: nn.Module | None = None) -> None:
        super().__init__()
        check_module("encoder", encoder)
        n_classes = check_whole_number("n_classes", n_classes, least=2)
        self.encoder = encoder
        self.head = (
            nn.Linear(check_whole_number("n_features", n_features, least=1), n_classes) if head is None else head
        )
        check_module("head", self.head)

    def forward(self, batch: LabelledImages) -> Tensor:
        """Logits [M, n_classes]; the labels play no part.

        Args:
            batch: M images.
        """
        return self.head(self.encoder(batch.images))

    def loss(self, batch: LabelledImages) -> Tensor:
        """Mean cross-entropy over the images, in nats.

        Args:
            batch: M images with labels in 0..n_classes-1.
        """
        return F.cross_entropy(self(batch), batch.labels)
