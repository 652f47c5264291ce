"""The learned optimiser: how it is made, and what it is asked."""

from __future__ import annotations

import math
from typing import Any

import torch
from bad_input.cases import Refused, Right
from torch import nn

from fslbook import Episode, LearnedOptimiser
from fslbook.networks.gate_cell import GateCell

X, Y = torch.rand(1, 3, 4), torch.tensor([[0, 1, 2]])
FOUR = Episode(torch.rand(1, 4, 4), torch.tensor([[0, 1, 2, 3]]), X, None, n_way=4)


def learner(**settings: Any) -> LearnedOptimiser:
    return LearnedOptimiser(nn.Linear(4, 3), **settings)


RATES: dict[str, Any] = {"zero": 0, "negative": -1.0, "NaN": math.nan, "infinite": math.inf, "text": "1", "None": None}
COUNTS: dict[str, Any] = {"zero": 0, "half": 1.5, "text": "2", "None": None}
ROWS: dict[str, Refused | Right] = {
    "start_lr is one": Refused(lambda: learner(start_lr=1.0), "start_lr must be below 1, .* got 1.0"),
    "a network that is none": Refused(lambda: LearnedOptimiser(torch.sin), "network", TypeError),
    "a frozen network": Refused(lambda: LearnedOptimiser(nn.Linear(4, 3).requires_grad_(False)), "no trainable"),
    "an episode that is none": Refused(lambda: learner()(X), "takes an Episode, got Tensor", TypeError),
    "too few outputs": Refused(lambda: learner()(FOUR), "must give outputs"),
    "labels too large": Refused(lambda: learner().adapt(X[0], Y[0] + 1, n_way=3), "labels must be in 0..2, found 1..3"),
    "no step to look at": Refused(lambda: learner().gates(X[0], Y[0], steps=0), "steps must be at least 1"),
    "steps below zero": Refused(lambda: learner().adapt(X[0], Y[0], -1), "steps must be a whole number of at least 0"),
    "a gradient of zero": Right(lambda: bool(learner()(Episode(0 * X, Y, X, None, n_way=3)).isfinite().all())),
    "fewer losses than weights in the cell": Refused(
        lambda: (cell := GateCell())(X[0, 0], X[0, 0, :3], X[0, 0], cell.start(X[0, 0])), r"got \[4\], \[3\], \[4\]"
    ),
    "no units in the cell": Refused(lambda: GateCell(0), "n_hidden must be a whole number of at least 1, got 0"),
}
ROWS |= {
    f"start_lr is {kind}": Refused(lambda v=v: learner(start_lr=v), "start_lr must be (positive|finite)")
    for kind, v in RATES.items()
}
ROWS |= {
    f"{name} is {kind}": Refused(lambda name=name, v=v: learner(**{name: v}), f"{name} must be a whole number")
    for name in ("inner_steps", "n_hidden")
    for kind, v in COUNTS.items()
}
