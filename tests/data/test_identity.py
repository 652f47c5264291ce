"""What tells two sets of classes apart: names and counts (`fingerprint`), and the images themselves (`content`)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
import torch
from helpers import blobs, devices, numbered_classes

from fslbook import ImageClasses


def test_fingerprint_tells_sets_of_classes_apart() -> None:
    classes = numbered_classes([2, 3, 4])
    others = [numbered_classes([2, 4, 3]), classes.select([0, 1]), classes.select([1, 0, 2])]
    assert classes.fingerprint == numbered_classes([2, 3, 4]).fingerprint
    assert len(classes.fingerprint) == 8
    assert len({classes.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_content_is_the_sha256_of_type_shape_and_bytes() -> None:
    images = torch.arange(24, dtype=torch.uint8).view(6, 1, 2, 2)
    classes = ImageClasses(images, torch.tensor([2, 4]), ("a", "b"))
    assert classes.content == hashlib.sha256(b"torch.uint8 [6, 1, 2, 2]" + bytes(range(24))).hexdigest()


def test_content_tells_images_apart_where_names_and_counts_agree() -> None:
    classes = blobs(3, 4)
    one_bit = classes.images.clone()
    one_bit[5, 0, 2, 2] ^= 1
    changes = [
        255 - classes.images,
        one_bit,
        classes.images.flip(0),
        classes.images.float(),
        classes.images.mT.flatten(2)[..., None],
    ]
    others = [replace(classes, images=images) for images in changes]
    assert {other.fingerprint for other in others} == {classes.fingerprint}
    assert len({classes.content, *(other.content for other in others)}) == 6


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_content_is_the_same_on_every_device_and_in_every_memory_layout(dtype: torch.dtype, device: str) -> None:
    images = blobs(3, 4).images.to(dtype)  # [12, 1, 8, 8]
    classes = ImageClasses(images, torch.tensor([4, 4, 4]), ("a", "b", "c"))
    strided = replace(classes, images=images.mT.contiguous().mT)
    spread = replace(classes, images=images.repeat_interleave(2, dim=0)[::2])
    assert {c.content for c in (classes.to(device), strided.to(device), spread, classes.select([0, 1, 2]))} == {
        classes.content
    }


def test_content_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    classes = blobs(3, 4)
    first = classes.content
    monkeypatch.setattr(hashlib, "sha256", lambda *args: pytest.fail("computed again"))
    assert classes.content == first
