"""The relation module: a small network that compares two stacked maps (chapter 6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.networks.encoders import conv_block


class RelationModule(nn.Sequential):
    """Two stacked maps [M, 2·channels, 5, 5] to one number [M, 1] (Sung et al. 2018, figure 2b).

    Args:
        channels: of each of the two maps, and of the convolutions.

    Example:
        >>> RelationModule(channels=8)(torch.zeros(3, 16, 5, 5)).shape
        torch.Size([3, 1])
    """

    def __init__(self, channels: int = 64) -> None:
        blocks = [conv_block(2 * channels, channels), conv_block(channels, channels)]  # 5 → 2 → 1
        super().__init__(*blocks, nn.Flatten(1), nn.Linear(channels, 8), nn.ReLU(), nn.Linear(8, 1))

    def compare(self, classes: Tensor, queries: Tensor) -> Tensor:
        """The numbers of all pairs of a class and a query: the same as stacking each pair, with far less work.

        A convolution of two stacked maps is the sum of a convolution of each. So the first and largest one is computed
        once for each class and once for each query, and not again for each pair.

        Args:
            classes: maps [B, N, channels, 5, 5], which stand first when stacked.
            queries: maps [B, Q, channels, 5, 5].

        Returns:
            numbers [B, Q, N].

        Example:
            >>> RelationModule(channels=8).compare(torch.zeros(2, 5, 8, 5, 5), torch.zeros(2, 3, 8, 5, 5)).shape
            torch.Size([2, 3, 5])
        """
        first_block, *others = self.children()
        convolution, *rest = first_block.children()
        assert isinstance(convolution, nn.Conv2d)
        of_class, of_query = convolution.weight.split(classes.shape[2], dim=1)
        c = _convolved(classes, of_class, convolution, convolution.bias)[:, None]  # [B, 1, N, 5, 5, channels]
        q = _convolved(queries, of_query, convolution)[:, :, None]  # [B, Q, 1, 5, 5, channels]
        x = c + q  # [B, Q, N, 5, 5, channels]
        shape, x = x.shape[:3], x.flatten(0, 2).permute(0, 3, 1, 2)  # [B·Q·N, channels, 5, 5]
        return nn.Sequential(*rest, *others)(x).view(shape)


def _convolved(maps: Tensor, weight: Tensor, convolution: nn.Conv2d, bias: Tensor | None = None) -> Tensor:
    """Maps [B, M, D, H, W] under a part of the convolution, with the channels last: [B, M, H, W, channels]."""
    flat = maps.flatten(0, 1).contiguous(memory_format=torch.channels_last)  # [B·M, D, H, W]
    x = F.conv2d(flat, weight, bias, padding=convolution.padding)  # [B·M, channels, H, W]
    return x.permute(0, 2, 3, 1).unflatten(0, maps.shape[:2])
