"""A check of chapter 1's exercises: drawings moved into the middle."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def _draw_blots(height: int, width: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor]:
        images = torch.zeros(16, 1, height, width)
        for image in images:
            top, left = (int(torch.randint(1, n - 6, (), generator=generator)) for n in (height, width))
            image[0, top : top + 5, left : left + 5] = torch.rand(5, 5, generator=generator) ** 3
        return (images,)

    return draw


def _moved(
    images: Tensor,
    sign: float = 1,
    middle: float = 0.5,
    swap: bool = False,
    whole: Any = round,
    only: int | None = None,
    draw: Tensor | None = None,
) -> Tensor:
    """`draw`, which is images themselves if it is not given, moved by the ink of images; `only` rows or columns."""
    moved = []
    for image, drawn in zip(images, images if draw is None else draw, strict=True):
        ink = image[0].tolist()
        total = sum(map(sum, ink))
        row = sum(i * sum(line) for i, line in enumerate(ink)) / total
        column = sum(j * value for line in ink for j, value in enumerate(line)) / total
        places = zip(image.shape[1:], (column, row) if swap else (row, column), strict=True)
        shifts = [whole(sign * (n / 2 - middle - place)) for n, place in places]
        shifts = [shift * (only in (None, axis)) for axis, shift in enumerate(shifts)]
        moved.append(drawn.roll(shifts, (1, 2)))
    return torch.stack(moved)


def _moved_together(images: Tensor) -> Tensor:
    ink = images.sum(dim=(0, 1))  # [H, W]
    profiles = ink.sum(dim=1), ink.sum(dim=0)
    places = [float(x @ torch.arange(len(x)).to(x) / x.sum()) for x in profiles]
    return images.roll([round((len(x) - 1) / 2 - place) for x, place in zip(profiles, places, strict=True)], (2, 3))


centred = Exercise(
    "centred",
    _moved,
    {
        "square images": Case(_draw_blots(15, 15)),
        "an even number of pixels": Case(_draw_blots(14, 14)),
        "wide images": Case(_draw_blots(13, 20)),
    },
    [
        Mistake(lambda x: x, "nothing has moved"),
        Mistake(lambda x: _moved(x, sign=-1), "the images moved the wrong way"),
        Mistake(lambda x: _moved(x, middle=0), "counted from 0, the middle of n pixels is at (n − 1) / 2"),
        Mistake(lambda x: _moved(x, swap=True), "rows and columns are mixed up"),
        Mistake(lambda x: _moved(x, whole=int), "round the shift to the nearest whole number; int() cuts it off"),
        Mistake(
            lambda x: _moved(x, whole=math.floor), "round the shift to the nearest whole number, not always downwards"
        ),
        Mistake(lambda x: _moved(x, middle=0.5, only=0), "the drawings moved up and down alone; columns count as well"),
        Mistake(lambda x: _moved(x, middle=0.5, only=1), "the drawings moved sideways alone; rows count as well"),
        Mistake(
            lambda x: _moved((x > 0).to(x), draw=x),
            "this is the middle of where there is ink; each pixel must count by how much ink it has",
        ),
        Mistake(
            lambda x: _moved((x == x.amax(dim=(1, 2, 3), keepdim=True)).to(x), draw=x),
            "you moved the darkest pixel into the middle; all the ink counts",
        ),
        Mistake(_moved_together, "all images moved by the same shift; each needs its own"),
    ],
)
