"""Methods: how they are made, and what they are asked."""

from __future__ import annotations

import math
from typing import Any

import torch
from bad_input.cases import Refused, Right
from torch import nn
from torch.nn import functional as F

from fslbook import (
    MAML,
    Conv4,
    Episode,
    MatchingNetwork,
    MetaSGD,
    NearestNeighbour,
    OneQueryAtATime,
    PrototypicalNetwork,
    RelationNetwork,
    Reptile,
    SiameseNetwork,
)
from fslbook.networks import RelationModule

X, Y = torch.rand(1, 6, 4), torch.tensor([[0, 0, 1, 1, 2, 2]])
VECTORS = Episode(X, Y, X, Y, n_way=3)
IMAGES = Episode(torch.rand(1, 6, 1, 28, 28), Y, torch.rand(1, 6, 1, 28, 28), Y, n_way=3)


def net(outputs: int = 3) -> nn.Module:
    return nn.Sequential(nn.Linear(4, outputs))


def frozen() -> nn.Module:
    return net().requires_grad_(False)


NOT_POSITIVE: dict[str, Any] = {"zero": 0, "negative": -1.0, "NaN": math.nan, "infinite": math.inf, "text": "1"}
NOT_POSITIVE |= {"None": None, "True": True, "a list": [1.0]}
MADE: dict[str, Any] = {
    "MatchingNetwork, scale": lambda v: MatchingNetwork(net(), scale=v),
    "SiameseNetwork, margin": lambda v: SiameseNetwork(net(), margin=v),
    "MAML, inner_lr": lambda v: MAML(net(), v),
    "MetaSGD, inner_lr": lambda v: MetaSGD(net(), v),
    "Reptile, inner_lr": lambda v: Reptile(net(), v),
}
ROWS: dict[str, Refused | Right] = {
    f"{name} is {kind}": Refused(lambda make=make, v=v: make(v), f"{name.split(', ')[1]} must be (positive|finite)")
    for name, make in MADE.items()
    for kind, v in NOT_POSITIVE.items()
}
COUNTED: dict[str, Any] = {
    "MAML, inner_steps": lambda v: MAML(net(), 0.1, v),
    "Reptile, inner_steps": lambda v: Reptile(net(), 0.1, v),
    "Reptile, inner_batch": lambda v: Reptile(net(), inner_batch=v),
    "Reptile, test_batch": lambda v: Reptile(net(), test_batch=v),
    "SiameseNetwork, n_features": lambda v: SiameseNetwork(net(), "cross-entropy", n_features=v),
}
ROWS |= {
    f"{name} is {v!r}": Refused(lambda make=make, v=v: make(v), f"{name.split(', ')[1]} must be a whole number")
    for name, make in COUNTED.items()
    for v in (0, -1, 1.5, "2", None, True)
}
ENCODED: dict[str, Any] = {
    "PrototypicalNetwork": PrototypicalNetwork,
    "MatchingNetwork": MatchingNetwork,
    "SiameseNetwork": SiameseNetwork,
    "NearestNeighbour": NearestNeighbour,
    "RelationNetwork": lambda encoder: RelationNetwork(encoder, RelationModule(4)),
    "MAML": MAML,
    "Reptile": Reptile,
    "OneQueryAtATime": OneQueryAtATime,
}
ROWS |= {
    f"{name} over {kind}": Refused(
        lambda make=make, v=v: make(v), r"must be a (torch.nn.M|m)odule", (TypeError, ValueError)
    )
    for name, make in ENCODED.items()
    for kind, v in {"a class": Conv4, "a number": 3, "a function": torch.relu, "a list": [net()]}.items()
}
ROWS |= {
    "SiameseNetwork, unknown loss": Refused(lambda: SiameseNetwork(net(), "hinge"), "unknown loss 'hinge'; known are"),
    "SiameseNetwork, other features": Refused(
        lambda: SiameseNetwork(net(), "cross-entropy")(VECTORS), r"say SiameseNetwork\(n_features=3\)"
    ),
    "SiameseNetwork, one class": Refused(
        lambda: SiameseNetwork(net()).loss(Episode(X, Y * 0, X, Y * 0, n_way=1)),
        "at least 2 classes, the episode",
    ),
    "RelationNetwork over vectors": Refused(
        lambda: RelationNetwork(net(), RelationModule(4))(VECTORS), "compares maps .*such as RelationEncoder"
    ),
    "PrototypicalNetwork over colour": Refused(
        lambda: PrototypicalNetwork(Conv4(3, 4))(IMAGES), r"Conv4 needs images \[M, 3, H, W\]"
    ),
    "an encoder that drops images": Refused(
        lambda: PrototypicalNetwork(_First())(VECTORS), r"must give features \[12, ...\], got"
    ),
    "MAML, nothing to adapt": Refused(lambda: MAML(frozen()), "has no trainable parameters that could adapt"),
    "MAML, adapted names that do not exist": Refused(lambda: MAML(net(), adapted=("tail",)), "choose `adapted` from"),
    "MAML, unknown form": Refused(lambda: MAML(net(), form="map"), "unknown form 'map'; known are"),
    "MAML, a sum as loss": Refused(
        lambda: MAML(net(), loss=nn.CrossEntropyLoss(reduction="sum")), "the loss must be one number, a mean"
    ),
    "MAML, a loss per image": Refused(
        lambda: MAML(net(), loss=nn.CrossEntropyLoss(reduction="none")).loss(VECTORS), "the loss must be one number"
    ),
    "MAML, no function as loss": Refused(lambda: MAML(net(), loss="mse"), "loss must be a function", TypeError),
    "MAML, negative test steps": Refused(lambda: MAML(net(), test_steps=-1), "test_steps must be a whole number"),
    "MAML, five outputs in three ways": Refused(lambda: MAML(net(5))(VECTORS), r"outputs \[M, n_way\] = \[6, 3\]"),
    "MAML, one output and labels": Refused(
        lambda: MAML(net(1)).loss(Episode(X, X[..., :1], X, X[..., :1], n_way=1)), "cross-entropy over one output"
    ),
    "MAML, running statistics under vmap": Refused(
        lambda: MAML(nn.Sequential(net(), nn.BatchNorm1d(3)), form="vmap"), "keeps running statistics"
    ),
    "MAML, an inner rate that explodes": Refused(
        lambda: MAML(_deep(), 1e30, 5).loss(VECTORS), "support loss is not finite at inner step", FloatingPointError
    ),
    "MAML over numbers": Right(
        lambda: MAML(net(1), loss=F.mse_loss).loss(Episode(X, X[..., :1], X, X[..., :1], n_way=1)).isfinite()
    ),
    "a loss without labels": Refused(
        lambda: PrototypicalNetwork(net()).loss(VECTORS.without_labels()), "no query labels"
    ),
    "an answer without labels": Right(lambda: PrototypicalNetwork(net())(VECTORS.without_labels()).shape == (1, 6, 3)),
}


class _First(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images[:1]


def _deep() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
