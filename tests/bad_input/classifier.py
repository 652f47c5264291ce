"""FewShotClassifier: images, labels and methods."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import torch
from bad_input.cases import Refused, Right
from helpers import blobs
from PIL import Image

from fslbook import Conv4, FewShotClassifier, NearestNeighbour, PrototypicalNetwork, conv_classifier

X = torch.cat([blobs(3, 2)[i] for i in range(3)])
NAMES = ["a", "a", "b", "b", "c", "c"]


def fitted(images: Any = X, labels: Any = NAMES) -> FewShotClassifier:
    return FewShotClassifier(NearestNeighbour()).fit(images, labels)


def refused(call: Any, says: str, kind: type[Exception] = ValueError) -> Refused:
    return Refused(call, says, kind)


METHODS: dict[str, tuple[Any, str]] = {
    "an encoder": (Conv4(), "such as PrototypicalNetwork.*got a bare Conv4"),
    "a network": (conv_classifier(3), "got a bare ConvClassifier"),
    "a class": (PrototypicalNetwork, r"got the class PrototypicalNetwork: call it, PrototypicalNetwork\("),
    "a function": (torch.flatten, "method must be a torch.nn.Module, got <built-in"),
    "None": (None, "method must be a torch.nn.Module, got None"),
    "a name": ("prototypical", "got 'prototypical'"),
}
IMAGES: dict[str, tuple[Any, str, type[Exception]]] = {
    "one image": (X[0, 0], r"must be \[M, C, H, W\] or \[M, H, W\], got \[8, 8\]", ValueError),
    "five dimensions": (X[None], r"got \[1, 6, 1, 8, 8\]", ValueError),
    "channels last": (torch.rand(6, 8, 8, 3), r"got \[6, 8, 8, 3\]: put the channels before", ValueError),
    "0..255 as floats": (X.float(), r"must lie in 0..1, found 0..\d+", ValueError),
    "negative": (X / 255 - 0.5, "must lie in 0..1, found -0.5", ValueError),
    "NaN": (torch.full((6, 1, 8, 8), math.nan), "must lie in 0..1, found nan", ValueError),
    "infinity": (torch.full((6, 1, 8, 8), math.inf), "must lie in 0..1, found inf", ValueError),
    "whole numbers": (X.long(), "must be uint8 in 0..255 or floating point, got torch.int64", ValueError),
    "whole numbers in an array": (X.long().numpy(), "or floating point, got int64", ValueError),
    "16 bits": (np.zeros((6, 8, 8), np.uint16), "or floating point, got uint16", ValueError),
    "0 and 1 as bytes": ((X > 99).byte(), "only 0 and 1, and white is 255; multiply by 255", ValueError),
    "0 and 1 as bytes, array": ((X > 99).byte().numpy(), "only 0 and 1, and white is 255", ValueError),
    "truth values": (X > 99, "got torch.bool; convert", ValueError),
    "complex": (X / 255 + 0j, "got torch.complex64", ValueError),
    "objects": (np.array([None] * 6), "got object; convert", ValueError),
    "None": (None, "images must be a tensor, an array or a list of pictures, got NoneType", TypeError),
    "a path": ("cat.png", "list of pictures, got str", TypeError),
    "a list of paths": (["cat.png"] * 6, "list of pictures, got str", TypeError),
    "a picture": (Image.new("L", (8, 8)), "got Image; put one image in a list", TypeError),
    "pictures of two sizes": (
        [Image.new("L", (8, 8)), Image.new("L", (8, 9))] * 3,
        r"of one size and type: image 0 is uint8 \[1, 8, 8\], image 1 is uint8 \[1, 9, 8\]",
        ValueError,
    ),
    "grey beside colour": (
        [Image.new("L", (8, 8)), Image.new("RGB", (8, 8))] * 3,
        "image 1 is uint8 .3, 8",
        ValueError,
    ),
    "bytes beside floats": ([X[0], X[0] / 255] * 3, "image 0 is uint8 .*, image 1 is float32", ValueError),
    "pictures of 32 bits": ([Image.new("F", (8, 8))] * 6, "picture 0 has pixels of mode F, whose white is", ValueError),
    "pictures of nothing": ([Image.new("RGBA", (8, 8))] * 6, "picture 0 is transparent everywhere", ValueError),
}
LABELS: dict[str, tuple[Any, str, type[Exception]]] = {
    "too few": (NAMES[:5], "6 images but 5 labels", ValueError),
    "none": ([], "6 images but 0 labels", ValueError),
    "a column": (np.array(NAMES)[:, None], r"labels must be \[number of images\], got \[6, 1\]", ValueError),
    "a row": (torch.zeros(1, 6), r"got \[1, 6\]", ValueError),
    "a number": (torch.tensor(3), r"got \[\]", ValueError),
    "numbers and names": ([1, "a", 1, "a", 1, "a"], r"of one type, got int \(1\) and str \('a'\); str\(\)", ValueError),
    "numbers and truth values": ([1, True] * 3, r"got int \(1\) and bool \(True\)", ValueError),
    "whole numbers and halves": ([1, 0.5] * 3, r"got int \(1\) and float \(0.5\)", ValueError),
    "None": (["a", None] * 3, "label 1 is None: each image needs a label", ValueError),
    "NaN": ([0.5, math.nan] * 3, "label 1 is nan: each image needs a label", ValueError),
    "no date": (np.array(["2024-05-01", "NaT"] * 3, "datetime64[D]"), "label 1 is .*NaT.*: each image", ValueError),
    "lists": ([["a"], ["b"]] * 3, "label 0 is a list: give names or numbers", ValueError),
    "arrays": ([np.array([1]), np.array([2])] * 3, "label 0 is a ndarray: give names or numbers", ValueError),
    "tensors": ([torch.zeros(2)] * 6, r"label 0 is a tensor of shape \[2\]", ValueError),
    "letters": ("aabbcc", "labels must be a list or an array with one label per image, got str", TypeError),
    "a set": ({"a", "b", "c", "d", "e", "f"}, "got set", TypeError),
    "a dictionary": (dict.fromkeys(range(6)), "got dict", TypeError),
    "a generator": ((name for name in NAMES), "got generator", TypeError),
    "nothing": (None, "got NoneType", TypeError),
    "a single class": (["a"] * 6, "at least two classes, the labels name 1", ValueError),
}
ROWS: dict[str, Refused | Right] = {
    f"method is {name}": refused(lambda m=method: FewShotClassifier(m), says, TypeError)
    for name, (method, says) in METHODS.items()
}
ROWS |= {
    f"fit, images are {name}": refused(lambda x=images: fitted(x), says, kind)
    for name, (images, says, kind) in IMAGES.items()
}
ROWS |= {
    f"predict, images are {name}": refused(lambda x=images: fitted().predict(x), says, kind)
    for name, (images, says, kind) in IMAGES.items()
}
ROWS |= {
    f"fit, labels are {name}": refused(lambda y=labels: fitted(X, y), says, kind)
    for name, (labels, says, kind) in LABELS.items()
}
ROWS |= {
    f"score, labels are {name}": refused(lambda y=labels: fitted().score(X, y), says, kind)
    for name, (labels, says, kind) in LABELS.items()
    if name not in ("a single class", "none")
}
ROWS |= {
    "score, numbers for names": refused(
        lambda: fitted().score(X, [0, 0, 1, 1, 2, 2]), "the labels are of type int, those of fit of type str"
    ),
    "score, names for numbers": refused(
        lambda: fitted(X, [0, 0, 1, 1, 2, 2]).score(X, NAMES), "of type str, those of fit of type int"
    ),
    "score, no images": refused(lambda: fitted().score(X[:0], []), "there is nothing to score"),
    "score, a name that is unknown": Right(lambda: fitted().score(X, [*NAMES[:5], "z"]) == 5 / 6),
    "score, arrays of NumPy": Right(lambda: fitted().score(X, np.array(NAMES)) == 1),
    "predict, another size": refused(lambda: fitted().predict(X[..., :7]), r"\[1, 8, 8\], query images \[1, 8, 7\]"),
    "predict, colour": refused(
        lambda: fitted().predict(X.expand(-1, 3, -1, -1)), r"\[1, 8, 8\], query images \[3, 8, 8\]"
    ),
    "predict, nothing fitted": refused(
        lambda: FewShotClassifier(NearestNeighbour()).predict(X), "call fit.images, labels. before", RuntimeError
    ),
    "predict, an empty list": Right(lambda: fitted().predict([]).shape == (0,)),
    "predict, negative strides": Right(lambda: fitted().predict(X.numpy()[::-1]).tolist() == NAMES[::-1]),
    "predict, tuples come back": Right(
        lambda: fitted(X, [(n, 1) for n in NAMES]).predict(X).tolist() == [(n, 1) for n in NAMES]
    ),
    "predict, dates come back": Right(
        lambda: fitted(X, [date(2024, 5, i // 2 + 1) for i in range(6)]).predict(X)[5] == date(2024, 5, 3)
    ),
    "fit, pictures": Right(lambda: fitted([Image.fromarray(x.numpy()) for x in X[:, 0]]).predict(X).tolist() == NAMES),
}
