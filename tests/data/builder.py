"""A small data set that counts how often it is built."""

from __future__ import annotations

import torch
from helpers import blobs

from fslbook import ImageClasses


class Builder:
    """Builds a small data set and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> ImageClasses:
        self.calls += 1
        return blobs(3, 4, size=4)


def assert_whole(classes: ImageClasses) -> None:
    expected = blobs(3, 4, size=4)
    assert torch.equal(classes.images, expected.images)
    assert torch.equal(classes.counts, expected.counts)
    assert classes.names == expected.names
