"""Meta-SGD: Li, Zhou, Chen and Li (2017), "Meta-SGD: Learning to Learn Quickly for Few-Shot Learning"."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from fslbook.methods.optimisation.maml import MAML


class MetaSGD(MAML):
    """MAML whose inner learning rates are learned, one for each single weight (Li et al. 2017, equation 2).

    Args:
        network: as in `MAML`.
        inner_lr: where all rates begin, above 0. They may become negative in training.
        inner_steps: as in `MAML`.
        options: the other arguments of `MAML`.

    Raises:
        TypeError: as in `MAML`.
        ValueError: as in `MAML`.

    Example:
        >>> method = MetaSGD(nn.Linear(3, 2), inner_lr=0.1)
        >>> [tuple(rates.shape) for rates in method.rates]
        [(2, 3), (2,)]
    """

    def __init__(self, network: nn.Module, inner_lr: float = 0.4, inner_steps: int = 1, **options: Any) -> None:
        super().__init__(network, inner_lr, inner_steps, **options)
        weights = self.initial_weights()
        self._index = {name: index for index, name in enumerate(weights)}
        self.rates = nn.ParameterList([torch.full_like(w, self.inner_lr) for w in weights.values()])

    def rate(self, name: str) -> Tensor:
        """Learned rates of a parameter, in its shape.

        Args:
            name: of the parameter, as in `network.named_parameters()`.
        """
        return self.rates[self._index[name]]
