"""The losses on pairs and triplets against NumPy loops, and where theory says that they vanish."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import PROPERTIES, assert_close
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fslbook.networks.losses import contrastive_loss, mean_where, pair_distances, semi_hard_triplet_loss


def random_features(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def loop_contrastive(first: np.ndarray, second: np.ndarray, different: list[int], margin: float) -> float:
    total = 0.0
    for a, b, y in zip(first, second, different, strict=True):
        d = np.sqrt(np.sum((a - b) ** 2))
        total += 0.5 * max(0.0, margin - d) ** 2 if y else 0.5 * d**2
    return total / len(different)


def loop_triplet(features: np.ndarray, labels: np.ndarray, margin: float) -> float:
    losses = []
    for a, p in np.ndindex(len(labels), len(labels)):
        negatives = [np.sum((features[a] - features[n]) ** 2) for n in range(len(labels)) if labels[n] != labels[a]]
        if a == p or labels[a] != labels[p] or not negatives:
            continue
        d_ap = np.sum((features[a] - features[p]) ** 2)
        farther = [d for d in negatives if d > d_ap]
        losses.append(max(0.0, d_ap - (min(farther) if farther else max(negatives)) + margin))
    return float(np.mean(losses))


@PROPERTIES
@given(
    different=st.lists(st.integers(0, 1), min_size=1, max_size=9),
    margin=st.floats(0.1, 5),
    seed=st.integers(0, 999),
)
def test_contrastive_loss_equals_a_loop(different: list[int], margin: float, seed: int) -> None:
    first, second = random_features(2, len(different), 3, seed=seed)
    loss = contrastive_loss(pair_distances(first, second), torch.tensor(different), margin)
    assert_close(loss, np.array(loop_contrastive(first.numpy(), second.numpy(), different, margin)))


def test_contrastive_loss_is_symmetric_in_its_pair() -> None:
    first, second = random_features(2, 6, 4)
    different = torch.tensor([0, 1, 0, 1, 1, 0])
    there = contrastive_loss(pair_distances(first, second), different, margin=3.0)
    assert torch.equal(there, contrastive_loss(pair_distances(second, first), different, margin=3.0))


@pytest.mark.parametrize(
    ("distance", "different", "expected"),
    [(0.0, 0, 0.0), (2.0, 0, 2.0), (0.0, 1, 0.5), (0.5, 1, 0.125), (1.0, 1, 0.0), (7.0, 1, 0.0)],
)
def test_contrastive_loss_vanishes_exactly_where_theory_says(distance: float, different: int, expected: float) -> None:
    assert contrastive_loss(torch.tensor([distance]), torch.tensor([different]), margin=1.0).item() == expected


def test_bool_and_float_pair_labels_mean_the_same() -> None:
    distances = torch.tensor([0.3, 0.6])
    losses = [contrastive_loss(distances, torch.tensor([0, 1]).to(kind)) for kind in (torch.bool, torch.float32)]
    assert torch.equal(*losses)


def test_equal_features_have_a_finite_gradient() -> None:
    first = torch.ones(1, 3, requires_grad=True)
    contrastive_loss(pair_distances(first, torch.ones(1, 3)), torch.tensor([1])).backward()
    assert torch.isfinite(first.grad).all()


def test_gradients_equal_finite_differences() -> None:
    first, second = random_features(2, 5, 3)
    labels = torch.tensor([0, 0, 1, 1, 2])

    def contrastive(a: Tensor, b: Tensor) -> Tensor:
        return contrastive_loss(pair_distances(a, b), torch.tensor([0, 1, 1, 0, 1]), margin=4.0)

    assert torch.autograd.gradcheck(contrastive, (first.requires_grad_(), second.requires_grad_()))
    assert torch.autograd.gradcheck(lambda x: semi_hard_triplet_loss(x, labels, margin=2.0), (first,))


@PROPERTIES
@given(
    labels=st.lists(st.integers(0, 2), min_size=4, max_size=8).filter(lambda y: 1 < len(set(y)) < len(y)),
    margin=st.floats(0.1, 5),
    seed=st.integers(0, 999),
)
def test_triplet_loss_equals_a_loop(labels: list[int], margin: float, seed: int) -> None:
    features, y = random_features(len(labels), 2, seed=seed), torch.tensor(labels)
    expected = loop_triplet(features.numpy(), y.numpy(), margin)
    assert_close(semi_hard_triplet_loss(features, y, margin), np.array(expected))


def test_triplets_stay_within_their_task() -> None:
    features, labels = random_features(3, 6, 2), torch.tensor([0, 0, 1, 1, 2, 2]).expand(3, 6)
    alone = torch.stack([semi_hard_triplet_loss(x, y) for x, y in zip(features, labels, strict=True)])
    assert_close(semi_hard_triplet_loss(features, labels), alone.mean())


def test_triplet_loss_is_zero_once_classes_are_farther_apart_than_the_margin() -> None:
    features = torch.tensor([[0.0], [0.1], [9.0], [9.1]])
    assert semi_hard_triplet_loss(features, torch.tensor([0, 0, 1, 1]), margin=1.0) == 0


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan"), float("inf")])
def test_margins_that_are_not_positive_are_refused(margin: float) -> None:
    with pytest.raises(ValueError, match=r"margin must be (positive|finite), got"):
        contrastive_loss(torch.ones(1), torch.ones(1), margin)
    with pytest.raises(ValueError, match=r"margin must be (positive|finite), got"):
        semi_hard_triplet_loss(torch.ones(3, 1), torch.tensor([0, 0, 1]), margin)


def test_pairs_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one shape, got \[3, 2\] and \[2, 2\]"):
        pair_distances(torch.ones(3, 2), torch.ones(2, 2))
    with pytest.raises(ValueError, match=r"\[3\] distances but \[2\] labels"):
        contrastive_loss(torch.ones(3), torch.ones(2))
    with pytest.raises(ValueError, match=r"need labels \[3\], got \[2\]"):
        semi_hard_triplet_loss(torch.ones(3, 2), torch.tensor([0, 1]))


def test_pair_labels_other_than_0_and_1_are_refused() -> None:
    with pytest.raises(ValueError, match=r"found \[-1, 0, 2\]"):
        contrastive_loss(torch.ones(3), torch.tensor([0, 2, -1]))


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_triplets_need_a_positive_and_a_negative(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="two features of one class and one of another"):
        semi_hard_triplet_loss(torch.ones(3, 2), torch.tensor(labels))


@pytest.mark.parametrize("seed", range(3))
def test_mean_where_is_the_mean_of_the_chosen(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(4, 5, generator=generator)
    chosen = torch.rand(4, 5, generator=generator) < 0.5
    values[0, 0], chosen[0, 0] = torch.inf, False
    torch.testing.assert_close(mean_where(chosen, values), values[chosen].mean())
