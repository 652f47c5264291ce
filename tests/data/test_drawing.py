"""Drawing a character: print, skeleton, distances, and the pens and hands."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from fslbook.data.drawing import CANVAS, REACH, distances, draw, printed, skeletons
from fslbook.data.fonts import font_path, open_font


def test_thinning_leaves_one_pixel_wide_lines_and_every_dot() -> None:
    ink = torch.zeros(7, 40, 40, dtype=torch.bool)
    for size in range(1, 7):
        ink[size - 1, 10 : 10 + size, 10 : 10 + size] = True
    ink[6, 10:16, 5:35] = True
    lines = skeletons(ink)
    assert lines[:6].sum(dim=(1, 2)).tolist() == pytest.approx([1] * 6, abs=1)
    assert torch.nonzero(lines[6].any(dim=1)).flatten().tolist() in ([12], [13]), "not along the middle of the bar"
    assert 24 <= lines[6].sum() <= 30
    assert not (lines & ~ink).any()


def pieces(ink: np.ndarray) -> int:
    """Number of 8-connected pieces."""
    left, count = set(map(tuple, np.argwhere(ink).tolist())), 0
    while left:
        count, front = count + 1, [left.pop()]
        while front:
            y, x = front.pop()
            near = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            front.extend(near)
    return count


def test_thinning_neither_cuts_nor_joins_strokes(prints: dict[str, Tensor]) -> None:
    ink = torch.stack(list(prints.values())[::15])
    lines = skeletons(ink)
    assert lines.sum() < 0.4 * ink.sum()
    assert [pieces(line) for line in lines.numpy()] == [pieces(print_) for print_ in ink.numpy()]


def test_distances_are_euclidean_up_to_their_reach() -> None:
    lines = torch.rand(4, 40, 40, generator=torch.Generator().manual_seed(0)) < 0.004
    lines[0] = False
    for got, line in zip(distances(lines).numpy(), lines.numpy(), strict=True):
        wanted = np.full((40, 40), float(REACH))
        for y, x in np.argwhere(line):
            wanted = np.minimum(wanted, np.hypot(*np.ogrid[-y : 40 - y, -x : 40 - x]))
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_a_printed_character_is_centred_and_fills_the_canvas() -> None:
    font, _ = open_font(font_path("DejaVuSans.ttf"))
    ink = printed(font, "H")
    assert ink is not None
    rows, columns = (torch.nonzero(ink.any(dim=dim))[:, 0] for dim in (1, 0))
    assert rows.max() - rows.min() == 43
    assert abs(int(rows.max() + rows.min()) - CANVAS) <= 1 and abs(int(columns.max() + columns.min()) - CANVAS) <= 1
    assert printed(font, " ") is None


def test_pens_differ_in_width_and_hands_in_place() -> None:
    line = torch.zeros(1, CANVAS, CANVAS, dtype=torch.bool)
    line[0, 12:52, 32] = True
    ink = draw(distances(line), 200, torch.Generator().manual_seed(0))[0, :, 0].float() / 255  # [200, 28, 28]
    width = ink.sum(dim=(1, 2)) / ink.amax(dim=2).sum(dim=1)
    place = (ink.sum(dim=1) * torch.arange(28)).sum(dim=1) / ink.sum(dim=(1, 2))
    assert 1.4 < width.mean() < 2.2 and 0.35 < width.std() < 0.6, "one pen alone would give 0.28"
    assert 0.7 < place.std() < 2.5 and abs(float(place.mean()) - 13.7) < 0.5
