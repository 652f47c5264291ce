"""SimCLR: Chen, Kornblith, Norouzi and Hinton (2020), "A Simple Framework for Contrastive Learning"."""

from __future__ import annotations

from torch import Tensor, nn

from fslbook.common.arguments import check_module, check_positive
from fslbook.methods.transfer.nearest_mean import SimpleShot
from fslbook.networks.contrast import nt_xent


class SimCLR(nn.Module):
    """Learn an encoder without labels: two views of an image are to lie together, and apart from all others.

    `fit` trains it with a `ViewSampler`. It answers no episodes; afterwards `encoder` is used without the projector.

    Args:
        encoder: images [M, C, H, W] to features [M, D].
        projector: features [M, D] to vectors [M, E] that are compared; None makes two linear layers with a ReLU.
        n_features: length D of a feature vector, for the projector that None makes.
        temperature: what cosines are divided by, above 0.

    Raises:
        TypeError: encoder or projector is no module.
        ValueError: the temperature is not positive.

    Example:
        >>> import torch
        >>> method = SimCLR(nn.Flatten(1), n_features=64)
        >>> method.loss(torch.rand(4, 2, 1, 8, 8)).shape
        torch.Size([])
    """

    def __init__(
        self,
        encoder: nn.Module,
        projector: nn.Module | None = None,
        *,
        n_features: int = 64,
        temperature: float = 0.5,
    ) -> None:
        super().__init__()
        check_module("encoder", encoder)
        check_positive("temperature", temperature)
        self.encoder, self.temperature = encoder, temperature
        self.projector = _two_layers(n_features) if projector is None else projector
        check_module("projector", self.projector)

    def forward(self, views: Tensor) -> Tensor:
        """Projected views [M, 2, E].

        Args:
            views: float [M, 2, C, H, W], two of each image.
        """
        return _projected(self, views)

    def loss(self, views: Tensor) -> Tensor:
        """NT-Xent over the 2M views, in nats.

        Args:
            views: float [M, 2, C, H, W], two of each image, M at least 2.
        """
        first, second = self(views).unbind(dim=1)  # [M, E] each
        return nt_xent(first, second, self.temperature)


class SimCLRNearestMean(SimpleShot):
    """Learns from views as `SimCLR`, and answers episodes as `SimpleShot` on its encoder: for training at paper scale.

    Args:
        encoder: images [M, C, H, W] to features [M, D].
        n_features: length D of a feature vector, for the projector.
        temperature: what cosines are divided by, above 0.

    Raises:
        TypeError: the encoder is no module.
        ValueError: the temperature is not positive.

    Example:
        >>> import torch
        >>> method = SimCLRNearestMean(nn.Flatten(1), n_features=64)
        >>> method.loss(torch.rand(4, 2, 1, 8, 8)).shape
        torch.Size([])
    """

    def __init__(self, encoder: nn.Module, n_features: int = 64, *, temperature: float = 0.5) -> None:
        super().__init__(encoder)
        self.projector = _two_layers(n_features)
        self.temperature = check_positive("temperature", temperature)

    def loss(self, views: Tensor) -> Tensor:  # type: ignore[override]
        """NT-Xent over the 2M views, in nats.

        Args:
            views: float [M, 2, C, H, W], two of each image, M at least 2.
        """
        first, second = _projected(self, views).unbind(dim=1)  # [M, E] each
        return nt_xent(first, second, self.temperature)


def _projected(method: SimCLR | SimCLRNearestMean, views: Tensor) -> Tensor:
    """Projected views [M, 2, E] of views [M, 2, C, H, W]."""
    if views.ndim != 5 or views.shape[1] != 2:
        raise ValueError(f"SimCLR takes two views per image [M, 2, C, H, W], got {[*views.shape]}")
    return method.projector(method.encoder(views.flatten(0, 1))).unflatten(0, (-1, 2))


def _two_layers(n_features: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(n_features, n_features), nn.ReLU(), nn.Linear(n_features, n_features))
