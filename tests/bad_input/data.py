"""Sets of classes: images, counts, names, selecting, turning and joining."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from bad_input.cases import Refused, Right
from helpers import numbered_classes, pictures
from PIL import Image

from fslbook import ImageClasses, Splits
from fslbook.data.image_classes import to_unit_range
from fslbook.data.joining import concatenate, from_arrays

IMAGES, COUNTS, NAMES = pictures(5), torch.tensor([2, 3]), ("a", "b")
FLOATS = IMAGES / 255
SET = numbered_classes([1, 2, 3, 4])


def classes(images: Any = IMAGES, counts: Any = COUNTS, names: Any = NAMES) -> ImageClasses:
    return ImageClasses(images, counts, names)


def each(title: str, values: Sequence[Any], call: Callable[[Any], Any], says: str, kind: Any = ValueError) -> dict:
    """A row for each value that is refused; "{}" in the pattern stands for it."""
    rows = (Refused(lambda v=v: call(v), says.replace("{}", re.escape(str(v))), kind) for v in values)
    return {f"{title} ({i}) {str(v)[:40]!r}": row for i, (v, row) in enumerate(zip(values, rows, strict=True))}


def spoilt(value: float) -> torch.Tensor:
    images = FLOATS.clone()
    images[3, 0, 1, 1] = value
    return images


# Images

TYPES = [torch.int8, torch.int16, torch.int32, torch.int64, torch.bool, torch.complex64, torch.complex128]
PIXELS = "images must be uint8 in 0..255 or floating point, got {}"
NOT_TENSORS = [IMAGES.numpy(), IMAGES.tolist(), None, Image.new("L", (3, 3)), FLOATS.flatten(1).to_sparse()]
MISSHAPEN = [IMAGES[:, 0], IMAGES.flatten(1), IMAGES[0], IMAGES[0, 0, 0, 0], FLOATS[:, 0, 0, 0], FLOATS[0, 0, 0, 0]]
ROWS: dict[str, Refused | Right] = {
    **each("classes, images of", TYPES, lambda dtype: classes(IMAGES.to(dtype)), PIXELS),
    **each("unit range, images of", TYPES, lambda dtype: to_unit_range(IMAGES.to(dtype)), PIXELS),
    **each("classes, images in", NOT_TENSORS, classes, "images must be a dense tensor, got"),
    **each(
        "classes, images shaped", MISSHAPEN, classes, r"must be bytes \[M, C, H, W\] or features \[M, ...\], got torch"
    ),
    **each(
        "classes, one pixel", [math.nan, math.inf], lambda v: classes(spoilt(v)), "1 of 5 images contain NaN or inf"
    ),
    "classes, images without pixels": Refused(lambda: classes(IMAGES[..., :0]), r"\[5, 1, 3, 0\] hold no numbers"),
    "classes, bytes that are 0 and 1": Refused(lambda: classes(IMAGES // 128), "only 0 and 1, and white is 255"),
    "classes, bytes that are all 0": Right(lambda: len(classes(IMAGES * 0)) == 2),
    "classes, images turned round in memory": Right(lambda: classes(IMAGES.flip(0).mT)[0].equal(IMAGES.flip(0)[:2].mT)),
    "classes, feature vectors": Right(lambda: classes(FLOATS.flatten(1))[1].shape == (3, 9)),
    "classes, half precision": Right(lambda: classes(FLOATS.half())[1].dtype == torch.float16),
    "classes, an image too few": Refused(lambda: classes(IMAGES[1:]), "add up to 5, but there are 4 images"),
}

# Counts and names

NOT_COUNTS = [
    [2, 3],
    torch.tensor([2.0, 3.0]),
    COUNTS.int(),
    COUNTS.byte(),
    COUNTS > 0,
    torch.tensor(5),
    COUNTS[:, None],
]
NOT_COUNTS += [COUNTS.numpy(), torch.tensor([]), None]
ROWS |= {
    **each("classes, counts", NOT_COUNTS, lambda v: classes(counts=v), r"counts must be an int64 tensor \[number of"),
    **each(
        "classes, names", ["ab", None, 5], lambda v: classes(names=v), "names must be .* string per class, got '?{}"
    ),
    **each(
        "classes, a name", [1, None, b"b", 0.5], lambda v: classes(names=("a", v)), "must be strings, got {}; use str"
    ),
    "classes, a name twice": Refused(lambda: classes(names=("a", "a")), "class name 'a' occurs 2 times"),
    "classes, a negative count": Refused(lambda: classes(counts=torch.tensor([-1, 6])), "class 'a' has -1 images"),
    "classes, an empty class": Refused(lambda: classes(counts=torch.tensor([5, 0])), "class 'b' has 0 images"),
    "classes, too few counts": Refused(lambda: classes(counts=COUNTS[:1]), "1 counts but 2 class names"),
    "classes, counts elsewhere": Refused(
        lambda: classes(counts=COUNTS.to("meta")), "counts are on meta, images on cpu"
    ),
    "classes, a list of names": Right(lambda: classes(names=["a", "b"]).names == NAMES),
    "classes, an array of names": Right(lambda: classes(names=np.array(NAMES)).fingerprint == classes().fingerprint),
    "classes, names of every script": Right(lambda: classes(names=("Ж/é", "\ud800")).groups == ("Ж", "\ud800")),
}

# One class, some classes

NO_CLASS = [1.0, 0.5, None, [1], 1j, b"a", math.nan]
MASK = "a mask needs one truth value for each of the 4 classes, got"
MASKS = [[True, False], [True] * 5, [True, 0, 1, 0], torch.ones(3).bool(), np.ones(5, dtype=bool)]
ROWS |= {
    **each("select", [3, "a", None, 1.0, torch.tensor(3), np.int64(3)], SET.select, "classes must be a list"),
    **each("select, in the list", NO_CLASS, lambda v: SET.select([v]), "is given by its index or its name, got"),
    **each("one class", [*NO_CLASS, slice(2), (0, 1)], lambda v: SET[v], "is given by its index or its name, got"),
    **each("select, index", [4, -5, 10**30], lambda v: SET.select([0, v]), "class {} is out of range", IndexError),
    **each("one class, index", [4, -5, 10**30], lambda v: SET[v], "class {} is out of range; there are 4", IndexError),
    **each("select, mask", MASKS, SET.select, MASK),
    **each("select, nothing", [[], (), {}, slice(2, 2), torch.zeros(4).bool(), COUNTS[:0]], SET.select, "at least one"),
    "select, a mask of rows": Refused(
        lambda: SET.select(torch.ones(4, 2).bool()), "index or its name, got .True, True."
    ),
    "select, an array of rows": Refused(lambda: SET.select(np.zeros((2, 2), dtype=int)), "or its name, got .0, 0."),
    "select, floats in a tensor": Refused(lambda: SET.select(torch.tensor([0.0, 1.0])), "or its name, got 0.0"),
    "select, a class twice": Refused(lambda: SET.select([1, -3]), "class name .* occurs 2 times"),
    "select, an unknown name": Refused(lambda: SET.select(["cat"]), "no class 'cat'; the names begin with 'group0/c"),
    "one class, an unknown name": Refused(lambda: SET["cat"], "no class 'cat'"),
    "one class, a truth value": Refused(lambda: SET[True], MASK),
}

# Turned and joined

LISTS = {"a": IMAGES.tolist(), "b": IMAGES}
UNLIKE = {
    "bytes and floats": (IMAGES, FLOATS),
    "half and full": (FLOATS.half(), FLOATS),
    "devices": (FLOATS, FLOATS.to("meta")),
}
JOIN = lambda pair: from_arrays(dict(zip("ab", pair, strict=True)))  # noqa: E731
ROWS |= {f"arrays, {name}": Refused(lambda v=v: JOIN(v), "image .* differ") for name, v in UNLIKE.items()}
ROWS |= {
    "rotations of features": Refused(
        lambda: classes(FLOATS.flatten(1)).with_rotations(), r"only square .*got \[5, 9\]"
    ),
    "rotations of oblongs": Refused(lambda: classes(IMAGES[..., :2]).with_rotations(), r"only square .*\[5, 1, 3, 2\]"),
    "rotations of rotations": Refused(lambda: classes().with_rotations().with_rotations(), "'a/090' occurs 2 times"),
    "joined bytes and floats": Refused(lambda: concatenate(classes(), classes(FLOATS)), "image types differ"),
    "joined sizes": Refused(lambda: concatenate(classes(), classes(pictures(5, size=4))), "image shapes differ"),
    "joined with itself": Refused(lambda: concatenate(classes(), classes()), "class name 'a' occurs 2 times"),
    "arrays, none": Refused(lambda: from_arrays({}), "arrays is empty"),
    "arrays, an empty one": Refused(lambda: from_arrays({"a": IMAGES, "b": IMAGES[:0]}), "class 'b' has 0 images"),
    "arrays, lists": Refused(lambda: from_arrays(LISTS), "images of 'a' must be a tensor, got list"),
    "splits, one set thrice": Refused(
        lambda: Splits("x", classes(), classes(), classes()), "'a' is in base and in val"
    ),
    "splits, no set": Refused(
        lambda: Splits("x", classes(), None, classes()), "validation must be ImageClasses, got None"
    ),
}
