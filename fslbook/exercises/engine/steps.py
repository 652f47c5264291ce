"""Inner steps as the oracles of chapters 8 and 9 take them, with the flaws that they recognise."""

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
    """Gradient of the loss on x and y with respect to the weights."""
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
    """One inner step; `slope` may distort the gradients."""
    slopes = slopes_of(network, weights, x, y, loss)
    return {name: w - inner_lr * slope(slopes[name]) for name, w in weights.items()}


def through(new: Weights, network: nn.Module, weights: Weights, *rest: object) -> dict[str, Any]:
    """A probe: the new weights, and what comes back through them to the old ones."""
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
    """Mean over tasks of the query loss after adapting, by MAML or by one of its flawed relatives."""
    start = own_weights(network)
    if flaw == "copy":
        start = {name: w.detach().clone() for name, w in start.items()}
    losses, weights = [], start
    for sx, sy, qx, qy in zip(support_x, support_y, query_x, query_y, strict=True):
        weights = weights if flaw == "carries on" else start
        for _ in range(1 if flaw == "one step" else steps):
            distort = torch.detach if flaw == "constant" else torch.clone
            weights = step(network, weights, sx, sy, inner_lr, slope=distort, loss=loss)
        x, y = (sx, sy) if flaw == "support" else (qx, qy)
        losses.append(loss(functional_call(network, start if flaw == "unused" else weights, (x,)), y))
    return torch.stack(losses).sum() if flaw == "sum" else torch.stack(losses).mean()
