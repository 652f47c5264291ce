"""select: whole classes by index, name, mask or slice, and nothing that could be read in two ways."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import PROPERTIES, numbered_classes
from hypothesis import given
from hypothesis import strategies as st


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


COUNTS = [1, 2, 3, 4]
NAMES = numbered_classes(COUNTS).names


@pytest.mark.parametrize(
    "wanted",
    [
        [3, 1],
        (3, 1),
        range(3, 0, -2),
        pytest.param(iter([3, 1]), id="an iterator"),
        [-1, -3],
        [np.int64(3), np.uint8(1)],
        np.array([3, 1]),
        np.array([3, 1], dtype=np.uint8),
        torch.tensor([3, 1]),
        torch.tensor([3, 1], dtype=torch.int32),
        [torch.tensor(3), torch.tensor(1)],
        [NAMES[3], NAMES[1]],
        np.array([NAMES[3], NAMES[1]]),
        [3, NAMES[1]],
        slice(3, 0, -2),
    ],
    ids=repr,
)
def test_indices_and_names_of_every_kind(wanted: object) -> None:
    classes = numbered_classes(COUNTS)
    chosen = classes.select(wanted)
    assert chosen.names == (NAMES[3], NAMES[1])
    assert torch.equal(chosen.images, torch.cat([classes[3], classes[1]]))
    assert chosen.counts.tolist() == [4, 2]


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor, lambda mask: [np.bool_(item) for item in mask]])
def test_a_mask_is_never_read_as_indices(kind: object) -> None:
    classes = numbered_classes(COUNTS)
    assert classes.select(kind([False, True, False, True])).names == (NAMES[1], NAMES[3])
    assert classes.select(classes.counts > 2).names == NAMES[2:]
    for wrong in ([True, False], [True] * 5):
        with pytest.raises(ValueError, match=r"a mask needs one truth value for each of the 4 classes, got \["):
            classes.select(kind(wrong))
    with pytest.raises(ValueError, match="at least one class"):
        classes.select(kind([False] * 4))
    with pytest.raises(ValueError, match="a mask needs"):
        classes.select([True, 1, 0, True])
