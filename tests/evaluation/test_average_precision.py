"""Average precision against pycocotools and against loops over the definition, on random boxes."""

from __future__ import annotations

import contextlib
import io
from fractions import Fraction

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor

from fslbook.evaluation.average_precision import COCO_THRESHOLDS, average_precision, hits

PRIMES = (3, 7, 11, 13)  # so that no recall but 0 and 1 is a multiple of 1/100, where coco's own floats are undecided


def random_boxes(n: int, generator: torch.Generator) -> Tensor:
    corner, sides = torch.rand(n, 2, generator=generator) * 20, 4 + torch.rand(n, 2, generator=generator) * 8
    return torch.cat([corner, corner + sides], dim=1)


def random_case(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """True boxes in four pictures; detections near them, doubles of those, and some anywhere."""
    generator = torch.Generator().manual_seed(seed)
    n_truth = PRIMES[seed % len(PRIMES)]
    truth = random_boxes(n_truth, generator)
    truth_pictures = torch.randint(4, (n_truth,), generator=generator)
    near = torch.randint(n_truth, (n_truth + seed % 5,), generator=generator)
    shift = torch.randn(len(near), 1, generator=generator).repeat(1, 4)
    boxes = torch.cat([truth[near] + shift, random_boxes(6, generator)])
    pictures = torch.cat([truth_pictures[near], torch.randint(4, (6,), generator=generator)])
    return boxes, torch.rand(len(boxes), generator=generator), pictures, truth, truth_pictures


def as_coco(boxes: Tensor) -> list[list[float]]:
    return torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1).double().tolist()


def of_pycocotools(case: tuple[Tensor, ...]) -> np.ndarray:
    """Precision at 101 recalls for each of the ten thresholds, [10, 101]."""
    boxes, scores, pictures, truth, truth_pictures = case
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        rows = zip(as_coco(truth), truth_pictures.tolist(), strict=True)
        coco.dataset = {
            "images": [{"id": picture} for picture in range(4)],
            "categories": [{"id": 1}],
            "annotations": [
                {"id": n + 1, "image_id": p, "category_id": 1, "bbox": b, "area": b[2] * b[3], "iscrowd": 0}
                for n, (b, p) in enumerate(rows)
            ],
        }
        coco.createIndex()
        found = zip(as_coco(boxes), scores.tolist(), pictures.tolist(), strict=True)
        rows = [{"image_id": p, "category_id": 1, "bbox": b, "score": s} for b, s, p in found]
        judge = COCOeval(coco, coco.loadRes(rows), "bbox")
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"][:, :, 0, 0, -1]


@pytest.mark.parametrize("block", range(10))
def test_101_points_are_those_of_pycocotools_on_1000_random_cases(block: int) -> None:
    for seed in range(100 * block, 100 * (block + 1)):
        case = random_case(seed)
        expected = of_pycocotools(case).mean(axis=1)
        ours = [average_precision(hits(*case, t), case[1], len(case[3]), "101 points") for t in COCO_THRESHOLDS]
        np.testing.assert_allclose(ours, expected, atol=1e-9)


def looped_precision(right: list[bool], n_truth: int, points: int | None) -> Fraction:
    """By the definition, in fractions; `right` is in the order of the scores."""
    curve = [(Fraction(sum(right[: n + 1]), n_truth), Fraction(sum(right[: n + 1]), n + 1)) for n in range(len(right))]

    def best(recall: Fraction) -> Fraction:
        return max((p for r, p in curve if r >= recall), default=Fraction(0))

    if points is None:
        return sum((best(Fraction(k, n_truth)) for k in range(1, n_truth + 1)), Fraction(0)) / n_truth
    return sum((best(Fraction(k, points - 1)) for k in range(points)), Fraction(0)) / points


@pytest.mark.parametrize(("rule", "points"), [("all points", None), ("11 points", 11), ("101 points", 101)])
def test_each_rule_is_its_definition_in_fractions(rule: str, points: int | None) -> None:
    generator = torch.Generator().manual_seed(0)
    for n_truth in (1, 2, 4, 5, 10, 20, 7):  # most of them divide 100: recalls fall exactly on the points
        for n_found in (0, 1, 6, 15):
            right = torch.rand(n_found, generator=generator) < 0.6
            right &= right.cumsum(dim=0) <= n_truth
            scores = torch.linspace(1, 0, n_found)
            expected = looped_precision(right.tolist(), n_truth, points)
            assert average_precision(right, scores, n_truth, rule) == pytest.approx(float(expected), abs=1e-12)


def test_the_order_of_the_scores_counts_and_not_that_of_the_list() -> None:
    boxes, scores, pictures, truth, truth_pictures = random_case(3)
    order = torch.randperm(len(boxes), generator=torch.Generator().manual_seed(1))
    straight = hits(boxes, scores, pictures, truth, truth_pictures)
    shuffled = hits(boxes[order], scores[order], pictures[order], truth, truth_pictures)
    assert torch.equal(shuffled, straight[order])
    assert straight.any()
    precision = average_precision(straight, scores, len(truth))
    assert average_precision(shuffled, scores[order], len(truth)) == precision


def test_a_box_is_found_once_and_only_in_its_picture() -> None:
    box, scores = torch.tensor([[0.0, 0.0, 4.0, 4.0]]), torch.tensor([0.9, 0.8, 0.7])
    zero, pictures = torch.tensor([0]), torch.tensor([1, 0, 0])
    assert hits(box.repeat(3, 1), scores, pictures, box, zero).tolist() == [False, True, False]
