"""ImageClasses and Splits: classes stay whole, whatever is done with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import PROPERTIES, blobs, numbered_classes, pictures
from hypothesis import given
from hypothesis import strategies as st

from fslbook import ImageClasses


@PROPERTIES
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_classes_lie_one_after_another(counts: list[int]) -> None:
    classes = numbered_classes(counts)
    row = 0
    for index, count in enumerate(counts):
        assert int(classes.starts[index]) == row
        assert torch.equal(classes[index], classes.images[row : row + count])
        assert classes.labels[row : row + count].tolist() == [index] * count
        row += count
    assert len(classes) == len(counts)
    assert len(classes.labels) == len(classes.images) == row


def test_groups_are_the_part_before_the_slash() -> None:
    assert numbered_classes([1, 1, 1, 1]).groups == ("group0", "group0", "group0", "group1")


def test_repr_tells_sizes_and_device() -> None:
    assert repr(blobs(3, 400, size=4)) == "ImageClasses(3 classes, 1,200 images of 1×4×4, on cpu)"


@pytest.mark.parametrize(
    ("counts", "names", "message"),
    [
        ([2, 3], ("a",), "2 counts but 1 class names"),
        ([2, 2], ("a", "b"), "counts add up to 4, but there are 5 images"),
        ([5, 0], ("a", "b"), "class 'b' has 0 images; every class needs at least one"),
        ([6, -1], ("a", "b"), "class 'b' has -1 images; every class needs at least one"),
        ([2, 3], ("a", "a"), "class name 'a' occurs 2 times"),
    ],
)
def test_parts_that_do_not_fit_are_refused(counts: list[int], names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageClasses(pictures(5), torch.tensor(counts), names)


def test_no_classes_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one class"):
        ImageClasses(pictures(0), torch.tensor([], dtype=torch.int64), ())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_refused(bad: float) -> None:
    images = torch.zeros(4, 1, 3, 3)
    images[2, 0, 1, 1] = bad
    with pytest.raises(ValueError, match="1 of 4 images contain NaN or infinity"):
        ImageClasses(images, torch.tensor([2, 2]), ("a", "b"))


def test_rotations_equal_numpy_rot90_and_are_classes_of_their_own() -> None:
    classes = ImageClasses(pictures(5), torch.tensor([2, 3]), ("a/1", "b/1"))
    turned = classes.with_rotations()
    assert len(turned) == 8
    for degrees in (0, 90, 180, 270):
        for index, name in enumerate(classes.names):
            position = turned.names.index(f"{name}/{degrees:03d}" if degrees else name)
            expected = np.rot90(classes[index].numpy(), degrees // 90, axes=(2, 3))
            assert np.array_equal(turned[position].numpy(), expected)
    assert set(turned.groups) == {"a", "b"}


def test_rotated_twice_is_refused() -> None:
    """Else every drawing would stand in four classes."""
    with pytest.raises(ValueError, match="class name 'a/090' occurs 2 times"):
        ImageClasses(pictures(2), torch.tensor([2]), ("a",)).with_rotations().with_rotations()


@pytest.mark.parametrize("shape", [(4, 64), (4, 8, 8), (4, 1, 8, 6), (4, 3, 1, 8), (4, 1, 1, 8, 8)])
def test_what_is_no_square_image_is_not_turned(shape: tuple[int, ...]) -> None:
    classes = ImageClasses(torch.rand(shape), torch.tensor([4]), ("a",))
    with pytest.raises(ValueError, match=r"only square images \[M, C, H, H\] can be turned by quarters, got \[4, "):
        classes.with_rotations()


def test_a_class_is_found_by_index_and_by_name() -> None:
    classes = numbered_classes([2, 3])
    for index in (1, -1, np.int64(1), np.uint8(1), torch.tensor(1), "group0/class1"):
        assert torch.equal(classes[index], classes.images[2:])
    assert [len(images) for images in classes] == [2, 3]  # iteration ends by itself


def test_names_of_any_kind_of_string_and_sequence_are_the_same_set() -> None:
    classes = blobs(3, 4)
    others = [replace(classes, names=names) for names in ([*classes.names], np.array(classes.names))]
    assert [other.names for other in others] == [classes.names] * 2
    assert [other.fingerprint for other in others] == [classes.fingerprint] * 2


def test_sets_of_classes_are_compared_as_objects() -> None:
    """Not by tensors, whose comparison is no truth value; `fingerprint` and `content` compare what is in them."""
    classes = blobs(3, 4)
    assert classes == classes and classes != blobs(3, 4)
    assert len({classes, blobs(3, 4)}) == 2
