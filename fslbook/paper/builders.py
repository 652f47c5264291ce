"""From a recipe to its method, its optimiser and its learning rate schedule."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import LinearLR, LRScheduler, OneCycleLR, StepLR

from fslbook.methods import (
    MAML,
    MatchingNetwork,
    MetaSGD,
    PrototypicalNetwork,
    RelationNetwork,
    Reptile,
    SiameseNetwork,
)
from fslbook.networks.encoders import Conv4, RelationEncoder, conv_classifier
from fslbook.networks.relation import RelationModule
from fslbook.paper.recipes import Recipe


def _network(recipe: Recipe) -> nn.Module:
    return conv_classifier(recipe.n_way, channels=recipe.channels)


def _relation(recipe: Recipe) -> nn.Module:
    return RelationNetwork(RelationEncoder(channels=recipe.channels), RelationModule(recipe.channels))


BUILDERS: dict[str, Callable[[Recipe], nn.Module]] = {
    "siamese": lambda recipe: SiameseNetwork(Conv4(channels=recipe.channels), **recipe.options),
    "prototypical": lambda recipe: PrototypicalNetwork(Conv4(channels=recipe.channels), **recipe.options),
    "matching": lambda recipe: MatchingNetwork(Conv4(channels=recipe.channels), **recipe.options),
    "relation": _relation,
    "maml": lambda recipe: MAML(_network(recipe), **recipe.options),
    "fomaml": lambda recipe: MAML(_network(recipe), **recipe.options, first_order=True),
    "meta-sgd": lambda recipe: MetaSGD(_network(recipe), **recipe.options),
    "anil": lambda recipe: MAML(_network(recipe), **recipe.options, adapted=("head",)),
    "reptile": lambda recipe: Reptile(_network(recipe), **recipe.options),
}


def build(recipe: Recipe) -> nn.Module:
    """The recipe's method, untrained; its weights come from torch's generator."""
    return BUILDERS[recipe.method](recipe)


def optimiser(recipe: Recipe, method: nn.Module) -> tuple[Optimizer, LRScheduler]:
    """The recipe's optimiser and schedule; on a GPU such that a CUDA graph can hold them."""
    parameters = [*method.parameters()]
    on_gpu = parameters[0].is_cuda
    lr = torch.tensor(recipe.lr, device=parameters[0].device) if on_gpu else recipe.lr
    chosen: Optimizer
    if recipe.method == "reptile":
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
