"""A whole network, images to logits, for methods that adapt weights (chapters 9 and 10)."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn
from torch.func import replace_all_batch_norm_modules_

from fslbook.common.arguments import check_whole_number
from fslbook.networks.encoders import four_blocks


class ConvClassifier(nn.Sequential):
    """A body and a head that know which images they take; `conv_classifier` makes it.

    Example:
        >>> network = conv_classifier(n_way=5, channels=8)
        >>> [name for name, _ in network.named_children()]
        ['body', 'head']
    """

    image_shape: tuple[int, int, int] | None = None
    """[in_channels, H, W]; None allows all, as for a part of the network."""

    def forward(self, images: Tensor) -> Tensor:
        """Logits [M, n_way] of images.

        Args:
            images: float [M, in_channels, image_size, image_size].

        Raises:
            ValueError: the images have another shape.
        """
        if not images.is_floating_point():
            raise ValueError(f"conv_classifier needs floating-point images in 0..1, got {images.dtype}")
        if self.image_shape and images.shape[1:] != self.image_shape:
            raise ValueError(
                f"this conv_classifier needs images [M, {', '.join(map(str, self.image_shape))}], got "
                f"{[*images.shape]}; make it with conv_classifier(n_way, in_channels=..., image_size=...)"
            )
        return super().forward(images)


def conv_classifier(n_way: int, in_channels: int = 1, channels: int = 64, image_size: int = 28) -> ConvClassifier:
    """A whole network for methods that adapt weights: the four blocks of `Conv4` as `body`, a linear layer as `head`.

    Images [M, in_channels, image_size, image_size] become logits [M, n_way]. Its batch norms keep no running
    statistics: they always normalise with the batch at hand, as in the code of Finn et al. (2017), so that the network
    is transductive.

    Args:
        n_way: number of classes in a task.
        in_channels: 1 for grey images, 3 for colour.
        channels: width of every block.
        image_size: height and width of the images in pixels, at least 16.

    Raises:
        ValueError: a number is too small.

    Example:
        >>> import torch
        >>> conv_classifier(n_way=5, in_channels=3, channels=8, image_size=84)(torch.zeros(2, 3, 84, 84)).shape
        torch.Size([2, 5])
    """
    check_whole_number("n_way", n_way, least=1)
    check_whole_number("image_size", image_size, least=16)
    body = nn.Sequential(*four_blocks(in_channels, channels), nn.Flatten(1))
    head = nn.Linear(channels * (image_size // 16) ** 2, n_way)
    network = ConvClassifier(OrderedDict(body=body, head=head))
    network.image_shape = (int(in_channels), int(image_size), int(image_size))
    replace_all_batch_norm_modules_(network)
    return network
