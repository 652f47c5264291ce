"""Unlabelled images: how they are drawn, and what the methods of chapter 13 are given."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from bad_input.cases import Refused, Right
from helpers import numbered_classes
from torch import nn

from fslbook import (
    TIM,
    ClusterSoftKMeans,
    Conv4,
    Episode,
    LabelPropagation,
    MaskedSoftKMeans,
    SelfTraining,
    SoftKMeans,
    Transductive,
    UnlabelledSampler,
)
from fslbook.methods.unlabelled.label_propagation import affinities, propagate, propagate_in_steps
from fslbook.methods.unlabelled.self_training import surest
from fslbook.methods.unlabelled.soft_k_means import weighted_means
from fslbook.methods.unlabelled.tim import tsallis_entropy

CLASSES = numbered_classes([8] * 5)
X, Y = torch.rand(1, 3, 4), torch.tensor([[0, 1, 2]])
TASK = Episode(X, Y, X, None, 3, unlabelled_x=torch.rand(1, 5, 4))
ONE_CLASS = Episode(X, 0 * Y, X, None, 1, unlabelled_x=X)
ONES = torch.ones(1, 2, 2)


def sampler(**settings: Any) -> UnlabelledSampler:
    return UnlabelledSampler(CLASSES, **{"n_way": 3, "n_query": 2, "n_unlabelled": 2, **settings})


class NaN(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images * math.nan


def wrong_counts(name: str) -> dict[str, tuple[Any, str]]:
    least, what = (1, "query") if name == "n_query" else (0, "unlabelled image")
    whole = f"{name} must be a whole number of at least"
    return {
        "less than none": (-1, f"{whole} {least}, got -1"),
        "none for any class": ((0, 0, 0), f"{name} is 0 for all 3 classes: no {what} would be of a class of the task"),
        "too few counts": ((2, 2), f"{name} must be one whole number or 3, one for each class, got 2"),
        "no counts": ((), "one for each class, got 0"),
        "a negative count": ((2, 2, -1), f"{whole} 0, got -1"),
        "half an image": ((2, 1.5, 1), f"{whole} 0, got 1.5"),
        "text": ("2", f"{whole} {least}, got '2'"),
        "None": (None, f"{whole} {least}, got None"),
    }


ROWS: dict[str, Refused | Right] = {
    f"sampler, {name}, {kind}": Refused(lambda name=name, value=value: sampler(**{name: value}), says)
    for name in ("n_query", "n_unlabelled")
    for kind, (value, says) in wrong_counts(name).items()
}
ROWS |= {
    "sampler, distractors alone": Refused(
        lambda: sampler(n_unlabelled=[0, 0, 0], n_distractors=2), "no unlabelled image would be of a class of the task"
    ),
    "sampler, distractors and no count": Refused(
        lambda: sampler(n_unlabelled=0, n_distractors=2), "n_distractors needs unlabelled images of the task beside"
    ),
    "sampler, no query": Refused(lambda: sampler(n_query=0), "n_query must be a whole number of at least 1, got 0"),
    "sampler, more ways than classes": Refused(lambda: sampler(n_way=6), "6-way needs 6 classes, the data set has 5"),
    "sampler, more queries than a class has": Refused(
        lambda: sampler(n_query=9), "support, query and unlabelled need 12 images a class, but class .* has 8"
    ),
    "sampler, fewer labels than a task needs": Refused(
        lambda: sampler(n_labelled=2), "1 support and 2 query images need as many labels a class, got n_labelled 2"
    ),
    "sampler, one label": Refused(lambda: sampler(n_labelled=1), "n_labelled must be a whole number of at least 2"),
    "sampler, more labels than a class can spare": Refused(
        lambda: sampler(n_labelled=7), "need 9 images a class, but class .* has 8"
    ),
    "sampler, too many distractors": Refused(
        lambda: sampler(n_distractors=3), "the task and its distractors need 6 classes, the data set has 5"
    ),
    "sampler, half a distractor": Refused(lambda: sampler(n_distractors=0.5), "n_distractors must be a whole number"),
    "sampler, one class": Refused(lambda: sampler(n_way=1), "n_way must be a whole number of at least 2"),
    "sampler, more images than a class has": Refused(
        lambda: sampler(n_unlabelled=6), "need 9 images a class, but class .* has 8"
    ),
    "sampler, images in place of classes": Refused(
        lambda: UnlabelledSampler(X, n_way=2),
        "classes must be .*got Tensor",  # type: ignore[arg-type]
    ),
    "sampler, a missing class": Right(
        lambda: sampler(n_unlabelled=[2, 0, 1]).sample().unlabelled_x.shape[1] == 3  # type: ignore[union-attr]
    ),
}
METHODS: dict[str, Any] = {
    "SoftKMeans": SoftKMeans,
    "ClusterSoftKMeans": ClusterSoftKMeans,
    "MaskedSoftKMeans": MaskedSoftKMeans,
    "SelfTraining": SelfTraining,
    "TIM": TIM,
}
for _name, _kind in METHODS.items():
    ROWS |= {
        f"{_name}, no unlabelled images": Refused(
            lambda k=_kind: k(nn.Identity())(replace(TASK, unlabelled_x=None)),
            f"{_name} needs unlabelled images, the episode has none: draw it with UnlabelledSampler",
        ),
        f"{_name}, an empty unlabelled set": Refused(
            lambda k=_kind: k(nn.Identity())(replace(TASK, unlabelled_x=X[:, :0])), "the episode has none"
        ),
        f"{_name}, unlabelled NaN": Refused(
            lambda: replace(TASK, unlabelled_x=X * math.nan), "unlabelled images contain NaN"
        ),
    }
METHODS |= {"LabelPropagation": LabelPropagation, "Transductive": lambda e: Transductive(SoftKMeans(e))}
for _name, _kind in METHODS.items():
    ROWS |= {
        f"{_name}, one class": Refused(
            lambda k=_kind: k(nn.Identity())(ONE_CLASS), "needs at least 2 classes, the episode has 1"
        ),
        f"{_name}, features that are NaN": Refused(
            lambda k=_kind: k(NaN())(TASK), r"got features that are not finite \(NaN or infinity\)"
        ),
        f"{_name} over a class": Refused(lambda k=_kind: k(Conv4), "encoder must be a module", TypeError),
        f"{_name}, no episode": Refused(lambda k=_kind: k(nn.Identity())(X), "takes an Episode, got Tensor", TypeError),
    }
ROWS |= {
    "Transductive over a network": Refused(
        lambda: Transductive(nn.Flatten()),
        "method must embed and then classify, .* got Flatten",
        TypeError,  # type: ignore
    ),
    "Transductive over a class": Refused(
        lambda: Transductive(SoftKMeans),
        "method must be a module, got the class SoftKMeans",
        TypeError,  # type: ignore
    ),
    "Transductive, no queries": Refused(
        lambda: Transductive(SoftKMeans(nn.Identity()))(replace(TASK, query_x=X[:, :0])), "the episode has none"
    ),
    "label propagation without unlabelled images": Right(
        lambda: LabelPropagation(nn.Identity())(replace(TASK, unlabelled_x=None)).shape == (1, 3, 3)
    ),
    "all images alike": Right(
        lambda: all(
            m(nn.Identity())(Episode(0 * X, Y, 0 * X, None, 3, unlabelled_x=0 * X)).isfinite().all()
            for m in METHODS.values()
        )
    ),
}
NUMBERS: dict[str, tuple[Any, str, tuple[Any, ...]]] = {
    "SoftKMeans, steps": (lambda v: SoftKMeans(nn.Identity(), v), "steps must be a whole number", (-1, 1.5, None)),
    "SoftKMeans, scale": (lambda v: SoftKMeans(nn.Identity(), scale=v), "scale must be", (0, -1.0, math.nan, "1")),
    "ClusterSoftKMeans, radius": (
        lambda v: ClusterSoftKMeans(nn.Identity(), radius=v), "radius must be", (0, -1.0, math.inf)
    ),
    "ClusterSoftKMeans, centre": (
        lambda v: ClusterSoftKMeans(nn.Identity(), centre=v), "centre must be one feature vector", (X, X[0, 0] / 0)
    ),
    "ClusterSoftKMeans, a centre for other features": (
        lambda v: ClusterSoftKMeans(nn.Identity(), centre=torch.zeros(v))(TASK), "the features have 4", (1, 3)
    ),
    "MaskedSoftKMeans, hidden": (
        lambda v: MaskedSoftKMeans(nn.Identity(), hidden=v), "hidden must be a whole number", (0, 2.5)
    ),
    "SelfTraining, rounds": (lambda v: SelfTraining(nn.Identity(), v), "rounds must be a whole number", (-1, 0.5)),
    "SelfTraining, per_class": (lambda v: SelfTraining(nn.Identity(), 1, v), "per_class must be a whole", (0, 2.5)),
    "surest, per_class": (lambda v: surest(ONES, v), "per_class must be a whole number", (0, 2.5)),
    "LabelPropagation, alpha": (
        lambda v: LabelPropagation(nn.Identity(), v), "alpha must (lie between 0 and 1|be)", (0, 1, 1.5, -0.1, math.nan)
    ),
    "LabelPropagation, width": (lambda v: LabelPropagation(nn.Identity(), width=v), "width must be", (0, -1.0)),
    "LabelPropagation, n_neighbours": (
        lambda v: LabelPropagation(nn.Identity(), n_neighbours=v), "n_neighbours must be a whole number", (0, 1.5)
    ),
    "propagate, alpha": (lambda v: propagate(ONES, ONES, v), "alpha must (lie between 0 and 1|be)", (0, 1.0, 2)),
    "propagate_in_steps, steps": (
        lambda v: propagate_in_steps(ONES, ONES, 0.5, v), "steps must be a whole number", (-1, 0.5)
    ),
    "affinities, width": (lambda v: affinities(ONES, v), "width must be", (0, math.nan)),
    "TIM, alpha": (lambda v: TIM(nn.Identity(), alpha=v), "alpha must be", (0, -1.0, math.inf)),
    "TIM, steps": (lambda v: TIM(nn.Identity(), steps=v), "steps must be a whole number", (-1, 1.5)),
    "TIM, lr": (lambda v: TIM(nn.Identity(), lr=v), "lr must be", (0, -1.0)),
    "TIM, scale": (lambda v: TIM(nn.Identity(), scale=v), "scale must be", (0, -1.0)),
    "TIM, support_weight": (lambda v: TIM(nn.Identity(), support_weight=v), "support_weight must be", (0, -1.0)),
    "TIM, doubt": (lambda v: TIM(nn.Identity(), doubt=v), "doubt must be", (0, -1.0)),
    "entropy, alpha": (lambda v: tsallis_entropy(ONES, v), "alpha must be", (0, -1.0)),
}  # fmt: skip
ROWS |= {
    f"{name} is {v!r}": Refused(lambda make=make, v=v: make(v), says)
    for name, (make, says, values) in NUMBERS.items()
    for v in values
}
ROWS |= {
    "weighted means, shares of other images": Refused(
        lambda: weighted_means(X, Y, TASK.unlabelled_x, X), r"needs shares \[B, U, N\], got \[1, 5, 4\], \[1, 3, 4\]"
    ),
    "affinities of one image": Refused(lambda: affinities(X[:, :1], 1.0), "with M at least 2, got"),
    "affinities of one task without its axis": Refused(lambda: affinities(X[0], 1.0), r"\[B, M, D\]"),
    "propagate, weights that are not square": Refused(
        lambda: propagate(torch.ones(1, 2, 3), ONES, 0.5), r"weights \[B, M, M\] need .* got \[1, 2, 3\]"
    ),
    "propagate_in_steps, weights that are not square": Refused(
        lambda: propagate_in_steps(torch.ones(1, 2, 3), ONES, 0.5, 0), r"weights \[B, M, M\] need .* got \[1, 2, 3\]"
    ),
    "propagate, labels of other images": Refused(lambda: propagate(ONES, X, 0.5), r"need labels \[B, M, N\]"),
}
