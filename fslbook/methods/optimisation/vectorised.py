"""Whether several tasks' weights can pass through a network at once, by `torch.func.vmap`, and whether they should.

What vmap cannot serve (recurrent layers, fused transformer layers, writing in place, reading a number) is found out by
trying, since no list would stay complete.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from fslbook.methods.optimisation.weights import undisturbed
from fslbook.networks.statistics import keeps_running_statistics


def faster_form(network: nn.Module) -> str:
    """How to adapt to several tasks: "vmap", all at once, or "loop" where that is slower or misses statistics.

    Args:
        network: with parameters.

    Example:
        >>> faster_form(nn.Linear(2, 2)), faster_form(nn.Conv2d(1, 1, 3))  # the second on a CPU
        ('vmap', 'loop')
    """
    on_cpu = next(network.parameters()).device.type == "cpu"
    return "loop" if (on_cpu and _convolves(network)) or keeps_running_statistics(network) else "vmap"


def vmap_trouble(network: nn.Module, image: Tensor, *, shared: bool = False) -> str | None:
    """What keeps vmap from serving the network, in words; None where nothing does.

    Tried on two batches of one image, forwards and backwards. The network's buffers and the random numbers of everybody
    else stay as they are.

    Args:
        network: in the mode in which it will be used.
        image: one input [1, ...].
        shared: whether all batches pass through the same weights; otherwise each has its own.

    Raises:
        Exception: whatever the network itself raises on such an image, without vmap.

    Example:
        >>> vmap_trouble(nn.Linear(4, 2), torch.zeros(1, 4)) is None
        True
    """
    pair = torch.cat([image, image])  # [2, ...]: a batch norm refuses a batch of one
    with undisturbed(network), torch.random.fork_rng([image.device] if image.is_cuda else []), torch.enable_grad():
        try:
            _try_vmap(network, pair, shared)
            return None
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[0].partition(". ")[0]
        functional_call(network, _copies_of_buffers(network), (pair,))  # the fault may be the network's own
    return reason


def _try_vmap(network: nn.Module, pair: Tensor, shared: bool) -> None:
    buffers, weights = _copies_of_buffers(network), {name: p.detach() for name, p in network.named_parameters()}
    if not shared:
        weights = {name: w.expand(2, *w.shape) for name, w in weights.items()}
    leaves = [w.requires_grad_() for w in weights.values()]

    def answer(weights: dict[str, Tensor], images: Tensor) -> Tensor:
        return functional_call(network, buffers | weights, (images,))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # vmap says what it does slowly; the run itself will say it again
        ask = vmap(answer, in_dims=(None if shared else 0, 0), randomness="different")
        outputs = ask(weights, torch.stack([pair, pair]))
    torch.autograd.grad(outputs.sum(), leaves, allow_unused=True)


def _copies_of_buffers(network: nn.Module) -> dict[str, Tensor]:
    return {name: buffer.clone() for name, buffer in network.named_buffers()}


def _convolves(network: nn.Module) -> bool:
    return any(isinstance(module, nn.modules.conv._ConvNd) for module in network.modules())
