"""ImageClasses and Splits: classes stay whole, whatever is done with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import PROPERTIES, blobs, class_names, devices, numbered_classes
from hypothesis import given
from hypothesis import strategies as st

from fslbook import ImageClasses, Splits
from fslbook.data.image_classes import concatenate, from_arrays


def pictures(count: int, size: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randint(
        0, 256, (count, 1, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


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


@PROPERTIES
@given(st.data())
def test_select_takes_whole_classes_in_the_order_asked_for(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=7))
    wanted = data.draw(st.lists(st.integers(0, len(counts) - 1), min_size=1, unique=True))
    classes = numbered_classes(counts)
    chosen = classes.select(wanted)
    assert chosen.names == tuple(classes.names[i] for i in wanted)
    assert chosen.counts.tolist() == [counts[i] for i in wanted]
    for new, old in enumerate(wanted):
        assert torch.equal(chosen[new], classes[old])


def test_select_refuses_nothing_and_unknown_classes() -> None:
    with pytest.raises(ValueError, match="at least one class"):
        numbered_classes([1, 2]).select([])
    with pytest.raises(IndexError):
        numbered_classes([1, 2]).select([2])


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


def test_rotations_stay_in_the_split_of_their_class() -> None:
    parts = [ImageClasses(pictures(2, seed=i), torch.tensor([2]), (name,)) for i, name in enumerate(("a", "b", "c"))]
    turned = Splits("letters", *parts).with_rotations()
    assert turned.name == "letters"
    for before, after in zip(parts, (turned.base, turned.validation, turned.novel), strict=True):
        assert len(after) == 4
        assert {name.split("/")[0] for name in after.names} == set(before.names)
        assert torch.equal(after[0], before[0])


def test_splits_tell_their_sizes() -> None:
    splits = Splits("letters", numbered_classes([1] * 3), numbered_classes([1] * 2), numbered_classes([1]))
    assert repr(splits) == "Splits(letters: 3 base, 2 validation and 1 novel classes)"


def test_concatenate_keeps_all_classes_of_both() -> None:
    first = ImageClasses(pictures(3), torch.tensor([1, 2]), ("a", "b"))
    second = ImageClasses(pictures(4, seed=1), torch.tensor([4]), ("c",))
    both = concatenate(first, second)
    assert both.names == ("a", "b", "c")
    assert torch.equal(both[1], first[1])
    assert torch.equal(both[2], second[0])


def test_concatenate_refuses_other_shapes_and_shared_names() -> None:
    first = ImageClasses(pictures(3), torch.tensor([3]), ("a",))
    with pytest.raises(ValueError, match=r"image shapes differ: \[1, 3, 3\] and \[1, 4, 4\]"):
        concatenate(first, ImageClasses(pictures(1, size=4), torch.tensor([1]), ("b",)))
    with pytest.raises(ValueError, match="class name 'a' occurs 2 times"):
        concatenate(first, first)


def test_from_arrays_keeps_names_and_uneven_counts() -> None:
    arrays = {"cat": pictures(2), "dog": pictures(3, seed=1)}
    classes = from_arrays(arrays)
    assert classes.names == ("cat", "dog")
    assert all(torch.equal(classes[i], arrays[name]) for i, name in enumerate(classes.names))


@pytest.mark.parametrize("device", devices())
def test_moving_to_a_device_moves_every_tensor(device: str) -> None:
    part = numbered_classes([2, 3])
    moved = Splits("numbers", part, part, part).to(device)
    for classes in (moved.base, moved.validation, moved.novel):
        assert classes.images.device.type == classes.counts.device.type == classes.starts.device.type == device
        assert torch.equal(classes.images.cpu(), part.images)
        assert classes.names == class_names(2)
