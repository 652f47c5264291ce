"""From a recipe to its method, its optimiser and its learning rate schedule."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import LinearLR, LRScheduler, OneCycleLR, StepLR

from fslbook.paper.recipe import Recipe
from fslbook.paper.recipes import METHODS


def build(recipe: Recipe) -> nn.Module:
    """The recipe's method, untrained; its weights come from torch's generator.

    Example:
        >>> from fslbook.paper.recipes import quick, recipe_named
        >>> type(build(quick(recipe_named("maml-omniglot-5w1s")))).__name__
        'MAML'
    """
    return METHODS[recipe.method].build(recipe)


def optimiser(recipe: Recipe, method: nn.Module) -> tuple[Optimizer, LRScheduler]:
    """The recipe's optimiser and schedule; on a GPU such that a CUDA graph can hold them.

    Example:
        >>> from fslbook.paper.recipes import quick, recipe_named
        >>> recipe = quick(recipe_named("reptile-omniglot-5w1s"))
        >>> [type(part).__name__ for part in optimiser(recipe, build(recipe))]
        ['SGD', 'LinearLR']
    """
    parameters = [*method.parameters()]
    on_gpu = parameters[0].is_cuda
    lr = torch.tensor(recipe.lr, device=parameters[0].device) if on_gpu else recipe.lr
    chosen: Optimizer
    if METHODS[recipe.method].outer == "sgd":
        chosen = SGD(parameters, lr=lr, fused=on_gpu)
    else:
        chosen = Adam(parameters, lr=lr, capturable=on_gpu)
    return chosen, SCHEDULES[recipe.schedule](chosen, recipe)


SCHEDULES: dict[str, Callable[[Optimizer, Recipe], LRScheduler]] = {
    "halve": lambda optimizer, recipe: StepLR(optimizer, max(1, recipe.steps // 4), 0.5),
    "one-cycle": lambda optimizer, recipe: OneCycleLR(
        optimizer, recipe.lr, total_steps=recipe.steps + 1, cycle_momentum=False
    ),
    "linear": lambda optimizer, recipe: LinearLR(optimizer, 1.0, 0.0, total_iters=recipe.steps),
}
