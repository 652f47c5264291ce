"""The relation module: a small network that compares two stacked maps (chapter 7)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_whole_number
from fslbook.networks.encoders import conv_block


class RelationModule(nn.Sequential):
    """Two stacked maps [M, 2·channels, 5, 5] to one number [M, 1] (Sung et al. 2018, figure 2b).

    Args:
        channels: of each of the two maps, and of the convolutions.
        map_size: height and width of the maps, at least 4: 5 for images of 28×28 pixels, 19 for 84×84.

    Raises:
        ValueError: a size is too small.

    Example:
        >>> RelationModule(channels=8)(torch.zeros(3, 16, 5, 5)).shape
        torch.Size([3, 1])
    """

    def __init__(self, channels: int = 64, map_size: int = 5) -> None:
        channels, map_size = (
            check_whole_number("channels", channels, least=1),
            check_whole_number("map_size", map_size, least=4),
        )
        blocks = [conv_block(2 * channels, channels), conv_block(channels, channels)]  # 5 → 2 → 1
        n_features = channels * (map_size // 4) ** 2
        super().__init__(*blocks, nn.Flatten(1), nn.Linear(n_features, 8), nn.ReLU(), nn.Linear(8, 1))
        self.channels, self.map_size = channels, map_size

    def forward(self, pairs: Tensor) -> Tensor:
        """The number [M, 1] of each stacked pair.

        Args:
            pairs: maps [M, 2·channels, map_size, map_size], that of the class first.

        Raises:
            ValueError: the maps have another shape.
        """
        self._check(pairs, "[M, 2·channels, H, W]", 2 * self.channels)
        return super().forward(pairs)

    def compare(self, classes: Tensor, queries: Tensor) -> Tensor:
        """The numbers of all pairs of a class and a query: the same as stacking each pair, with far less work.

        A convolution of two stacked maps is the sum of a convolution of each. So the first and largest one is computed
        once for each class and once for each query, and not again for each pair.

        Args:
            classes: maps [B, N, channels, map_size, map_size], which stand first when stacked.
            queries: maps [B, Q, channels, map_size, map_size].

        Returns:
            numbers [B, Q, N].

        Raises:
            ValueError: the maps have another shape.

        Example:
            >>> RelationModule(channels=8).compare(torch.zeros(2, 5, 8, 5, 5), torch.zeros(2, 3, 8, 5, 5)).shape
            torch.Size([2, 3, 5])
        """
        self._check(classes, "[B, N, channels, H, W]", self.channels)
        self._check(queries, "[B, Q, channels, H, W]", self.channels)
        first_block, *others = self.children()
        convolution, *rest = first_block.children()
        assert isinstance(convolution, nn.Conv2d)
        of_class, of_query = convolution.weight.split(classes.shape[2], dim=1)
        c = _convolved(classes, of_class, convolution, convolution.bias)[:, None]  # [B, 1, N, 5, 5, channels]
        q = _convolved(queries, of_query, convolution)[:, :, None]  # [B, Q, 1, 5, 5, channels]
        x = c + q  # [B, Q, N, 5, 5, channels]
        shape, x = x.shape[:3], x.flatten(0, 2).permute(0, 3, 1, 2)  # [B·Q·N, channels, 5, 5]
        return nn.Sequential(*rest, *others)(x).view(shape)

    def _check(self, maps: Tensor, wanted: str, channels: int) -> None:
        shape = [channels, self.map_size, self.map_size]
        if maps.ndim != wanted.count(",") + 1 or [*maps.shape[-3:]] != shape:
            raise ValueError(
                f"{type(self).__name__} needs maps {wanted} with [channels, H, W] = {shape} at the end, "
                f"got {[*maps.shape]}; say channels and map_size"
            )


def _convolved(maps: Tensor, weight: Tensor, convolution: nn.Conv2d, bias: Tensor | None = None) -> Tensor:
    """Maps [B, M, D, H, W] under a part of the convolution, with the channels last: [B, M, H, W, channels]."""
    flat = maps.flatten(0, 1).contiguous(memory_format=torch.channels_last)  # [B·M, D, H, W]
    x = F.conv2d(flat, weight, bias, padding=convolution.padding)  # [B·M, channels, H, W]
    return x.permute(0, 2, 3, 1).unflatten(0, maps.shape[:2])
