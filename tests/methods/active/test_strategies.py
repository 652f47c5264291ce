"""Scores of doubt, typicality, k-centre and clusters against loops and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from fslbook.methods.active.pool import Pool
from fslbook.methods.active.scores import entropy, least_confidence, smallest_margin, typicality
from fslbook.methods.active.strategies import STRATEGIES, Strategy, balanced, by_chance, k_centre, typical

NONE = torch.empty(0, dtype=torch.int64)


def pool(m: int = 30, labelled: tuple[int, ...] = (0, 7), n_way: int = 3, seed: int = 0) -> Pool:
    features = torch.randn(m, 4, generator=Generator().manual_seed(seed))
    return Pool(features, torch.tensor(labelled, dtype=torch.int64), torch.arange(len(labelled)) % n_way, n_way)


def test_scores_of_doubt_equal_loops() -> None:
    p = torch.rand(20, 4, generator=Generator().manual_seed(0))
    p = torch.cat([p / p.sum(dim=1, keepdim=True), torch.tensor([[0.0, 1.0, 0.0, 0.0]])])
    for row, a, b, c in zip(p.double().tolist(), least_confidence(p), smallest_margin(p), entropy(p), strict=True):
        first, second, *_ = sorted(row, reverse=True)
        assert a.item() == pytest.approx(1 - first, abs=1e-6)
        assert b.item() == pytest.approx(second - first, abs=1e-6)
        assert c.item() == pytest.approx(-sum(x * math.log(x) for x in row if x), abs=1e-6)


@pytest.mark.parametrize("k", [1, 3, 100])
def test_typicality_equals_the_loop(k: int) -> None:
    x = torch.randn(12, 3, generator=Generator().manual_seed(1))
    for i, found in enumerate(typicality(x, k)):
        apart = sorted(float(np.linalg.norm(x[i].double() - x[j].double())) for j in range(12) if j != i)[:k]
        assert found.item() == pytest.approx(1 / (sum(apart) / len(apart) + 1e-5), rel=1e-4)


def test_k_centre_takes_the_farthest_image_again_and_again() -> None:
    given = pool()
    x, centres, expected = given.features.double().numpy(), [0, 7], []
    for _ in range(6):
        nearest = [min(np.linalg.norm(x[i] - x[j]) for j in centres) for i in range(len(x))]
        expected.append(int(np.argmax(nearest)))
        centres.append(expected[-1])
    assert k_centre(given, 6, Generator()).tolist() == expected


def test_typical_images_come_from_different_clusters_and_from_their_middle() -> None:
    generator = Generator().manual_seed(2)
    centres = torch.tensor([[0.0, 0.0], [20.0, 0.0], [0.0, 20.0], [20.0, 20.0]])
    x = centres.repeat_interleave(15, dim=0) + torch.randn(60, 2, generator=generator)
    chosen = typical(Pool(x, NONE, NONE, 4), 4, generator)
    assert sorted((chosen // 15).tolist()) == [0, 1, 2, 3]
    typical_ones = torch.cat([typicality(part, 7) for part in x.split(15)])
    assert all(typical_ones[i] == typical_ones[i // 15 * 15 : i // 15 * 15 + 15].max() for i in chosen.tolist())
    labelled = Pool(x, torch.tensor([0, 20]), torch.tensor([0, 1]), 4)  # two of four clusters have a label
    assert sorted((typical(labelled, 2, generator) // 15).tolist()) == [2, 3]


def test_doubt_lies_between_the_classes() -> None:
    x = torch.tensor([[0.0], [1.0], [2.05], [3.0], [4.0], [2.6]])
    given = Pool(x, torch.tensor([0, 4]), torch.tensor([0, 1]), 2)
    for name in ("least confidence", "entropy", "margin"):
        assert STRATEGIES[name](given, 2, Generator()).tolist() == [2, 5], name


def test_the_oracle_keeps_the_classes_even() -> None:
    labels = torch.tensor([0] * 20 + [1] * 6 + [2] * 4)
    given = Pool(torch.rand(30, 2), torch.tensor([0, 1, 2]), torch.tensor([0, 0, 0]), 3)
    chosen = balanced(labels)(given, 7, Generator().manual_seed(0))
    assert labels[chosen].bincount(minlength=3).add(torch.tensor([3, 0, 0])).tolist() == [4, 3, 3]


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("labelled", [(), (0, 7)])
def test_every_strategy_names_free_images_once_and_repeats_itself(name: str, labelled: tuple[int, ...]) -> None:
    given = pool(labelled=labelled)
    first, again = (STRATEGIES[name](given, 9, Generator().manual_seed(5)) for _ in range(2))
    assert first.tolist() == again.tolist()
    assert len({*first.tolist()} - {*labelled}) == 9
    every = STRATEGIES[name](given, 30 - len(labelled), Generator())
    assert sorted([*every.tolist(), *labelled]) == [*range(30)]


@pytest.mark.parametrize("strategy", [*STRATEGIES.values(), balanced(torch.zeros(30, dtype=torch.int64))])
@pytest.mark.parametrize("n", [0, -1, 29])
def test_a_budget_beyond_the_pool_is_refused(strategy: Strategy, n: int) -> None:
    with pytest.raises(ValueError, match=r"n must be a whole number|only 28 images of the pool have none"):
        strategy(pool(), n, Generator())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features": torch.full((3, 2), float("nan"))}, "NaN or infinity"),
        ({"features": torch.zeros(0, 2)}, "at least 1 rows"),
        ({"n_way": 1}, "n_way"),
        ({"labelled": torch.tensor([3])}, r"labelled must lie in 0\.\.2"),
        ({"labels": torch.tensor([2])}, r"labels must lie in 0\.\.1"),
        ({"labelled": torch.tensor([0, 0]), "labels": torch.tensor([0, 1])}, "each image once"),
        ({"labels": torch.tensor([0, 1])}, "each image once"),
        ({"labels": torch.tensor([0.0])}, "labels must be int64"),
    ],
)
def test_what_is_no_pool_is_refused(change: dict[str, object], words: str) -> None:
    good = {"features": torch.rand(3, 2), "labelled": torch.tensor([1]), "labels": torch.tensor([0]), "n_way": 2}
    with pytest.raises(ValueError, match=words):
        Pool(**(good | change))  # type: ignore[arg-type]


@pytest.mark.parametrize("score", [least_confidence, smallest_margin, entropy])
@pytest.mark.parametrize("bad", [torch.rand(3), torch.rand(3, 1), torch.full((2, 2), float("nan"))])
def test_what_are_no_probabilities_is_refused(score: object, bad: Tensor) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        score(bad)  # type: ignore[operator]


def test_by_chance_every_image_is_as_likely() -> None:
    counts = torch.zeros(30)
    generator = Generator().manual_seed(0)
    for _ in range(3000):
        counts[by_chance(pool(), 3, generator)] += 1
    assert counts[[0, 7]].sum() == 0
    assert (counts[1:7] / 3000 - 3 / 28).abs().max() < 0.025
