"""Weights that a network writes for another: what it reads, how it writes, and how a layer uses both kinds.

Munkhdalai and Yu (2017), "Meta Networks". *Slow* weights are parameters: meta-training changes them. *Fast* weights are
the output of a network: each task or example has its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fslbook.common.arguments import check_positive, check_whole_number


def log_and_sign(gradients: Tensor, p: float = 7.0) -> Tensor:
    """Two numbers of middling size for each number of any size: [...] to [..., 2].

    With s the size of g: (log s / p, sign g) where s is at least e^-p, else (-1, e^p · g). Andrychowicz et al. (2016),
    appendix A.

    Args:
        gradients: float [...].
        p: sizes below e^-p count as small, above 0.

    Raises:
        ValueError: `p` is not positive, or the numbers are not floating-point.

    Example:
        >>> log_and_sign(torch.tensor([-1.0, 0.0])).tolist()
        [[0.0, -1.0], [-1.0, 0.0]]
    """
    p = check_positive("p", p)
    if not gradients.is_floating_point():
        raise ValueError(f"gradients must be floating-point, got {gradients.dtype}")
    size = gradients.abs()
    large = size >= torch.e**-p
    log = torch.where(large, size.clamp_min(torch.e**-p).log() / p, -1.0)
    sign = torch.where(large, gradients.sign(), torch.e**p * gradients)
    return torch.stack([log, sign], dim=-1)


class WeightWriter(nn.Module):
    """A small network that reads one gradient and writes one fast weight; the same for every weight of a layer.

    Two hidden layers, as wide as said. It knows neither the place of a weight nor the size of the layer, so that few
    parameters write many weights. The last layer has no bias: it would add one number to every weight of a layer, and
    where the inputs of that layer add up to 0, or its outputs go into a softmax, this changes nothing.

    Args:
        hidden: width of the hidden layers.
        preprocess: read `log_and_sign` of the gradient; otherwise the gradient as it is.

    Raises:
        ValueError: the width is below 1.

    Example:
        >>> WeightWriter()(torch.zeros(2, 5, 64)).shape
        torch.Size([2, 5, 64])
    """

    def __init__(self, hidden: int = 20, *, preprocess: bool = True) -> None:
        super().__init__()
        hidden = check_whole_number("hidden", hidden, least=1)
        self.preprocess = preprocess
        self.layers = nn.Sequential(
            nn.Linear(2 if preprocess else 1, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )
        self.last = nn.Linear(hidden, 1, bias=False)

    def forward(self, gradients: Tensor) -> Tensor:
        """Fast weights, one for each gradient: [...] to [...].

        Args:
            gradients: float [...]. They are messages: nothing is differentiated through them.

        Raises:
            ValueError: the numbers are not floating-point.
        """
        messages = gradients.detach()
        if not messages.is_floating_point():
            raise ValueError(f"gradients must be floating-point, got {messages.dtype}")
        read = log_and_sign(messages) if self.preprocess else messages[..., None]  # [..., 2 or 1]
        return self.last(self.layers(read)).squeeze(-1)


def augmented(slow: Tensor, fast: Tensor) -> Tensor:
    """Layer augmentation: both branches pass their own ReLU, then they are added (Munkhdalai and Yu 2017, section 3.3).

    Not the same as one layer whose weights are the sums, ReLU(slow + fast): there one branch can silence the other.

    Args:
        slow: what the slow weights give [...], before the ReLU.
        fast: what the fast weights give, of the same shape.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> augmented(torch.tensor([2.0]), torch.tensor([-3.0]))
        tensor([2.])
    """
    if slow.shape != fast.shape:
        raise ValueError(f"both branches need one shape, got {[*slow.shape]} and {[*fast.shape]}")
    return slow.relu() + fast.relu()
