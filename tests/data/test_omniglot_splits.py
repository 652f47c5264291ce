"""Omniglot cut by class: who is in which split, and what the pixels are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from stand_in import DRAWINGS, check_cuts, check_vinyals, parts_of

from fslbook import omniglot


def test_every_split_has_its_size_and_no_class_twice(packed: Path) -> None:
    check_cuts(lambda split: omniglot(split, root=packed, download=False))


def test_vinyals_split_is_that_of_the_papers(packed: Path) -> None:
    check_vinyals(omniglot(root=packed, download=False))


def test_random_split_is_the_same_every_time_and_random(packed: Path) -> None:
    first, second = (omniglot("random", root=packed, download=False) for _ in range(2))
    assert first.novel.names == second.novel.names
    assert len(set(first.novel.groups)) > 40  # characters of nearly all of the 50 alphabets


def test_pixels_are_shrunk_in_grey_and_turned_to_bright_ink(packed: Path, drawn: DRAWINGS) -> None:
    splits = omniglot("background-evaluation", root=packed, download=False)
    found = {name: part[i] for part in parts_of(splits) for i, name in enumerate(part.names)}
    expected: dict[str, list[np.ndarray]] = {}
    for name, pixels in [*drawn["images_background"].items(), *drawn["images_evaluation"].items()]:
        small = Image.fromarray(pixels).resize((28, 28), Image.Resampling.LANCZOS)
        expected.setdefault("/".join(name.split("/")[1:3]), []).append(255 - np.asarray(small))
    assert found.keys() == expected.keys()
    for name, images in expected.items():
        assert np.array_equal(found[name].numpy(), np.stack(images)[:, None]), name
    assert {len(images) for images in expected.values()} == {1, 2}


def test_rotations_stay_in_their_split(packed: Path) -> None:
    splits = omniglot(root=packed, download=False)
    turned = splits.with_rotations()
    assert tuple(map(len, parts_of(turned))) == (4112, 688, 1692)  # the numbers of lines in the papers' files
    for before, after in zip(parts_of(splits), parts_of(turned), strict=True):
        assert {"/".join(name.split("/")[:2]) for name in after.names} == set(before.names)


def test_unknown_split_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'lake'; known are 'vinyals', 'background-evaluation', 'random'"):
        omniglot("lake", root=tmp_path, download=False)
