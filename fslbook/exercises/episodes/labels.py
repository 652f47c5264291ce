"""A check of chapter 2's exercises: classes are split, never images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


def class_ids(n_classes: int, uneven: bool, generator: Generator) -> Tensor:
    """Ids with gaps, one for each image [M].

    Args:
        n_classes: how many different ones.
        uneven: classes with 8 to 12 images in any order, instead of 10 images, class after class.
        generator: draws them.

    Example:
        >>> class_ids(3, False, torch.Generator()).shape
        torch.Size([30])
    """
    ids = torch.randperm(5 * n_classes, generator=generator)[:n_classes]
    counts = torch.randint(8, 13, (n_classes,), generator=generator) if uneven else torch.full((n_classes,), 10)
    labels = ids.repeat_interleave(counts)
    return labels[torch.randperm(len(labels), generator=generator)] if uneven else labels


def _draw_split(n_classes: int, n_novel: int, uneven: bool = False) -> Any:
    return lambda generator: (class_ids(n_classes, uneven, generator), n_novel)


def _split_fault(answer: Any, labels: Tensor, n_novel: int) -> str | None:
    if fault := not_rows(answer, 2, len(labels)):
        return fault
    base, novel = (rows.cpu() for rows in answer)
    ids = labels.cpu()
    rows = torch.cat([base, novel])
    if {*rows.tolist()} == {*ids.tolist()} and len(rows) == len(ids.unique()) < len(ids):
        return "these are ids of classes; asked are the rows of their images"
    if shared := {*ids[base].tolist()} & {*ids[novel].tolist()}:
        return f"{len(shared)} of {len(ids.unique())} classes are on both sides: images were split, not classes"
    found = len(ids[novel].unique())
    if found == len(ids.unique()) - n_novel != n_novel:
        return f"base and novel have changed places: {found} classes are novel, wanted are {n_novel}"
    if found != n_novel:
        return f"{found} classes are novel, wanted are {n_novel}"
    if len(rows) != len(ids) or len(rows.unique()) != len(ids):
        return "every image must be on one side, exactly once"
    return at_one_end(ids, ids[novel].unique())


def at_one_end(ids: Tensor, chosen: Tensor) -> str | None:
    """What is said if `chosen` are the first or the last classes, or a block of neighbours, or None.

    With fewer than 40 classes nothing is said; with more, chance does that less than once in a billion times.

    Args:
        ids: class of each image [M].
        chosen: the classes that were chosen [C].

    Example:
        >>> at_one_end(torch.arange(50), torch.arange(20))
        'the classes at one end are taken; chance must choose them'
        >>> at_one_end(torch.arange(50), torch.arange(10, 30))
        'the classes are neighbours in the data set; chance must choose each of them'
        >>> at_one_end(torch.arange(50), torch.arange(0, 40, 2)) is None
        True
    """
    if len(ids.unique()) < 40:
        return None
    for order in (ids.unique().tolist(), list(dict.fromkeys(ids.tolist()))):
        if {*chosen.tolist()} in ({*order[: len(chosen)]}, {*order[-len(chosen) :]}):
            return "the classes at one end are taken; chance must choose them"
        taken = [c in chosen.tolist() for c in order]
        if sum(a != b for a, b in zip(taken, [taken[-1], *taken], strict=False)) == 2:
            return "the classes are neighbours in the data set; chance must choose each of them"
    return None


def not_rows(answer: Any, n_parts: int, n_images: int) -> str | None:
    """What is wrong with an answer that should be `n_parts` lists of row numbers, or None.

    Args:
        answer: anything.
        n_parts: how many tensors it should hold, each int64 [R].
        n_images: the numbers must be below.

    Example:
        >>> not_rows([torch.tensor([0, 9])], 1, 9)
        'part 1 has numbers outside 0..8'
    """
    if not isinstance(answer, (tuple, list)) or len(answer) != n_parts:
        return f"return {n_parts} tensors"
    for part, x in enumerate(answer, 1):
        if not isinstance(x, Tensor) or x.dtype != torch.int64 or x.ndim != 1:
            return f"part {part} must be a tensor of whole numbers (int64) with one dimension"
        if len(x) and not 0 <= int(x.min()) <= int(x.max()) < n_images:
            return f"part {part} has numbers outside 0..{n_images - 1}"
    return None


def _same_classes(first: Any, second: Any, labels: Tensor, n_novel: int) -> str | None:
    if {*labels[first[1]].tolist()} != {*labels[second[1]].tolist()}:
        return None
    return "called twice, it chose the same classes: chance must decide anew, so set no seed inside the function"


def _by_ids(labels: Tensor, novel_ids: Tensor) -> tuple[Tensor, Tensor]:
    novel = torch.isin(labels, novel_ids.to(labels.device))
    return (~novel).nonzero()[:, 0], novel.nonzero()[:, 0]


def shuffled(x: Tensor) -> Tensor:
    """The same rows in random order.

    Args:
        x: any shape [R, ...].

    Example:
        >>> shuffled(torch.arange(5)).sort().values
        tensor([0, 1, 2, 3, 4])
    """
    return x[torch.randperm(len(x))]


def _split_images(labels: Tensor, n_novel: int) -> tuple[Tensor, Tensor]:
    rows, n = shuffled(torch.arange(len(labels))), n_novel * len(labels) // len(labels.unique())
    return rows[n:], rows[:n]


def _one_image_a_class(labels: Tensor, n_novel: int) -> tuple[Tensor, Tensor]:
    classes = shuffled(labels.unique()).tolist()
    first = [int((labels == c).nonzero()[0, 0]) for c in classes]
    return torch.tensor(first[n_novel:]), torch.tensor(first[:n_novel])


def _seeded(labels: Tensor, n_novel: int) -> tuple[Tensor, Tensor]:
    classes = labels.unique()
    order = torch.randperm(len(classes), generator=torch.Generator().manual_seed(0))
    return _by_ids(labels, classes[order[:n_novel]])


split_by_class = Exercise(
    "split_by_class",
    lambda labels, n: _by_ids(labels, shuffled(labels.unique())[:n]),
    {
        "forty classes": Case(_draw_split(40, 15), _split_fault, again=_same_classes),
        "uneven classes in any order": Case(_draw_split(40, 20, uneven=True), _split_fault),
        "a single base class": Case(_draw_split(8, 7), _split_fault),
    },
    [
        Mistake(_split_images, "classes are on both sides: images were split, not classes"),
        Mistake(
            lambda labels, n: _by_ids(labels, labels.unique()[-n:]),
            "the classes at one end are taken; chance must choose them",
        ),
        Mistake(
            lambda labels, n: _by_ids(labels, shuffled(labels.unique())[n:]),
            lambda labels, n: (
                f"base and novel have changed places: {len(labels.unique()) - n} classes are novel, wanted are {n}"
            ),
        ),
        Mistake(
            lambda labels, n: _by_ids(labels, labels.unique().roll(-3)[:n]),
            "the classes are neighbours in the data set; chance must choose each of them",
        ),
        Mistake(_seeded, "called twice, it chose the same classes"),
        Mistake(_one_image_a_class, "every image must be on one side, exactly once"),
    ],
)
