"""Episodes, samplers and waves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from bad_input.cases import Refused, Right
from helpers import numbered_classes

from fslbook import Episode, EpisodeSampler, ImageClasses, MadeUpTasks, SinusoidTasks, random_affine

CLASSES = numbered_classes([6] * 8)
X, Y = torch.rand(1, 2, 1, 4, 4), torch.tensor([[0, 1]])


def sampler(**settings: Any) -> EpisodeSampler:
    return EpisodeSampler(**{"classes": CLASSES, "n_way": 3, "k_shot": 1, "n_query": 2, **settings})


def made_up(**settings: Any) -> MadeUpTasks:
    return MadeUpTasks(CLASSES, random_affine, **{"n_way": 3, "n_query": 2, **settings})


def episode(**parts: Any) -> Episode:
    return Episode(**{"support_x": X, "support_y": Y, "query_x": X, "query_y": Y, "n_way": 2, **parts})


def waves(**settings: Any) -> SinusoidTasks:
    return SinusoidTasks(**settings)


WHOLE = "must be a whole number of at least"
NOT_SIZES = {"zero": 0, "negative": -3, "half": 2.5, "a float": 2.0, "text": "3", "None": None, "a truth value": True}
NOT_SIZES |= {"NaN": math.nan, "infinity": math.inf, "a list": [3], "two numbers": torch.tensor([3, 3])}

ROWS: dict[str, Refused | Right] = {
    f"sampler, {name} is {kind}": Refused(lambda name=name, value=value: sampler(**{name: value}), f"{name} {WHOLE}")
    for name in ("n_way", "k_shot", "n_query")
    for kind, value in NOT_SIZES.items()
}
ROWS |= {
    f"made-up tasks, {name} is {kind}": Refused(
        lambda name=name, value=value: made_up(**{name: value}), f"{name} {WHOLE}"
    )
    for name in ("n_way", "n_query")
    for kind, value in NOT_SIZES.items()
}
ROWS |= {
    f"sampler, seed is {kind}": Refused(lambda value=value: sampler(seed=value), f"seed {WHOLE}")
    for kind, value in {"negative": -1, "a float": 0.5, "text": "0", "None": None}.items()
}
ROWS |= {
    f"sample, batch_size is {kind}": Refused(lambda value=value: sampler().sample(value), f"batch_size {WHOLE}")
    for kind, value in NOT_SIZES.items()
}
ROWS |= {
    "sampler, more ways than classes": Refused(lambda: sampler(n_way=9), "9-way needs 9 classes, the data set has 8"),
    "sampler, more images than a class has": Refused(lambda: sampler(k_shot=5), "need 7 images a class, but"),
    "sampler, a group too small": Refused(lambda: sampler(n_way=4, within_group=True), "4-way needs 4 classes in one"),
    "sampler, images in place of classes": Refused(lambda: sampler(classes=X), "classes must be .*got Tensor"),
    "sampler, splits in place of classes": Refused(lambda: sampler(classes=[CLASSES]), "classes must be .*got list"),
    "sampler, NumPy integers": Right(
        lambda: sampler(n_way=np.int64(3), seed=np.uint8(1)).sample(np.int32(2)).n_way == 3
    ),
    "waves, no points": Refused(lambda: waves(k_shot=0), f"k_shot {WHOLE}"),
    "waves, half a query": Refused(lambda: waves(n_query=0.5), f"n_query {WHOLE}"),
    "waves, a seed in words": Refused(lambda: waves(seed="one"), f"seed {WHOLE}"),
    "waves, no tasks": Refused(lambda: waves().sample(0), f"batch_size {WHOLE}"),
    "waves, amplitudes and phases that differ in number": Refused(
        lambda: waves().points_on(torch.ones(2), torch.ones(3)), "amplitude and phase must both be"
    ),
    "waves, amplitudes as a table": Refused(
        lambda: waves().points_on(torch.ones(2, 1), torch.ones(2, 1)), "amplitude and phase must both be"
    ),
    "waves, NumPy integers": Right(lambda: waves(k_shot=np.int64(5)).sample(np.int64(2)).support_x.shape == (2, 5, 1)),
}
WRONG_PARTS: dict[str, tuple[dict[str, Any], str]] = {
    "bytes as support": ({"support_x": X.byte()}, "support_x must be floating point, got torch.uint8"),
    "whole numbers as queries": ({"query_x": X.long()}, "query_x must be floating point, got torch.int64"),
    "truth values as queries": ({"query_x": X.bool()}, "query_x must be floating point, got torch.bool"),
    "complex support": ({"support_x": X.to(torch.complex64)}, "support_x must be floating point"),
    "doubles beside floats": ({"query_x": X.double()}, "give both one type"),
    "halves beside floats": ({"query_x": X.half()}, "give both one type"),
    "an array": ({"support_x": X.numpy()}, "support_x must be a tensor, got ndarray"),
    "a list of labels": ({"support_y": [[0, 1]]}, "support_y must be a tensor, got list"),
    "a single task": ({"support_x": X[0], "support_y": Y[0], "query_x": X[0], "query_y": Y[0]}, "support_y must be"),
    "queries of another size": ({"query_x": X[..., :3]}, r"query images \[1, 4, 3\]"),
    "queries of another colour": ({"query_x": X.repeat(1, 1, 3, 1, 1)}, r"query images \[3, 4, 4\]"),
    "two tasks of queries": ({"query_x": X.repeat(2, 1, 1, 1, 1), "query_y": Y.repeat(2, 1)}, "query 2"),
    "NaN in the support": ({"support_x": X / 0 * 0}, "support images contain NaN"),
    "infinite queries": ({"query_x": (X + 1) / 0}, "query images contain NaN or infinity"),
    "a label too large": ({"support_y": Y + 1}, "support labels must be in 0..1, found 1..2"),
    "a negative label": ({"query_y": Y - 1}, "query labels must be in 0..1, found -1..0"),
    "float labels": ({"support_y": Y.float()}, "support_y must be int64, got torch.float32"),
    "short labels": ({"query_y": Y.int()}, "query_y must be int64, got torch.int32|one kind"),
    "labels that are truth values": ({"support_y": Y.bool()}, "support_y must be int64, got torch.bool"),
    "one-hot labels": ({"support_y": torch.eye(2)[None], "n_way": 3}, "n_way is the length of a target"),
    "a label short": ({"support_y": Y[:, :1]}, r"support_y must be .*\[1, 2\], got \[1, 1\]"),
    "a class without support": ({"support_y": Y * 0}, "no support image for class 1"),
    "a class too many": ({"n_way": 3}, "no support image for class 2"),
    "a class too few": ({"n_way": 1}, "labels must be in 0..0"),
    "n_way as a float": ({"n_way": 2.0}, f"n_way {WHOLE}"),
    "n_way below one": ({"n_way": 0}, f"n_way {WHOLE}"),
    "labels elsewhere": ({"support_y": Y.to("meta")}, "all parts must lie on one device"),
    "unlabelled bytes": ({"unlabelled_x": X.byte()}, "unlabelled_x must be floating point"),
    "unlabelled images of another size": ({"unlabelled_x": X[..., :3]}, r"unlabelled images \[1, 4, 3\]"),
    "unlabelled NaN": ({"unlabelled_x": X / 0 * 0}, "unlabelled images contain NaN"),
}
ROWS |= {
    f"episode, {name}": Refused(lambda parts=parts: episode(**parts), says)
    for name, (parts, says) in WRONG_PARTS.items()
}
ROWS["episode, uneven classes"] = Right(
    lambda: episode(support_x=X.repeat(1, 2, 1, 1, 1), support_y=torch.tensor([[0, 0, 0, 1]])).batch_size == 1
)
ROWS["episode, the labels that were withheld"] = Refused(lambda: episode(query_y=None).targets, "no query labels")
ROWS["classes of one image each"] = Right(
    lambda: len(ImageClasses(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.ones(2).long(), ("a", "b"))) == 2
)
