"""Soft k-means in its three forms against loops in NumPy; pseudo-labels against sorting by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import assert_close, feature_episode
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook import ClusterSoftKMeans, Episode, MaskedSoftKMeans, PrototypicalNetwork, SelfTraining, SoftKMeans
from fslbook.methods.unlabelled.distractors import five_numbers
from fslbook.methods.unlabelled.self_training import surest

Shares = Callable[[np.ndarray, np.ndarray], np.ndarray]


def with_unlabelled(u: int = 7, batch: int = 2) -> Episode:
    episode = feature_episode((1, 3, 2), batch=batch, n_query=4, features=6)
    unlabelled = torch.randn(batch, u, 6, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    return replace(episode, unlabelled_x=unlabelled)


UNEVEN = with_unlabelled()


def loop_refined(episode: Episode, steps: int, shares: Shares) -> np.ndarray:
    """Prototypes of each task, image by image."""
    assert episode.unlabelled_x is not None
    found = []
    for support, y, unlabelled in zip(episode.support_x, episode.support_y, episode.unlabelled_x, strict=True):
        s, u, labels = support.numpy(), unlabelled.numpy(), y.numpy()
        centres = np.array([s[labels == n].mean(axis=0) for n in range(episode.n_way)])
        for _ in range(steps):
            z = shares(u, centres)  # [U, N]
            new = []
            for n in range(episode.n_way):
                total, count = s[labels == n].sum(axis=0), float((labels == n).sum())
                for j in range(len(u)):
                    total, count = total + z[j, n] * u[j], count + z[j, n]
                new.append(total / count)
            centres = np.array(new)
        found.append(centres)
    return np.array(found)


def squared(u: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.array([[np.sum((x - c) ** 2) for c in centres] for x in u])


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("scale", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("steps", [0, 1, 2, 10])
def test_soft_k_means_equals_the_loop(steps: int, scale: float) -> None:
    method = SoftKMeans(nn.Identity(), steps, scale)
    expected = loop_refined(UNEVEN, steps, lambda u, c: softmax(-scale * squared(u, c)))
    assert_close(method.refined(UNEVEN), expected)
    queries = UNEVEN.query_x.numpy()
    logits = [
        [[-scale * np.sum((q - c) ** 2) for c in centres] for q in x]
        for x, centres in zip(queries, expected, strict=True)
    ]
    assert_close(method(UNEVEN), np.array(logits))


@pytest.mark.parametrize("centre", [None, torch.tensor([1.0, 0, -1, 0, 2, 0], dtype=torch.float64)])
@pytest.mark.parametrize("steps", [1, 3])
def test_the_cluster_form_equals_the_loop(steps: int, centre: Tensor | None) -> None:
    method = ClusterSoftKMeans(nn.Identity(), steps, 0.5, radius=1.7, centre=centre).double()
    place = np.zeros(6) if centre is None else centre.numpy()

    def shares(u: np.ndarray, centres: np.ndarray) -> np.ndarray:
        other = -0.5 * ((u - place) ** 2).sum(axis=1) / 1.7**2 - np.log(1.7)
        return softmax(np.column_stack([-0.5 * squared(u, centres), other]))[:, :-1]

    expected = torch.from_numpy(loop_refined(UNEVEN, steps, shares))
    torch.testing.assert_close(method.refined(UNEVEN), expected, rtol=1e-6, atol=1e-6)  # the radius began in float32


@pytest.mark.parametrize("steps", [1, 3])
def test_the_masked_form_equals_the_loop(steps: int) -> None:
    torch.manual_seed(0)
    method = MaskedSoftKMeans(nn.Identity(), steps, 0.7, hidden=4).double()
    for weight in method.masks.parameters():
        nn.init.normal_(weight, std=0.5)

    def shares(u: np.ndarray, centres: np.ndarray) -> np.ndarray:
        d, kept = squared(u, centres), []
        for n in range(len(centres)):
            r = d[:, n] / d[:, n].mean()
            m, v = r.mean(), r.var()
            about = [r.min(), r.max(), v, ((r - m) ** 3).mean() / v**1.5, ((r - m) ** 4).mean() / v**2 - 3]
            threshold, slope = method.masks(torch.tensor(about)).detach().numpy()
            kept.append(1 / (1 + np.exp(slope * (r - threshold))))
        return softmax(-0.7 * d) * np.array(kept).T

    assert_close(method.refined(UNEVEN).detach(), loop_refined(UNEVEN, steps, shares))


def test_five_numbers_of_equal_distances_are_finite() -> None:
    assert five_numbers(torch.ones(1, 4, 2)).tolist() == [[[1, 1, 0, 0, -3]] * 2]


def test_no_step_is_the_prototypical_network_and_a_far_distractor_is_left_out() -> None:
    plain = PrototypicalNetwork(nn.Identity())(UNEVEN)
    assert_close(SoftKMeans(nn.Identity(), steps=0)(UNEVEN), plain)
    assert UNEVEN.unlabelled_x is not None
    far = replace(UNEVEN, unlabelled_x=UNEVEN.unlabelled_x + 1000)
    assert (SoftKMeans(nn.Identity()).refined(far) - SoftKMeans(nn.Identity(), 0).refined(far)).abs().max() > 10
    centre = torch.full((6,), 1000.0, dtype=torch.float64)
    kept = ClusterSoftKMeans(nn.Identity(), scale=1.0, centre=centre).double()(far)
    assert_close(kept, plain)


@pytest.mark.parametrize("kind", [SoftKMeans, ClusterSoftKMeans, MaskedSoftKMeans, SelfTraining])
def test_the_order_of_the_unlabelled_images_and_company_of_queries_do_not_matter(kind: type[SoftKMeans]) -> None:
    method = kind(nn.Identity(), 2).double()
    assert UNEVEN.unlabelled_x is not None
    other = replace(UNEVEN, unlabelled_x=UNEVEN.unlabelled_x[:, torch.randperm(7)])
    assert_close(method(other).detach(), method(UNEVEN).detach())
    assert_close(method.one_at_a_time(UNEVEN).detach(), method(UNEVEN).detach())
    assert not method.queries_see_each_other


def test_no_gradient_passes_through_plain_shares_and_it_passes_elsewhere() -> None:
    """Against finite differences in which the shares are held fast."""
    layer = nn.Linear(6, 4).double()
    fixed: list[Tensor] = []

    class Held(SoftKMeans):
        def shares(self, unlabelled: Tensor, centres: Tensor) -> Tensor:
            if not fixed:
                fixed.append(super().shares(unlabelled, centres))
            return fixed[0]

    def loss(method: SoftKMeans, weight: Tensor) -> Tensor:
        embedded = UNEVEN.map(lambda x: F.linear(x, weight, layer.bias))
        return F.cross_entropy(method.classify(embedded).flatten(0, 1), UNEVEN.targets.flatten())

    held = Held(nn.Identity(), scale=0.3)
    assert torch.autograd.gradcheck(lambda w: loss(held, w), layer.weight)
    gradients = [torch.autograd.grad(loss(m, layer.weight), layer.weight)[0] for m in (held, SoftKMeans(held.encoder))]
    again = torch.autograd.grad(loss(SoftKMeans(nn.Identity(), scale=0.3), layer.weight), layer.weight)[0]
    assert_close(again, gradients[0])
    assert not torch.allclose(gradients[1], gradients[0])


@pytest.mark.parametrize("kind", [ClusterSoftKMeans, MaskedSoftKMeans])
def test_radius_and_masks_are_learned(kind: type[SoftKMeans]) -> None:
    method = kind(nn.Identity()).double()
    method.loss(UNEVEN).backward()
    assert all(p.grad is not None for p in method.parameters())
    assert any(p.grad.abs().max() > 0 for p in method.parameters() if p.grad is not None)


@pytest.mark.parametrize("per_class", [1, 2, None])
def test_the_surest_images_of_each_class_by_hand(per_class: int | None) -> None:
    logits = torch.randn(3, 12, 4, generator=torch.Generator().manual_seed(0))
    expected = torch.zeros_like(logits)
    for b, task in enumerate(logits):
        p = task.softmax(dim=1)
        for n in range(4):
            own = sorted((-p[u, n].item(), u) for u in range(12) if p[u].argmax() == n)
            for _, u in own[:per_class]:
                expected[b, u, n] = 1
    assert torch.equal(surest(logits, per_class), expected)


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_self_training_with_all_images_is_k_means_with_hard_shares(rounds: int) -> None:
    expected = loop_refined(UNEVEN, rounds, lambda u, c: np.eye(3)[squared(u, c).argmin(axis=1)])
    queries = UNEVEN.query_x.numpy()
    logits = [-squared(x, centres) for x, centres in zip(queries, expected, strict=True)]
    assert_close(SelfTraining(nn.Identity(), rounds)(UNEVEN), np.array(logits))


def test_self_training_believes_the_surest_alone() -> None:
    """One step by hand: class 0 at 0, class 1 at 10; the images at 1 and 4 are class 0's, that at 1 is surer."""
    x, y = torch.tensor([[[0.0], [10.0]]]), torch.tensor([[0, 1]])
    task = Episode(x, y, torch.tensor([[[0.0]]]), None, 2, unlabelled_x=torch.tensor([[[4.0], [1.0]]]))
    logits = SelfTraining(nn.Identity(), per_class=1)(task)
    assert_close(logits, torch.tensor([[[-0.25, -100.0]]]))
