"""Small losses and networks that the checks of chapters 8 to 10 hand to a learner's function."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

import torch
from torch import Generator, Tensor, nn

Weights = dict[str, Tensor]
LossFunction = Callable[[Tensor, Tensor], Tensor]


class CurveLoss(nn.Module):
    """Mean squared error of a network on 6 points, as a function of the vector of its 3H + 1 weights.

    Args:
        generator: draws the points.
        hidden: width H.

    Example:
        >>> CurveLoss(torch.Generator())(torch.zeros(10)).shape
        torch.Size([])
    """

    x: Tensor
    y: Tensor

    def __init__(self, generator: Generator, hidden: int = 3) -> None:
        super().__init__()
        self.hidden = hidden
        self.register_buffer("x", 2 * torch.rand(6, 1, generator=generator) - 1)
        self.register_buffer("y", torch.randn(6, generator=generator))

    def forward(self, theta: Tensor) -> Tensor:
        """Weights [3H + 1] to one number."""
        w1, b1, w2, b2 = theta.split([*[self.hidden] * 3, 1])
        outputs = (self.x * w1 + b1).tanh() @ w2 + b2  # [6]
        return (outputs - self.y).square().mean()


def small_network(generator: Generator) -> nn.Sequential:
    """Three features to three outputs, with parameters body.weight, body.bias, head.weight, head.bias.

    Args:
        generator: draws the weights.

    Example:
        >>> small_network(torch.Generator())(torch.zeros(5, 3)).shape
        torch.Size([5, 3])
    """
    body, head = nn.utils.skip_init(nn.Linear, 3, 4), nn.utils.skip_init(nn.Linear, 4, 3)
    network = nn.Sequential(OrderedDict(body=body, tanh=nn.Tanh(), head=head))
    for weight in network.parameters():
        weight.data = torch.randn(weight.shape, generator=generator) / 2
    return network


def batch_norm_network(generator: Generator) -> nn.Sequential:
    """Images [Q, 1, 4, 4] to four outputs; it normalises by the statistics of its batch.

    Args:
        generator: draws the weights.

    Example:
        >>> batch_norm_network(torch.Generator())(torch.rand(5, 1, 4, 4)).shape
        torch.Size([5, 4])
    """
    norm = nn.BatchNorm2d(3, track_running_stats=False)
    layers = nn.utils.skip_init(nn.Conv2d, 1, 3, 3), norm, nn.Flatten(), nn.utils.skip_init(nn.Linear, 12, 4)
    network = nn.Sequential(*layers)
    for weight in network.parameters():
        weight.data = torch.randn(weight.shape, generator=generator)
    return network


def own_weights(network: nn.Module) -> Weights:
    """The parameters of the network by name; themselves, not copies.

    Args:
        network: any.

    Example:
        >>> list(own_weights(nn.Linear(3, 2)))
        ['weight', 'bias']
    """
    weights: Weights = {}
    weights.update(network.named_parameters())
    return weights


def other_weights(network: nn.Module, generator: Generator, n_tasks: int | None = None) -> Weights:
    """Weights that fit the network and are not its own.

    Args:
        network: any.
        generator: draws the weights.
        n_tasks: size of a first dimension, one entry for each task; without it there is none.

    Example:
        >>> other_weights(nn.Linear(3, 2), torch.Generator(), n_tasks=4)["weight"].shape
        torch.Size([4, 2, 3])
    """
    size = () if n_tasks is None else (n_tasks,)
    return {n: torch.randn(size + w.shape, generator=generator) / 2 for n, w in network.named_parameters()}


def images_and_labels(generator: Generator, *shape: int) -> tuple[Tensor, Tensor]:
    """Features [..., 3] and labels [...] in 0..2.

    Args:
        generator: draws both.
        *shape: what stands for the dots.

    Example:
        >>> [x.shape for x in images_and_labels(torch.Generator(), 4, 6)]
        [torch.Size([4, 6, 3]), torch.Size([4, 6])]
    """
    return torch.randn(*shape, 3, generator=generator), torch.randint(0, 3, shape, generator=generator)


def gradients(value: Tensor, inputs: Iterable[Tensor]) -> list[Tensor]:
    """Gradient of `value` with respect to each input; zeros where none arrives.

    Args:
        value: one number, shape [].
        inputs: tensors of any shape [...].

    Returns:
        One tensor for each input, of its shape.

    Example:
        >>> x, y = torch.ones(2, requires_grad=True), torch.ones(1, requires_grad=True)
        >>> gradients((3 * x).sum(), [x, y])
        [tensor([3., 3.]), tensor([0.])]
    """
    found = [*inputs]
    if not value.requires_grad:
        return [torch.zeros_like(x) for x in found]
    return [g.detach() for g in torch.autograd.grad(value, found, materialize_grads=True)]


def uneven_sum(x: Tensor) -> Tensor:
    """A sum in which every entry counts differently, so that no error can hide in its gradient.

    Args:
        x: any shape [...], at least one entry.

    Returns:
        One number, shape [].

    Example:
        >>> uneven_sum(torch.tensor([1.0, 2.0]))
        tensor(3.5000)
    """
    return (x.flatten() * torch.linspace(0.5, 1.5, x.numel()).to(x)).sum()
