"""How a network normalises: by running statistics, or by the batch at hand, which lets images see each other."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def keeps_running_statistics(network: nn.Module) -> bool:
    """Whether a normalisation in it changes with what it sees in training mode.

    Args:
        network: any module.

    Example:
        >>> from torch import nn
        >>> keeps_running_statistics(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)))
        True
    """
    return any(getattr(module, "running_mean", None) is not None for module in network.modules())


def normalises_by_batch(network: nn.Module) -> bool:
    """Whether a batch norm in it uses the statistics of the batch at hand in evaluation mode too.

    An image then has other features in other company. The answer is read off the layers of PyTorch; a layer of your own
    that mixes the images of a batch is not recognised.

    Args:
        network: any module.

    Example:
        >>> from torch import nn
        >>> normalises_by_batch(nn.BatchNorm2d(8)), normalises_by_batch(nn.BatchNorm2d(8, track_running_stats=False))
        (False, True)
    """
    norms = (module for module in network.modules() if isinstance(module, _BatchNorm))
    return any(norm.running_mean is None for norm in norms)
