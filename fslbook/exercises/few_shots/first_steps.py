"""Checks of chapter 1's exercises: how far guesses and pixels lead."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake

# Lucky guesses


def _draw_guesses(n_classes: int, n_images: int) -> Any:
    def draw(generator: Generator) -> tuple[int, int, int]:
        near_the_mean = n_images // n_classes + int(torch.randint(0, 3, (), generator=generator))
        return n_classes, n_images, near_the_mean

    return draw


@cache
def _counts_of_right(n_classes: int, n_images: int) -> list[float]:
    """Probability of 0, 1, ... right guesses, built up image by image."""
    p, chances = 1 / n_classes, [1.0]
    for _ in range(n_images):
        chances = [(1 - p) * a + p * b for a, b in zip([*chances, 0.0], [0.0, *chances], strict=True)]
    return chances


def _sum_of(term: Any) -> Any:
    """The sum over at least n_right, of terms that people write."""

    def version(n: int, m: int, k: int) -> float:
        total: float = sum(term(math.comb(m, r), 1 / n, r, m) for r in range(k, m + 1))
        return total

    return version


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
        Mistake(lambda n, m, k: sum(_counts_of_right(n, m)[k:m]), "that all guesses are right is left out"),
        Mistake(
            _sum_of(lambda ways, p, r, m: p**r * (1 - p) ** (m - r)),
            "which of the images are right is open: in how many ways?",
        ),
        Mistake(_sum_of(lambda ways, p, r, m: ways * p**r), "the other guesses must be wrong; that has a chance, too"),
        Mistake(
            _sum_of(lambda ways, p, r, m: ways * (1 - p) ** r * p ** (m - r)),
            "the chances of a right and of a wrong guess have changed places",
        ),
        Mistake(lambda n, m, k: sum(_counts_of_right(2, m)[k:]), "a guess is right with probability 1 / n_classes"),
        Mistake(lambda n, m, k: 1 - (1 - 1 / n) ** m, "this is for at least one; asked is at least n_right"),
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
    labels = torch.randperm(15, generator=generator)
    return torch.cat([one_large, new + 0.03, 0.3 * new]), labels, new  # the last are fainter, and no nearer


def _unlike(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Class 5 holds an image and its negative, class 2 four images that are a little like it; their mean is nearer."""
    one = 0.1 + 0.8 * torch.randint(2, (1, 1, 6, 6), generator=generator)
    flips = torch.stack([torch.randperm(36, generator=generator).view(1, 6, 6) < 11 for _ in range(4)])
    images = torch.cat([one, 1 - one, torch.where(flips, 1 - one, one)])
    return images, torch.tensor([5, 5, 2, 2, 2, 2]), one + 0.05 * torch.randn(3, 1, 6, 6, generator=generator)


def _order(images: Tensor, new: Tensor) -> list[list[int]]:
    """For each new image the rows of the others, nearest first."""
    others = images.flatten(1).tolist()
    rows = [[math.dist(x, z) for z in others] for x in new.flatten(1).tolist()]
    return [sorted(range(len(row)), key=row.__getitem__) for row in rows]


def _labels_by_place(images: Tensor, labels: Tensor, new: Tensor, place: int = 0) -> Tensor:
    return labels[[order[place] for order in _order(images, new)]]


def _of_mean_images(images: Tensor, labels: Tensor, new: Tensor) -> Tensor:
    classes = labels.unique()
    means = torch.stack([images[labels == c].double().flatten(1).mean(dim=0) for c in classes])
    return classes[torch.cdist(new.double().flatten(1), means).argmin(dim=1)]


def _vote(images: Tensor, labels: Tensor, new: Tensor) -> Tensor:
    return torch.stack([labels[order[:3]].mode().values for order in _order(images, new)])


def _ink(images: Tensor) -> Tensor:
    return images.double().flatten(1).sum(dim=1)


def _by_norm(order: float) -> Any:
    return lambda x, y, new: y[(new.double()[:, None] - x.double()).flatten(2).norm(order, dim=2).argmin(1)]


nearest_image = Exercise(
    "nearest_image",
    _labels_by_place,
    {
        "numbers between 0 and 1": Case(_draw_images(as_bytes=False)),
        "bytes": Case(_draw_images(as_bytes=True)),
        "many small differences or a large one": Case(_one_large_or_many_small),
        "a class of unlike images": Case(_unlike),
        "larger images": Case(_draw_images(as_bytes=False, size=9)),
    },
    [
        Mistake(lambda x, y, new: _labels_by_place(x, y, new, -1), "you took the farthest image, not the nearest"),
        Mistake(
            _by_norm(1.0),
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
        Mistake(_by_norm(math.inf), "you looked at the largest difference alone; all pixels count"),
        Mistake(_of_mean_images, "you compared with the mean image of each class; take single images"),
        Mistake(_vote, "you let the three nearest vote; the nearest alone decides"),
        Mistake(
            lambda x, y, new: y[
                (F.normalize(new.flatten(1).double()) @ F.normalize(x.flatten(1).double()).T).argmax(1)
            ],
            "these are cosines, which forget how much ink there is; take distances",
        ),
        Mistake(
            lambda x, y, new: y[(_ink(new)[:, None] - _ink(x)).abs().argmin(1)],
            "you compared how much ink there is; differences in one pixel and another must not cancel",
        ),
    ],
)
