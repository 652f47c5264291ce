"""Checks of chapter 1's exercises: why few shots are hard."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Lucky guesses


def _draw_guesses(n_classes: int, n_images: int) -> Any:
    def draw(generator: Generator) -> tuple[int, int, int]:
        near_the_mean = n_images // n_classes + int(torch.randint(0, 3, (), generator=generator))
        return n_classes, n_images, near_the_mean

    return draw


def _counts_of_right(n_classes: int, n_images: int) -> list[float]:
    """Probability of 0, 1, ... right guesses, built up image by image."""
    p, chances = 1 / n_classes, [1.0]
    for _ in range(n_images):
        chances = [(1 - p) * a + p * b for a, b in zip([*chances, 0.0], [0.0, *chances], strict=True)]
    return chances


lucky_guesses = Exercise(
    "lucky_guesses",
    lambda n, m, k: sum(_counts_of_right(n, m)[k:]),
    {
        "two classes": Case(_draw_guesses(2, 10)),
        "five classes": Case(_draw_guesses(5, 25)),
        "twenty classes": Case(_draw_guesses(20, 400)),
        "at least none": Case(lambda generator: (5, 10, 0)),
    },
    [
        Mistake(lambda n, m, k: _counts_of_right(n, m)[k], "this is for exactly n_right; asked is at least n_right"),
        Mistake(lambda n, m, k: sum(_counts_of_right(n, m)[k + 1 :]), "n_right itself counts as well"),
        Mistake(lambda n, m, k: sum(_counts_of_right(n, m)[: k + 1]), "this is for at most n_right"),
        Mistake(lambda n, m, k: n**-k, "what about the other images, and which ones are right?"),
    ],
)

# The nearest image


def _draw_images(as_bytes: bool, size: int = 6) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        images = torch.rand(12, 1, size, size, generator=generator)
        labels = torch.randperm(12, generator=generator) % 4
        copies = images[torch.randint(12, (20,), generator=generator)]
        new = (copies + 0.4 * torch.randn(copies.shape, generator=generator)).clamp(0, 1)
        return ((255 * images).byte(), labels, (255 * new).byte()) if as_bytes else (images, labels, new)

    return draw


def _one_large_or_many_small(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    new = 0.9 * torch.rand(5, 1, 6, 6, generator=generator)
    one_large = new.clone()
    one_large[:, 0, 2, 3] += torch.where(one_large[:, 0, 2, 3] < 0.45, 0.5, -0.5)
    labels = torch.randperm(10, generator=generator)
    return torch.cat([one_large, new + 0.03]), labels, new


def _order(images: Tensor, new: Tensor) -> list[list[int]]:
    """For each new image the rows of the others, nearest first."""
    rows = [[math.dist(x, z) for z in images.flatten(1).tolist()] for x in new.flatten(1).tolist()]
    return [sorted(range(len(row)), key=row.__getitem__) for row in rows]


def _labels_by_place(images: Tensor, labels: Tensor, new: Tensor, place: int = 0) -> Tensor:
    return labels[[order[place] for order in _order(images, new)]]


nearest_image = Exercise(
    "nearest_image",
    _labels_by_place,
    {
        "numbers between 0 and 1": Case(_draw_images(as_bytes=False)),
        "bytes": Case(_draw_images(as_bytes=True)),
        "many small differences or a large one": Case(_one_large_or_many_small),
        "larger images": Case(_draw_images(as_bytes=False, size=9)),
    },
    [
        Mistake(lambda x, y, new: _labels_by_place(x, y, new, -1), "you took the farthest image, not the nearest"),
        Mistake(
            lambda x, y, new: y[torch.cdist(new.flatten(1).double(), x.flatten(1).double(), p=1).argmin(1)],
            "you added up absolute differences; a Euclidean distance is made of squares",
        ),
        Mistake(
            lambda x, y, new: torch.tensor([order[0] for order in _order(x, new)], device=y.device),
            "these are the rows of the nearest images; asked are their labels",
        ),
        Mistake(
            lambda x, y, new: y[(new[:, None] - x).square().flatten(2).sum(-1).argmin(1)],
            "a byte cannot be negative: 3 − 5 gives 254; make the images floating-point numbers before you subtract",
        ),
        Mistake(
            lambda x, y, new: y[(new.flatten(1).float() @ x.flatten(1).float().T).argmax(1)],
            "these are inner products, which favour images with much ink; take distances",
        ),
    ],
)

# Into the middle


def _draw_blots(height: int, width: int) -> Any:
    def draw(generator: Generator) -> tuple[Tensor]:
        images = torch.zeros(16, 1, height, width)
        for image in images:
            top, left = (int(torch.randint(1, n - 6, (), generator=generator)) for n in (height, width))
            image[0, top : top + 5, left : left + 5] = torch.rand(5, 5, generator=generator) ** 3
        return (images,)

    return draw


def _moved(images: Tensor, sign: float = 1, middle: float = 0.5, swap: bool = False, whole: Any = round) -> Tensor:
    moved = []
    for image in images:
        ink = image[0].tolist()
        total = sum(map(sum, ink))
        row = sum(i * sum(line) for i, line in enumerate(ink)) / total
        column = sum(j * value for line in ink for j, value in enumerate(line)) / total
        places = zip(image.shape[1:], (column, row) if swap else (row, column), strict=True)
        shifts = [whole(sign * (n / 2 - middle - place)) for n, place in places]
        moved.append(image.roll(shifts, (1, 2)))
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
        Mistake(lambda x: _moved(x, sign=-1), "the images moved the wrong way"),
        Mistake(lambda x: _moved(x, middle=0), "counted from 0, the middle of n pixels is at (n − 1) / 2"),
        Mistake(lambda x: _moved(x, swap=True), "rows and columns are mixed up"),
        Mistake(lambda x: _moved(x, whole=int), "round the shift to the nearest whole number; int() cuts it off"),
        Mistake(_moved_together, "all images moved by the same shift; each needs its own"),
    ],
)
