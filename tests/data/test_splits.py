"""Splits and joined sets: no class in two splits, and nothing mixed that is not alike."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from helpers import devices, numbered_classes, pictures

from fslbook import ImageClasses, Splits
from fslbook.data.joining import concatenate, from_arrays


def three(*sizes: int) -> list[ImageClasses]:
    """Three sets of so many classes each, whose names differ."""
    parts = [numbered_classes([1] * size) for size in sizes]
    return [replace(part, names=tuple(f"{i}{name}" for name in part.names)) for i, part in enumerate(parts)]


def test_rotations_stay_in_the_split_of_their_class() -> None:
    parts = [ImageClasses(pictures(2, seed=i), torch.tensor([2]), (name,)) for i, name in enumerate(("a", "b", "c"))]
    turned = Splits("letters", *parts).with_rotations()
    assert turned.name == "letters"
    for before, after in zip(parts, (turned.base, turned.validation, turned.novel), strict=True):
        assert len(after) == 4
        assert {name.split("/")[0] for name in after.names} == set(before.names)
        assert torch.equal(after[0], before[0])


def test_splits_tell_their_sizes() -> None:
    splits = Splits("letters", *three(3, 2, 1))
    assert repr(splits) == "Splits(letters: 3 base, 2 validation and 1 novel classes)"


def test_a_class_in_two_splits_is_refused() -> None:
    base, validation, novel = three(3, 2, 1)
    twice = replace(novel, names=base.names[1:2])
    with pytest.raises(ValueError, match="class '0group0/class1' is in base and in novel; no class may be in two"):
        Splits("letters", base, validation, twice)


def test_splits_of_unlike_images_are_refused() -> None:
    base, validation, novel = three(3, 2, 1)
    with pytest.raises(ValueError, match=r"image types differ: torch.uint8 \(base\) and torch.float32 \(novel\)"):
        Splits("letters", base, validation, replace(novel, images=novel.images.float()))
    with pytest.raises(ValueError, match=r"image shapes differ: \[1, 1, 2\] \(base\) and \[2, 1, 1\] \(validation\)"):
        Splits("letters", base, replace(validation, images=validation.images.movedim(3, 1)), novel)


def test_concatenate_keeps_all_classes_of_both() -> None:
    first = ImageClasses(pictures(3), torch.tensor([1, 2]), ("a", "b"))
    second = ImageClasses(pictures(4, seed=1), torch.tensor([4]), ("c",))
    both = concatenate(first, second)
    assert both.names == ("a", "b", "c")
    assert torch.equal(both[1], first[1])
    assert torch.equal(both[2], second[0])


def test_concatenate_refuses_other_shapes_and_shared_names() -> None:
    first = ImageClasses(pictures(3), torch.tensor([3]), ("a",))
    with pytest.raises(ValueError, match=r"image shapes differ: \[1, 3, 3\] \(first\) and \[1, 4, 4\] \(second\)"):
        concatenate(first, ImageClasses(pictures(1, size=4), torch.tensor([1]), ("b",)))
    with pytest.raises(ValueError, match="class name 'a' occurs 2 times"):
        concatenate(first, first)


def test_from_arrays_keeps_names_and_uneven_counts() -> None:
    arrays = {"cat": pictures(2), "dog": pictures(3, seed=1)}
    classes = from_arrays(arrays)
    assert classes.names == ("cat", "dog")
    assert all(torch.equal(classes[i], arrays[name]) for i, name in enumerate(classes.names))


@pytest.mark.parametrize("other", [torch.float32, torch.float16, torch.float64])
def test_bytes_and_floats_are_not_joined(other: torch.dtype) -> None:
    """torch would make floats of 0..255 of the bytes, beside floats of 0..1."""
    first, second = three(2, 2, 2)[:2]
    with pytest.raises(ValueError, match=rf"image types differ: torch.uint8 \(first\) and {other} \(second\)"):
        concatenate(first, replace(second, images=second.images.to(other) / 255))
    with pytest.raises(ValueError, match=rf"image types differ: torch.uint8 \(a\) and {other} \(b\)"):
        from_arrays({"a": pictures(2), "b": pictures(2).to(other)})


def test_arrays_that_make_no_set_are_refused() -> None:
    with pytest.raises(ValueError, match="arrays is empty"):
        from_arrays({})
    with pytest.raises(ValueError, match=r"image shapes differ: \[1, 3, 3\] \(a\) and \[1, 4, 4\] \(b\)"):
        from_arrays({"a": pictures(2), "b": pictures(2, size=4)})


@pytest.mark.parametrize("device", devices())
def test_moving_to_a_device_moves_every_tensor(device: str) -> None:
    parts = three(2, 3, 1)
    moved = Splits("numbers", *parts).to(device)
    for part, classes in zip(parts, (moved.base, moved.validation, moved.novel), strict=True):
        assert classes.images.device.type == classes.counts.device.type == classes.starts.device.type == device
        assert torch.equal(classes.images.cpu(), part.images)
        assert classes.names == part.names
