"""Average precision of boxes, by each of its three rules.

Detections of a class are sorted by their score, over all pictures together. From the surest on, each takes the free
true box of its picture that it overlaps most, and is a hit if the overlap reaches a threshold. Precision and recall
after each detection make a curve, and the rules differ in how they sum it up: at 11 points or at all (Everingham et al.
2010, "The PASCAL Visual Object Classes Challenge", section 4.2), or at 101 (Lin et al. 2014, "Microsoft COCO").
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from fslbook.common.arguments import check_whole_number

Rule = Literal["all points", "11 points", "101 points"]
COCO_THRESHOLDS = tuple(step / 100 for step in range(50, 100, 5))


def hits(
    boxes: Tensor, scores: Tensor, pictures: Tensor, truth: Tensor, truth_pictures: Tensor, threshold: float = 0.5
) -> Tensor:
    """Which detections of one class are right, bool [D], in the order given.

    A true box is taken once; detections of equal score come in the order given.

    Args:
        boxes: detected, x1, y1, x2, y2, float [D, 4].
        scores: larger is surer, float [D].
        pictures: in which picture, int64 [D].
        truth: the true boxes of the class, float [G, 4].
        truth_pictures: in which picture, int64 [G].
        threshold: the overlap (intersection over union) that counts as found, above 0 and at most 1.

    Raises:
        ValueError: shapes do not fit, a box has no area, a score is NaN, or the threshold is out of range.

    Example:
        >>> box, here = torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([0])
        >>> hits(box.repeat(2, 1), torch.tensor([0.5, 0.9]), here.repeat(2), box, here)  # the surer one takes it
        tensor([False,  True])
    """
    from torchvision.ops import box_iou  # here: it takes longer than the rest of the package, and few need it

    _check_boxes("boxes", boxes, pictures)
    _check_boxes("truth", truth, truth_pictures)
    if scores.shape != boxes.shape[:1] or scores.isnan().any():
        raise ValueError(f"scores must be {len(boxes)} numbers, one for each box, got {[*scores.shape]} or NaN")
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie above 0 and be at most 1, got {threshold}")
    overlap = box_iou(boxes, truth) * (pictures[:, None] == truth_pictures)  # [D, G]
    right = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    for detection in scores.argsort(descending=True, stable=True).tolist() if len(truth) else ():
        most, taken = overlap[detection].max(dim=0)
        if most >= threshold:
            right[detection] = True
            overlap[:, taken] = 0.0
    return right


def average_precision(right: Tensor, scores: Tensor, n_truth: int, rule: Rule = "all points") -> float:
    """Area under the curve of precision over recall, between 0 and 1.

    Precision at a recall is the best precision at that recall or above. "All points" takes the exact area, the other
    rules the mean precision at evenly spaced recalls from 0 to 1.

    Args:
        right: whether each detection is a hit, bool [D], as `hits` says.
        scores: larger is surer, float [D].
        n_truth: how many true boxes there are, at least 1.
        rule: one of `Rule`.

    Raises:
        ValueError: no true box, more hits than true boxes, `right` is not bool, a score is NaN, shapes that differ, or
            an unknown rule.

    Example:
        >>> right, scores = torch.tensor([True, False, True]), torch.tensor([0.9, 0.8, 0.7])
        >>> average_precision(right, scores, n_truth=2)  # half of the area at precision 1, half at 2 / 3
        0.8333333333333333
    """
    n_truth = check_whole_number("n_truth", n_truth, least=1)
    if right.shape != scores.shape or right.ndim != 1:
        raise ValueError(f"right and scores must both be [D], got {[*right.shape]} and {[*scores.shape]}")
    if right.dtype != torch.bool or scores.isnan().any():
        raise ValueError(f"right must be bool and no score NaN, got {right.dtype} and scores {[*scores.shape]}")
    if rule not in get_args(Rule):
        raise ValueError(f"rule must be one of {', '.join(get_args(Rule))}, got {rule!r}")
    found = right[scores.argsort(descending=True, stable=True)].cumsum(dim=0).cpu()  # [D]
    if len(found) and int(found[-1]) > n_truth:
        raise ValueError(f"{int(found[-1])} hits, but only {n_truth} true boxes: a box was counted twice")
    precision = found.double() / torch.arange(1, len(found) + 1)  # [D]
    best = precision.flip(0).cummax(dim=0).values.flip(0) if len(found) else precision  # from here on
    if rule == "all points":
        gained = torch.cat([found[:1], found.diff()]).double() / n_truth  # recall that each detection adds
        return float((gained * best).sum())
    steps = int(rule.split()[0]) - 1
    # Recall reaches k / steps, in whole numbers: found / n_truth >= k / steps.
    first = torch.searchsorted(found * steps, torch.arange(steps + 1) * n_truth)  # [steps + 1]
    return float(torch.cat([best, best.new_zeros(1)])[first].mean())


def _check_boxes(name: str, boxes: Tensor, pictures: Tensor) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != 4 or pictures.shape != boxes.shape[:1]:
        raise ValueError(f"{name} must be [number, 4] with a picture each, got {[*boxes.shape]}, {[*pictures.shape]}")
    if not (boxes[:, 2:] > boxes[:, :2]).all() or not boxes.isfinite().all():
        raise ValueError(f"{name}: a box has no area, or is not finite x1, y1, x2, y2 with x1 < x2 and y1 < y2")
