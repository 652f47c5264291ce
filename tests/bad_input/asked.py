"""What the methods are asked: supports that do not fit, odd losses, no queries, inference mode."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from bad_input.cases import Refused, Right
from helpers import regression_episode
from torch import nn
from torch.nn import functional as F

from fslbook import (
    MAML,
    Conv4,
    Episode,
    HyperNetwork,
    InContextLearner,
    LearnedOptimiser,
    MatchingNetwork,
    MetaNetwork,
    MetaSGD,
    NearestNeighbour,
    OneQueryAtATime,
    PrototypicalNetwork,
    QueryWithSupport,
    RelationEncoder,
    RelationNetwork,
    Reptile,
    SequenceLearner,
    SiameseNetwork,
)
from fslbook.networks import RelationModule
from fslbook.networks.readers import FeedForwardReader, LSTMReader, MemoryReader

METRIC = (PrototypicalNetwork, MatchingNetwork, SiameseNetwork, NearestNeighbour)
ADAPTING = (MAML, MetaSGD, Reptile, LearnedOptimiser)
X, Y = torch.rand(1, 3, 1, 8, 8), torch.tensor([[0, 1, 2]])
EPISODE = Episode(X, Y, X, Y, 3)


def network(n_way: int = 3) -> nn.Module:
    return nn.Sequential(nn.Flatten(1), nn.Linear(64, n_way))


def named(kind: type) -> str:
    return kind.__name__


ROWS: dict[str, Refused | Right] = {}
LOSSES: dict[str, tuple[Any, str, type[Exception]]] = {
    "a sum": (partial(F.cross_entropy, reduction="sum"), "a mean over its inputs; take reduction='mean'", ValueError),
    "no reduction": (nn.MSELoss(reduction="none"), "a mean over its inputs; take reduction='mean'", ValueError),
    "a name": ("mse", r"loss must be a function loss\(outputs, targets\), got 'mse'", TypeError),
    "None": (None, "loss must be a function", TypeError),
}
ROWS |= {
    f"{named(kind)}, loss is {name}": Refused(lambda k=kind, e=loss: k(network(), loss=e), says, error)
    for kind in ADAPTING
    for name, (loss, says, error) in LOSSES.items()
}
SUPPORTS: dict[str, tuple[Any, str]] = {
    "bytes": (lambda m: m.adapt((255 * X[0]).byte(), Y[0]), "support inputs are bytes"),
    "more labels than inputs": (lambda m: m.adapt(X[0], torch.tensor([0, 1, 2, 0])), "3 support inputs but 4 targets"),
    "fewer labels than inputs": (lambda m: m.adapt(X[0], Y[0, :2]), "3 support inputs but 2 targets"),
    "a label too large": (lambda m: m.adapt(X[0], torch.tensor([0, 1, 3]), n_way=3), r"in 0\.\.2, found 0\.\.3"),
    "a label below zero": (lambda m: m.adapt(X[0], torch.tensor([0, 1, -100]), n_way=3), "found -100"),
    "minus one step": (lambda m: m.adapt(X[0], Y[0], steps=-1), "steps must be a whole number of at least 0, got -1"),
    "half a step": (lambda m: m.adapt(X[0], Y[0], steps=0.5), "steps must be a whole number of at least 0, got 0.5"),
    "five ways": (lambda m: m.adapt(X[0], Y[0], n_way=5), r"must give outputs \[M, n_way\] = \[\d+, 5\]"),
}
ROWS |= {
    f"{named(kind)}, adapt to {name}": Refused(lambda k=kind, c=call: c(k(network())), says)
    for kind in ADAPTING
    for name, (call, says) in SUPPORTS.items()
}
METHODS: dict[str, nn.Module] = {named(kind): kind(nn.Flatten(1)) for kind in METRIC}
METHODS |= {named(kind): kind(network()).eval() for kind in ADAPTING}
METHODS |= {named(kind): kind(nn.Flatten(1), 64, 3).eval() for kind in (InContextLearner, MetaNetwork, HyperNetwork)}
METHODS |= {
    f"SequenceLearner, {named(kind)}": SequenceLearner(nn.Flatten(1), kind(64 + 3, 4), 3).eval()
    for kind in (FeedForwardReader, LSTMReader, MemoryReader)
}
ROWS |= {
    f"{name}, images in place of an episode": Refused(
        lambda m=method: m(X[0]), "takes an Episode, got Tensor", TypeError
    )
    for name, method in METHODS.items()
}
ROWS |= {
    f"{name}, the loss of an episode without labels": Refused(
        lambda m=method: m.loss(EPISODE.without_labels()), "this episode has no query labels"
    )
    for name, method in METHODS.items()
}
ROWS |= {
    f"{name}, no queries, {named(asked)}": Right(
        lambda m=method, a=asked: a(m)(Episode(X, Y, X[:, :0], None, 3)).shape == (1, 0, 3)
    )
    for name, method in METHODS.items()
    for asked in (nn.Sequential, OneQueryAtATime, QueryWithSupport)
}


def in_inference_mode(method: nn.Module) -> bool:
    """An episode that is made there, and one that is not."""
    with torch.inference_mode():
        made_there = Episode(X + 0, Y + 0, X + 0, None, 3)
        answers = [method(episode) for episode in (made_there, EPISODE)]
    with torch.no_grad():
        return all(torch.allclose(answer, method(EPISODE)) for answer in answers)


ROWS |= {f"{name}, in inference mode": Right(lambda m=method: in_inference_mode(m)) for name, method in METHODS.items()}
ROWS |= {
    "MAML, regression by cross-entropy": Refused(
        lambda: MAML(nn.Linear(4, 1).double())(regression_episode()), "over one output is 0 .* give loss=.*mse_loss"
    ),
    "MAML, targets that broadcast": Refused(
        lambda: MAML(nn.Linear(4, 1), loss=F.mse_loss).adapt(torch.rand(6, 4), torch.rand(6)),
        r"\[6\] do not fit outputs",
    ),
    "MAML, adapted fits nothing": Refused(
        lambda: MAML(network(), adapted="head"), r"choose `adapted` from \['1.weight'"
    ),
    "MAML, adapted fits half": Refused(lambda: MAML(network(), adapted=("1", "head")), "begins with 'head'"),
    "MAML, adapted is a number": Refused(lambda: MAML(network(), adapted=1), "adapted must be beginnings", TypeError),
    "MAML, adapted holds numbers": Refused(lambda: MAML(network(), adapted=[1]), "adapted must be beginn", TypeError),
    "MAML, adapted is one name": Right(lambda: [*MAML(network(), adapted="1.w").initial_weights()] == ["1.weight"]),
    "Relation, module is a class": Refused(
        lambda: RelationNetwork(RelationEncoder(), RelationModule), "got the class RelationModule: call it", TypeError
    ),
    "Relation, vectors": Refused(lambda: RelationNetwork(nn.Flatten(1), RelationModule())(EPISODE), "compares maps"),
    "Relation, no shots": Refused(
        lambda: RelationNetwork(RelationEncoder(), RelationModule(), shots=0), "shots must be a whole number"
    ),
    "Matching, context is a class": Refused(
        lambda: MatchingNetwork(Conv4(), context=nn.Identity), "context must be a module, got the class", TypeError
    ),
    "one query, a class": Refused(lambda: OneQueryAtATime(MAML), "got the class MAML: call it", TypeError),
    "with support, a function": Refused(lambda: QueryWithSupport(len), "method must be a torch.nn.Module", TypeError),
}
