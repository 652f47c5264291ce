"""Learners that are networks: attention, the learner in context, and bursty sequences."""

from __future__ import annotations

import math

import torch
from bad_input.cases import Refused, Right
from helpers import numbered_classes
from torch import nn

from fslbook import Episode, InContextLearner
from fslbook.networks.attention import AttentionLayer, LinearAttention, PairTransformer
from fslbook.tasks import BurstySampler

WHOLE = "must be a whole number of at least"
X, Y = torch.rand(1, 3, 8), torch.tensor([[0, 1, 2]])
TASK = Episode(X, Y, X, None, 3)
ONE_HOT = torch.eye(3)[None]
CLASSES = numbered_classes([3] * 10)


def learner(n_features: int = 8, n_labels: int = 3) -> InContextLearner:
    return InContextLearner(nn.Identity(), n_features, n_labels, width=4, n_heads=2, n_layers=1)


ROWS: dict[str, Refused | Right] = {
    "in context, a class": Refused(lambda: InContextLearner(nn.Identity), "encoder must be a module", TypeError),
    "in context, one label": Refused(lambda: learner(n_labels=1), f"n_labels {WHOLE} 2, got 1"),
    "in context, no features": Refused(lambda: learner(0), f"n_features {WHOLE} 1, got 0"),
    "in context, more classes than labels": Refused(
        lambda: learner(n_labels=2)(TASK), "this network has 2 labels, the episode has 3 classes"
    ),
    "in context, fewer classes than labels": Right(lambda: learner(n_labels=9)(TASK).shape == (1, 3, 3)),
    "in context, other features": Refused(lambda: learner(7)(TASK), "must be 7, 3 and 7 long, got 8, 3 and 8"),
    "in context, images": Refused(lambda: learner()(X), "InContextLearner takes an Episode, got Tensor", TypeError),
    "in context, no query": Right(lambda: learner()(Episode(X, Y, X[:, :0], None, 3)).shape == (1, 0, 3)),
    "attention, no width": Refused(lambda: AttentionLayer(0), f"width {WHOLE} 1, got 0"),
    "attention, no heads": Refused(lambda: AttentionLayer(4, 0), f"n_heads {WHOLE} 1, got 0"),
    "attention, other tokens": Refused(lambda: AttentionLayer(4, 2)(X, X), "must be 4 long, got 8 and 8"),
    "attention, the weights of other tokens": Refused(
        lambda: AttentionLayer(8, 2).weights(X, X[..., :3]), "must be 8 long, got 8 and 3"
    ),
    "attention, heads that do not divide": Refused(lambda: AttentionLayer(4, 3), "n_heads must divide the width"),
    "transformer, no labels": Refused(lambda: PairTransformer(8, 0), f"n_labels {WHOLE} 1, got 0"),
    "transformer, no layers": Refused(lambda: PairTransformer(8, 3, n_layers=0), f"n_layers {WHOLE} 1, got 0"),
    "transformer, other queries": Refused(
        lambda: PairTransformer(8, 3)(X, ONE_HOT, X[..., :5]), "must be 8, 3 and 8 long, got 8, 3 and 5"
    ),
    "transformer, other labels": Refused(lambda: PairTransformer(8, 4)(X, ONE_HOT, X), "got 8, 3 and 8"),
    "linear attention, no inputs": Refused(lambda: LinearAttention(0), f"n_inputs {WHOLE} 1, got 0"),
    "linear attention, no targets": Refused(lambda: LinearAttention(8, 0), f"n_targets {WHOLE} 1, got 0"),
    "linear attention, other targets": Refused(lambda: LinearAttention(8, 2)(X, ONE_HOT, X), "must be 8, 2 and 8 long"),
}
ROWS |= {
    f"linear attention, step of {lr}": Refused(lambda lr=lr: LinearAttention(2).gradient_step(lr), "lr must be")
    for lr in (0, -1.0, math.nan, math.inf, "1", None)
}
ROWS |= {
    "bursty, share above 1": Refused(lambda: BurstySampler(CLASSES, 1.5), r"p_bursty must lie in 0..1, got 1.5"),
    "bursty, share below 0": Refused(lambda: BurstySampler(CLASSES, -0.1), r"p_bursty must lie in 0..1, got -0.1"),
    "bursty, share is NaN": Refused(lambda: BurstySampler(CLASSES, math.nan), "p_bursty must lie in 0..1, got nan"),
    "bursty, share in words": Refused(lambda: BurstySampler(CLASSES, "all"), "p_bursty must lie in 0..1, got 'all'"),
    "bursty, share is a truth": Refused(lambda: BurstySampler(CLASSES, True), "p_bursty must lie in 0..1, got True"),
    "bursty, nine classes": Refused(
        lambda: BurstySampler(CLASSES.select(list(range(9))), 1.0), "at least 10 classes, got 9 classes"
    ),
    "bursty, images alone": Refused(lambda: BurstySampler(X, 1.0), "must be ImageClasses .* got Tensor"),
    "bursty, no sequences": Refused(lambda: BurstySampler(CLASSES, 1.0).sample(0), f"batch_size {WHOLE} 1"),
    "bursty, labels of no sequences": Refused(
        lambda: BurstySampler(CLASSES, 1.0).sample_labels(-1), f"batch_size {WHOLE} 1"
    ),
    "bursty, seed of a half": Refused(lambda: BurstySampler(CLASSES, 1.0, seed=0.5), f"seed {WHOLE} 0"),
}
