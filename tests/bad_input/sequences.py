"""Sequences, the networks that read them, and the learner around those."""

from __future__ import annotations

import math

import torch
from bad_input.cases import Refused, Right
from helpers import numbered_classes
from torch import nn

from fslbook import Episode, SequenceLearner, SequenceSampler
from fslbook.evaluation import accuracy_by_instance
from fslbook.methods.memory.sequence_learner import reading_order
from fslbook.networks.readers import FeedForwardReader, LSTMReader, MemoryReader
from fslbook.tasks.sequences import LabelledSequence

WHOLE = "must be a whole number of at least"
X, Y = torch.rand(2, 4, 8), torch.tensor([[0, 1, 0, 1], [1, 0, 0, 1]])
SEQUENCE = LabelledSequence(X, Y, 2)
CLASSES = numbered_classes([4] * 3)


def learner(n_features: int = 8, n_labels: int = 2) -> SequenceLearner:
    return SequenceLearner(nn.Identity(), LSTMReader(n_features + n_labels, 4), n_labels)


def diverged() -> SequenceLearner:
    method = learner(2)
    nn.init.constant_(method.output.bias, math.nan)
    return method


ROWS: dict[str, Refused | Right] = {
    "labels of another length": Refused(lambda: LabelledSequence(X, Y[:, :3], 2), r"x \[B, T, ...\] and y \[B, T\]"),
    "labels without sequences": Refused(lambda: LabelledSequence(X[0], Y[0], 2), r"x \[B, T, ...\] and y \[B, T\]"),
    "labels as numbers": Refused(
        lambda: LabelledSequence(X, Y.float(), 2), "labels y must be int64, got torch.float32"
    ),
    "a label too large": Refused(lambda: LabelledSequence(X, Y, 1), r"labels must lie in 0..0, got 0..1"),
    "a label below 0": Refused(lambda: LabelledSequence(X, Y - 1, 2), r"labels must lie in 0..1, got -1..0"),
    "no steps": Right(lambda: LabelledSequence(X[:, :0], Y[:, :0], 2).instances.shape == (2, 0)),
    "sampler, no classes": Refused(lambda: SequenceSampler(X), "classes must be ImageClasses"),
    "sampler, one class": Refused(lambda: SequenceSampler(CLASSES, 1, 2), f"n_way {WHOLE} 2, got 1"),
    "sampler, more classes than there are": Refused(lambda: SequenceSampler(CLASSES, 5, 2), "5-way needs 5 classes"),
    "sampler, each class once": Refused(lambda: SequenceSampler(CLASSES, 2, 1), f"n_each {WHOLE} 2, got 1"),
    "sampler, half images": Refused(lambda: SequenceSampler(CLASSES, 2, 2.5), f"n_each {WHOLE} 2, got 2.5"),
    "sampler, more images than there are": Refused(lambda: SequenceSampler(CLASSES, 2, 5), "need 5 images a class"),
    "sampler, no batch": Refused(lambda: SequenceSampler(CLASSES, 2, 2).sample(0), f"batch_size {WHOLE} 1, got 0"),
    "sampler, negative seed": Refused(lambda: SequenceSampler(CLASSES, 2, 2, seed=-1), f"seed {WHOLE} 0, got -1"),
    "reader, no inputs": Refused(lambda: FeedForwardReader(0), f"n_inputs {WHOLE} 1, got 0"),
    "reader, no hidden units": Refused(lambda: LSTMReader(3, 0), f"n_hidden {WHOLE} 1, got 0"),
    "memory, no rows": Refused(lambda: MemoryReader(3, 4, n_rows=0), f"n_rows {WHOLE} 1, got 0"),
    "memory, no width": Refused(lambda: MemoryReader(3, 4, width=0), f"width {WHOLE} 1, got 0"),
    "memory, no heads": Refused(lambda: MemoryReader(3, 4, n_heads=0), f"n_heads {WHOLE} 1, got 0"),
    "memory, more heads than rows": Refused(lambda: MemoryReader(3, 4, n_rows=2, n_heads=3), "3 heads, 2 rows"),
    "learner, a class": Refused(lambda: SequenceLearner(nn.Identity, LSTMReader(3)), "encoder must be a", TypeError),
    "learner, no reader": Refused(lambda: SequenceLearner(nn.Identity(), 3), "reader must be a torch", TypeError),
    "learner, a module that reads nothing": Refused(
        lambda: SequenceLearner(nn.Identity(), nn.Linear(3, 3)), "reader must read step by step.*got Linear", TypeError
    ),
    "learner, one label": Refused(lambda: learner(n_labels=1), f"n_labels {WHOLE} 2, got 1"),
    "learner, more classes than labels": Refused(
        lambda: learner().answers(LabelledSequence(X, Y, 3)), "this network has 2 labels, the task has 3 classes"
    ),
    "learner, fewer classes than labels": Right(lambda: learner(n_labels=9).answers(SEQUENCE).shape == (2, 4, 2)),
    "learner, other features": Refused(
        lambda: learner(n_features=7).answers(SEQUENCE), "features of 8 and 2 labels do not fit a reader of 9 inputs"
    ),
    "learner, a tensor": Refused(lambda: learner().loss(X), "takes an Episode", TypeError),
    "learner, images as a sequence": Refused(
        lambda: learner().answers(X), "takes a LabelledSequence, got T", TypeError
    ),
    "order of a support, below 0": Refused(lambda: reading_order(-1), f"n_support {WHOLE} 0, got -1"),
    "order of a support, none": Right(lambda: reading_order(0) == []),
    "learner, no query": Right(lambda: learner()(Episode(X, Y, X[:, :0], None, 2)).shape == (2, 0, 2)),
}
ROWS |= {
    "instances, one sequence": Refused(
        lambda: accuracy_by_instance(learner(2), SequenceSampler(CLASSES, 2, 2), 1), f"n_sequences {WHOLE} 2, got 1"
    ),
    "instances, a method without answers": Refused(
        lambda: accuracy_by_instance(nn.Identity(), SequenceSampler(CLASSES, 2, 2)), "must have answers.*got Identity"
    ),
    "instances, answers that are NaN": Refused(
        lambda: accuracy_by_instance(diverged(), SequenceSampler(CLASSES, 2, 2), 3), "answered with NaN"
    ),
    "instances, fewer than drawn at once": Right(
        lambda: accuracy_by_instance(learner(2), SequenceSampler(CLASSES, 2, 2), 3).shape == (3, 2)
    ),
}
ROWS |= {
    f"memory, decay {value}": Refused(lambda value=value: MemoryReader(3, 4, decay=value), "decay must lie in 0..1")
    for value in (-0.1, 1.1, math.nan)
}
ROWS |= {
    f"memory, sharpness {value}": Refused(lambda value=value: MemoryReader(3, 4, sharpness=value), "sharpness must")
    for value in (0, -1.0, math.nan, math.inf)
}
