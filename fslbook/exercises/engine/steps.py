"""Inner steps as the oracles of chapters 9 and 10 take them, with the flaws that they recognise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch.nn import functional as F

from fslbook.exercises.engine.inputs import LossFunction, Weights, gradients, own_weights, uneven_sum


def slopes_of(
    network: nn.Module, weights: Weights, x: Tensor, y: Tensor, loss: LossFunction = F.cross_entropy
) -> Weights:
    """Gradient of the loss on x and y with respect to the weights.

    Args:
        network: takes x with the weights in place of its own.
        weights: by name.
        x: inputs [S, ...].
        y: labels [S], or targets that fit the outputs.
        loss: of outputs and y, one number.

    Returns:
        For each weight a tensor of its shape.

    Example:
        >>> layer, zeros = nn.Linear(1, 1), {"weight": torch.zeros(1, 1), "bias": torch.zeros(1)}
        >>> slopes_of(layer, zeros, torch.ones(2, 1), torch.ones(2, 1), F.mse_loss)["bias"]
        tensor([-2.])
    """
    return grad(lambda w: loss(functional_call(network, w, (x,)), y))(weights)


def step(
    network: nn.Module,
    weights: Weights,
    x: Tensor,
    y: Tensor,
    inner_lr: float,
    *,
    slope: Callable[[Tensor], Tensor] = lambda g: g,
    loss: LossFunction = F.cross_entropy,
) -> Weights:
    """One inner step, w − α ∇L(w), as in Finn, Abbeel and Levine (2017), equation 1.

    Args:
        network: takes x with the weights in place of its own.
        weights: by name.
        x: inputs [S, ...].
        y: labels [S], or targets that fit the outputs.
        inner_lr: α.
        slope: may distort the gradient of a weight.
        loss: of outputs and y, one number.

    Returns:
        The new weights, by name, with the history of the step.

    Example:
        >>> layer, zeros = nn.Linear(1, 1), {"weight": torch.zeros(1, 1), "bias": torch.zeros(1)}
        >>> step(layer, zeros, torch.ones(2, 1), torch.ones(2, 1), 0.5, loss=F.mse_loss)["bias"].item()
        1.0
    """
    slopes = slopes_of(network, weights, x, y, loss)
    return {name: w - inner_lr * slope(slopes[name]) for name, w in weights.items()}


def walk(network: nn.Module, x: Tensor, y: Tensor, inner_lr: float, steps: int, loss: LossFunction) -> Weights:
    """Inner steps from the network's own weights, without a history.

    Args:
        network: its own weights are the start.
        x: inputs [S, ...].
        y: labels [S], or targets that fit the outputs.
        inner_lr: α.
        steps: how many.
        loss: of outputs and y, one number.

    Returns:
        The weights at the end, by name.

    Example:
        >>> layer, x = nn.Linear(1, 1), torch.ones(2, 1)
        >>> walk(layer, x, layer(x).detach(), 0.5, 3, F.mse_loss)["bias"].equal(layer.bias)
        True
    """
    weights: Weights = {name: w.detach() for name, w in network.named_parameters()}
    for _ in range(steps):
        weights = step(network, weights, x, y, inner_lr, loss=loss)
    return weights


def through(new: Weights, network: nn.Module, weights: Weights, *rest: object) -> dict[str, Any]:
    """A probe: the new weights, and what comes back through them to the old ones.

    Args:
        new: weights by name, computed from the old ones.
        network: not needed.
        weights: the old ones.
        *rest: not needed.

    Example:
        >>> old = {"w": torch.ones(1, requires_grad=True)}
        >>> through({"w": 3 * old["w"]}, nn.Identity(), old)["gradient through the step"]
        {'w': tensor([1.5000])}
    """
    total = torch.stack([uneven_sum(w) for w in new.values()]).sum()
    found = dict(zip(weights, gradients(total, weights.values()), strict=True))
    return {"new weights": new, "gradient through the step": found}


def maml_loss(
    network: nn.Module,
    support_x: Tensor,
    support_y: Tensor,
    query_x: Tensor,
    query_y: Tensor,
    inner_lr: float,
    steps: int,
    loss: LossFunction,
    *,
    flaw: str = "",
) -> Tensor:
    """Mean over tasks of the query loss after adapting, by MAML or by one of its flawed relatives.

    Finn, Abbeel and Levine (2017), algorithm 2.

    Args:
        network: its own weights are the start.
        support_x: inputs [B, S, ...].
        support_y: labels [B, S], or targets that fit the outputs.
        query_x: inputs [B, Q, ...].
        query_y: labels [B, Q], or targets that fit the outputs.
        inner_lr: α.
        steps: inner steps.
        loss: of outputs and targets, one number.
        flaw: "" for MAML; "constant", "copy", "carries on", "last only", "one step", "support", "unused" or "sum" for
            what people do instead.

    Returns:
        One number, shape [].

    Example:
        >>> x, layer = torch.ones(3, 2, 1), nn.Linear(1, 1)
        >>> maml_loss(layer, x, x, x, x, 0.1, 1, F.mse_loss).shape
        torch.Size([])
    """
    start = own_weights(network)
    if flaw == "copy":
        start = {name: w.detach().clone() for name, w in start.items()}
    losses, weights = [], start
    for sx, sy, qx, qy in zip(support_x, support_y, query_x, query_y, strict=True):
        weights = weights if flaw == "carries on" else start
        for i in range(1 if flaw == "one step" else steps):
            constant = flaw == "constant" or (flaw == "last only" and i < steps - 1)
            distort = torch.detach if constant else torch.clone
            weights = step(network, weights, sx, sy, inner_lr, slope=distort, loss=loss)
        x, y = (sx, sy) if flaw == "support" else (qx, qy)
        losses.append(loss(functional_call(network, start if flaw == "unused" else weights, (x,)), y))
    return torch.stack(losses).sum() if flaw == "sum" else torch.stack(losses).mean()
