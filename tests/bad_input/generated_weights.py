"""Networks that write weights: what they are given."""

from __future__ import annotations

import torch
from bad_input.cases import Refused, Right
from torch import nn

from fslbook import Episode
from fslbook.methods.memory.hypernetwork import HyperNetwork
from fslbook.methods.memory.meta_networks import MetaNetwork, layer_gradients
from fslbook.networks.fast_weights import WeightWriter, augmented, log_and_sign

X, Y = torch.rand(1, 3, 4), torch.tensor([[0, 1, 2]])
TASK = Episode(X, Y, X, None, 3)
G = torch.rand(3)

ROWS: dict[str, Refused | Right] = {
    "messages, whole numbers": Refused(lambda: log_and_sign(torch.tensor([1])), "floating-point, got torch.int64"),
    "messages, p of 0": Refused(lambda: log_and_sign(G, 0), "p must be positive, got 0"),
    "messages, all zero": Right(lambda: log_and_sign(torch.zeros(3)).tolist() == [[-1.0, 0.0]] * 3),
    "writer, whole numbers": Refused(lambda: WeightWriter(preprocess=False)(torch.tensor([1])), "floating-point, got"),
    "writer, no width": Refused(lambda: WeightWriter(0), "hidden must be a whole number of at least 1, got 0"),
    "augmentation, other shapes": Refused(lambda: augmented(G, G[:1]), r"one shape, got \[3\] and \[1\]"),
    "gradients without a batch": Refused(
        lambda: layer_gradients(X[0], Y[0], nn.Linear(4, 2), nn.Linear(2, 3)), r"need labels .* got \[3, 4\]"
    ),
    "meta network, unknown part": Refused(
        lambda: MetaNetwork(nn.Identity(), without=["memory"]), "no part of a Meta Network: memory; there are task"
    ),
    "meta network, nothing to answer with": Refused(
        lambda: MetaNetwork(nn.Identity(), without=("slow weights", "example weights")),
        "nothing is left to answer",
    ),
    "meta network, a part as text": Right(
        lambda: MetaNetwork(nn.Identity(), without="attention").without == {"attention"}
    ),
    "meta network, one way": Refused(lambda: MetaNetwork(nn.Identity(), n_way=1), "n_way must be .* at least 2, got 1"),
    "meta network, no encoder": Refused(lambda: MetaNetwork(None), "encoder must be", TypeError),
    "meta network, other ways": Refused(lambda: MetaNetwork(nn.Identity(), 4)(TASK), "knows 5-way tasks, got 3-way"),
    "meta network, other features": Refused(
        lambda: MetaNetwork(nn.Identity(), 8, 3)(TASK), "features of length 4, not 8; say n_features"
    ),
    "hypernetwork, other features": Refused(
        lambda: HyperNetwork(nn.Identity(), 8)(TASK), "features of length 4, not 8; say n_features"
    ),
    "hypernetwork, a class": Refused(lambda: HyperNetwork(nn.Identity), "encoder must be a module", TypeError),
    "hypernetwork, no features": Refused(lambda: HyperNetwork(nn.Identity(), 0), "n_features must be a whole number"),
    "hypernetwork, one class": Right(
        lambda: HyperNetwork(nn.Identity(), 4)(Episode(X, 0 * Y, X, None, 1)).shape == (1, 3, 1)
    ),
    "meta network, no features": Refused(lambda: MetaNetwork(nn.Identity(), 0), "n_features must be a whole number"),
    "meta network, no width": Refused(lambda: MetaNetwork(nn.Identity(), hidden=0), "hidden must be a whole number"),
    "meta network, parts as a number": Refused(
        lambda: MetaNetwork(nn.Identity(), without=3), "without must hold names of parts, got 3", TypeError
    ),
    "hypernetwork, no width": Refused(lambda: HyperNetwork(nn.Identity(), hidden=0), "hidden must be a whole number"),
}
