"""Classes of images, and where they come from."""

from __future__ import annotations

from typing import Any

import torch
from bad_input.cases import Refused, Right
from helpers import blobs, numbered_classes

from fslbook import ImageClasses, glyphs, image_folder, omniglot
from fslbook.data.joining import concatenate

CLASSES = numbered_classes([3, 3])
BYTES = torch.zeros(6, 1, 4, 4, dtype=torch.uint8)
COUNTS = torch.tensor([3, 3])


def classes(**parts: Any) -> ImageClasses:
    return ImageClasses(**{"images": BYTES, "counts": COUNTS, "names": ("a", "b"), **parts})


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "counts of other images": ({"counts": torch.tensor([3, 4])}, "counts add up to 7, but there are 6 images"),
    "a count too many": ({"counts": torch.tensor([3, 2, 1])}, "3 counts but 2 class names"),
    "a negative count": ({"counts": torch.tensor([-1, 7])}, "has -1 images; every class needs at least one"),
    "an empty class": ({"counts": torch.tensor([0, 6])}, "has 0 images; every class needs at least one"),
    "float counts": ({"counts": COUNTS.float()}, "counts"),
    "counts in a list": ({"counts": [3, 3]}, "counts"),
    "a table of counts": ({"counts": COUNTS[None]}, "counts"),
    "a name twice": ({"names": ("a", "a")}, "class name 'a' occurs 2 times"),
    "names of numbers": ({"names": (1, 2)}, "name"),
    "no classes": ({"images": BYTES[:0], "counts": COUNTS[:0], "names": ()}, "at least one class"),
    "NaN": ({"images": torch.full((6, 4), torch.nan)}, "6 of 6 images contain NaN or infinity"),
    "whole numbers": ({"images": BYTES.long()}, "int64"),
    "signed bytes": ({"images": BYTES.to(torch.int8)}, "int8"),
    "truth values": ({"images": BYTES.bool()}, "bool"),
    "complex numbers": ({"images": BYTES.to(torch.complex64)}, "complex"),
    "an array": ({"images": BYTES.numpy()}, "images"),
    "counts elsewhere": ({"counts": COUNTS.to("meta")}, "meta"),
}
ROWS: dict[str, Refused | Right] = {
    f"classes, {name}": Refused(lambda parts=parts: classes(**parts), says, (ValueError, TypeError))
    for name, (parts, says) in WRONG.items()
}
ROWS |= {
    "select nothing": Refused(lambda: CLASSES.select([]), "select needs at least one class"),
    "select a class that is not there": Refused(lambda: CLASSES.select([2]), "2", IndexError),
    "select below zero": Refused(lambda: CLASSES.select([-3]), "-3", IndexError),
    "select by a half": Refused(lambda: CLASSES.select([0.5]), "0.5", (TypeError, ValueError, IndexError)),
    "select with a mask": Right(lambda: CLASSES.select(torch.tensor([False, True])).names == CLASSES.names[1:]),
    "select with truth values": Right(lambda: CLASSES.select([False, True]).names == CLASSES.names[1:]),
    "turn features": Refused(lambda: classes(images=torch.rand(6, 4)).with_rotations(), "only square images"),
    "turn oblong images": Refused(lambda: classes(images=BYTES[..., :3]).with_rotations(), "only square images"),
    "join bytes and floats": Refused(
        lambda: concatenate(classes(), classes(images=BYTES.float(), names=("c", "d"))), "uint8.*float32"
    ),
    "join other shapes": Refused(lambda: concatenate(classes(), blobs(2, 3)), "shape"),
    "join the same classes": Refused(lambda: concatenate(classes(), classes()), "occurs 2 times|both"),
    "unknown split": Refused(lambda: omniglot("test"), "unknown Omniglot split 'test'; known are"),
    "glyphs, a seed in words": Refused(lambda: glyphs(seed="zero"), "seed must be a whole number"),
    "glyphs, a negative seed": Refused(lambda: glyphs(seed=-1), "seed must be a whole number"),
    "folder that is none": Refused(lambda: image_folder("/no/such/folder"), "is not a folder"),
    "folder, size zero": Refused(lambda: image_folder(".", size=0), "size must be a whole number of at least 1"),
    "folder, size in words": Refused(lambda: image_folder(".", size="28"), "size must be a whole number"),
}
