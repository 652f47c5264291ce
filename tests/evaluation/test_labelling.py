"""Asking for labels in rounds: what is asked, what is answered, and what it is worth."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from fslbook.data.image_classes import ImageClasses
from fslbook.evaluation.labelling import label_in_rounds
from fslbook.methods.active.pool import Pool
from fslbook.methods.active.strategies import STRATEGIES, balanced, by_chance


def blobs(n_classes: int = 6, m: int = 10, spread: float = 0.3, seed: int = 0) -> ImageClasses:
    generator = Generator().manual_seed(seed)
    centres = 5 * torch.eye(n_classes)
    x = centres.repeat_interleave(m, dim=0) + spread * torch.randn(n_classes * m, n_classes, generator=generator)
    return ImageClasses(x, torch.full((n_classes,), m), tuple("abcdefgh"[:n_classes]))


def test_the_oracle_covers_every_class_and_is_right_on_separate_blobs() -> None:
    classes = blobs()
    curve = label_in_rounds(balanced(classes.labels), classes, blobs(seed=1), (3, 6, 12))
    assert curve.budgets == [3, 6, 12]
    assert curve.coverage == pytest.approx([0.5, 1, 1])
    assert curve.accuracy == pytest.approx([0.5, 1, 1])


def test_each_round_goes_on_from_the_labels_before() -> None:
    asked: list[tuple[list[int], int]] = []

    def noting(pool: Pool, n: int, generator: Generator) -> Tensor:
        asked.append((pool.labelled.tolist(), n))
        return pool.unlabelled[:n]

    label_in_rounds(noting, blobs(), blobs(), (2, 5))
    assert asked == [([], 2), ([0, 1], 3)]


def test_all_wrong_labels_are_never_the_right_one() -> None:
    def seen(pool: Pool, n: int, generator: Generator) -> Tensor:
        wrong = pool.labels == blobs().labels[pool.labelled]
        assert not wrong.any()
        return pool.unlabelled[:n]

    label_in_rounds(seen, blobs(), blobs(), (10, 60), wrong=1.0)


def test_wrong_labels_cost_accuracy() -> None:
    classes, test = blobs(spread=1.0), blobs(spread=1.0, seed=1)
    clean, noisy = (label_in_rounds(by_chance, classes, test, (30,), wrong=w).accuracy[0] for w in (0.0, 0.5))
    assert clean > noisy


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_seed_gives_the_same_curve(name: str) -> None:
    first, again = (label_in_rounds(STRATEGIES[name], blobs(), blobs(), (4, 9), seed=3) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"budgets": (61,)}, "beyond the pool of 60 images"),
        ({"budgets": (5, 5)}, "budgets must rise"),
        ({"budgets": ()}, "budgets must rise"),
        ({"budgets": (0, 5)}, "a budget must be"),
        ({"wrong": 1.5}, "wrong must be a probability"),
        ({"test": blobs(5)}, "the same classes"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, object], words: str) -> None:
    good = {"strategy": by_chance, "pool": blobs(), "test": blobs(), "budgets": (6,)}
    with pytest.raises(ValueError, match=words):
        label_in_rounds(**(good | arguments))  # type: ignore[arg-type]


def test_one_class_leaves_nothing_to_choose() -> None:
    with pytest.raises(ValueError, match="nothing to choose among"):
        label_in_rounds(by_chance, blobs(1), blobs(1), (3,))
