"""Encoders: images to feature vectors."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.func import replace_all_batch_norm_modules_


def conv_block(in_channels: int, out_channels: int, *, padding: int = 1, pool: bool = True) -> nn.Sequential:
    """3×3 convolution, batch norm, 2×2 max pooling if `pool`, and ReLU.

    [M, in, H, W] becomes [M, out, H // 2, W // 2]; without padding the convolution first takes one pixel off each side.
    The papers put ReLU before the pooling. The maximum does not mind: the numbers are the very same, and there are four
    times fewer to rectify.
    """
    convolution = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=padding)
    block = nn.Sequential(convolution, nn.BatchNorm2d(out_channels))
    return (block.append(nn.MaxPool2d(2)) if pool else block).append(nn.ReLU(inplace=True))


class Conv4(nn.Sequential):
    """The four-block encoder of Vinyals et al. (2016) and Snell et al. (2017), section 3.1.

    Images [M, in_channels, H, W] become vectors [M, D]. A 28×28 image shrinks as 28, 14, 7, 3, 1, so that
    D = channels = 64; an 84×84 image gives D = 64·5·5 = 1600. With one input channel it has 111,936 parameters.

    Args:
        in_channels: 1 for grey images, 3 for colour.
        channels: width of every block.
    """

    def __init__(self, in_channels: int = 1, channels: int = 64) -> None:
        blocks = [conv_block(in_channels if i == 0 else channels, channels) for i in range(4)]
        super().__init__(*blocks, nn.Flatten(1))
        self.in_channels = in_channels
        # The same numbers in another order in memory: channels last, about 1.4 times as fast, on CPU and CUDA.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Images [M, C, H, W] to vectors [M, D].

        Raises:
            ValueError: the images are not [M, in_channels, H, W], or are below the 16×16 that four poolings need.
        """
        if images.ndim != 4 or images.shape[1] != self.in_channels or min(images.shape[-2:]) < 16:
            wanted = f"[M, {self.in_channels}, H, W] of at least 16×16"
            raise ValueError(f"Conv4 needs images {wanted}, got {[*images.shape]}")
        return super().forward(images)


class RelationEncoder(nn.Sequential):
    """The encoder of Sung et al. (2018), figure 2a, which ends in maps: 28×28 images become [M, channels, 5, 5].

    The first two blocks convolve without padding and pool (28, 26, 13, 11, 5), the last two keep the size.

    Args:
        in_channels: 1 for grey images, 3 for colour.
        channels: width of every block.
    """

    def __init__(self, in_channels: int = 1, channels: int = 64) -> None:
        shrink = [conv_block(n, channels, padding=0) for n in (in_channels, channels)]
        keep = [conv_block(channels, channels, pool=False) for _ in range(2)]
        super().__init__(*shrink, *keep)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def conv_classifier(n_way: int, in_channels: int = 1, channels: int = 64) -> nn.Sequential:
    """A whole network for methods that adapt weights: the four blocks of `Conv4` as `body`, a linear layer as `head`.

    Images [M, in_channels, 28, 28] become logits [M, n_way]. Its batch norms keep no running statistics: they always
    normalise with the batch at hand, as in the code of Finn et al. (2017), so that the network is transductive.
    """
    blocks = [conv_block(in_channels if i == 0 else channels, channels) for i in range(4)]
    parts = OrderedDict(body=nn.Sequential(*blocks, nn.Flatten(1)), head=nn.Linear(channels, n_way))
    network = nn.Sequential(parts)
    replace_all_batch_norm_modules_(network)
    return network
