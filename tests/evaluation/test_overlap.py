"""Intersection over union against sets of pixels, and the two ways to take a mean."""

from __future__ import annotations

import math

import pytest
import torch
from helpers import blobs
from torch import Tensor
from torch.nn import functional as F

from fslbook import evaluate
from fslbook.evaluation.overlap import counted_pixels, intersection_over_union, overlap_by_class
from fslbook.methods.base import FewShotMethod
from fslbook.tasks import Episode, SceneSampler, SegmentationTasks


def pixels(labels: Tensor, n: int) -> set[tuple[int, ...]]:
    return {tuple(index) for index in (labels == n).nonzero().tolist()}


def random_labels(seed: int, n_way: int = 3, shape: tuple[int, ...] = (4, 2, 5, 6)) -> Tensor:
    return torch.randint(n_way, shape, generator=torch.Generator().manual_seed(seed))


def test_pixels_are_counted_as_sets_count_them() -> None:
    said, labels = random_labels(0), random_labels(1)
    both, either = counted_pixels(said, labels, 3)
    for task in range(4):
        for n in range(3):
            a, b = pixels(said[task], n), pixels(labels[task], n)
            assert both[task, n] == len(a & b)
            assert either[task, n] == len(a | b)


def test_the_score_of_a_task_is_the_mean_over_its_classes() -> None:
    said, labels = random_labels(2), random_labels(3)
    logits = F.one_hot(said, 3).movedim(-1, 2).float()  # [B, Q, N, H, W]
    for task, score in enumerate(intersection_over_union(logits, labels).tolist()):
        shares = []
        for n in (1, 2):
            a, b = pixels(said[task], n), pixels(labels[task], n)
            shares.append(len(a & b) / len(a | b))
        assert score == pytest.approx(sum(shares) / 2)


def test_a_class_that_is_not_there_counts_nothing_unless_it_was_marked() -> None:
    nothing, one = torch.zeros(1, 1, 2, 2, dtype=torch.int64), torch.zeros(1, 1, 2, 2, dtype=torch.int64)
    one[..., 0, 0] = 1

    def score(said: Tensor, labels: Tensor) -> float:
        return intersection_over_union(F.one_hot(said, 3).movedim(-1, 2).float(), labels).item()

    assert score(nothing, nothing) == 1
    assert score(one, nothing) == 0
    assert score(nothing, one) == 0
    assert score(one, one) == 1  # class 2 plays no part
    assert score(one + 2 * (torch.arange(4).view(1, 1, 2, 2) == 3), one) == 0.5  # a pixel of class 2 marked


class AllInk(FewShotMethod):
    """Says class 1 wherever there is ink."""

    def forward(self, episode: Episode) -> Tensor:
        ink = episode.query_x[:, :, 0]  # [B, Q, H, W]
        absent = torch.full_like(ink, -1.0)
        return torch.stack([0.5 - ink, ink - 0.5, *[absent] * (episode.n_way - 2)], dim=2)  # [B, Q, N + 1, H, W]


def test_a_figure_for_each_class_is_summed_over_its_tasks() -> None:
    scenes = SceneSampler(blobs(5, 8), n_way=2, n_distractors=1, size=20, seed=2)
    found = overlap_by_class(AllInk(), scenes, 2)
    sums: dict[int, list[int]] = {}
    for _ in range(2):
        task = scenes.sample()
        said, labels = (task.query_x[0, :, 0] > 0.5).long(), task.segmentation().query_y[0]
        for n, c in [(0, 5), *((n + 1, int(c)) for n, c in enumerate(task.classes[0]))]:
            a, b = pixels(said, n), pixels(labels, n)
            old = sums.get(c, [0, 0])
            sums[c] = [old[0] + len(a & b), old[1] + len(a | b)]
    expected = {c: both / either for c, (both, either) in sums.items()}
    assert len(sums) < 6  # a class never came
    for c in range(5):
        share = found.by_class[c].item()
        assert share == pytest.approx(expected[c]) if c in expected else math.isnan(share)
    classes = [share for c, share in expected.items() if c < 5]
    assert found.mean_iou == pytest.approx(sum(classes) / len(classes))
    foreground = sum(sums[c][0] for c in sums if c < 5) / sum(sums[c][1] for c in sums if c < 5)
    assert found.foreground_background_iou == pytest.approx((foreground + expected[5]) / 2)


def test_evaluate_takes_the_score_and_the_sampler_is_left_alone() -> None:
    scenes = SceneSampler(blobs(5, 8), n_distractors=1, size=20)
    tasks = SegmentationTasks(scenes)
    result = evaluate(AllInk(), tasks, 8, score=intersection_over_union)
    episode = tasks.restarted().sample(8)
    expected = intersection_over_union(AllInk()(episode), episode.targets)
    assert result.mean == pytest.approx(expected.mean().item())
    before = scenes.generator.get_state()
    overlap_by_class(AllInk(), scenes, 3)
    assert torch.equal(scenes.generator.get_state(), before)
