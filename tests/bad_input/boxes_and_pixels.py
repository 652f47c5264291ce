"""Average precision of boxes, intersection over union of pixels."""

from __future__ import annotations

import math
from typing import Any

import torch
from bad_input.cases import Refused, Right
from helpers import blobs
from torch import Tensor, nn

from fslbook import Episode
from fslbook.evaluation import Overlap, average_precision, hits, intersection_over_union, overlap_by_class
from fslbook.tasks import SceneSampler

BOX, HERE = torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([0])
NONE, NOWHERE = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
SCENES = SceneSampler(blobs(4, 6), n_distractors=1, size=20)
LABELS = torch.zeros(1, 1, 3, 3, dtype=torch.int64)
WHOLE = "must be a whole number of at least"


def matched(**changes: Any) -> Tensor:
    given = {"boxes": BOX, "scores": torch.ones(1), "pictures": HERE, "truth": BOX, "truth_pictures": HERE}
    return hits(**{**given, **changes})


def precision(*right: bool, n_truth: Any = 2, rule: Any = "all points") -> float:
    return average_precision(torch.tensor(right, dtype=torch.bool), torch.arange(len(right)) / 9, n_truth, rule)


class Says(nn.Module):
    """Says the same of each pixel."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, episode: Episode) -> Tensor:
        shape = (*episode.query_x.shape[:2], len(self.logits), *episode.query_x.shape[3:])
        return self.logits.view(1, 1, -1, 1, 1).expand(shape)


ROWS: dict[str, Refused | Right] = {
    "hits, boxes without area": Refused(lambda: matched(boxes=BOX * 0), "boxes: a box has no area"),
    "hits, a true box from right to left": Refused(lambda: matched(truth=-BOX), "truth: a box has no area, or is not"),
    "hits, a box of NaN": Refused(lambda: matched(boxes=BOX * math.nan), "boxes: a box has no area"),
    "hits, three numbers a box": Refused(lambda: matched(boxes=BOX[:, :3]), r"boxes must be \[number, 4\].*\[1, 3\]"),
    "hits, no picture": Refused(lambda: matched(pictures=NOWHERE), r"with a picture each, got \[1, 4\], \[0\]"),
    "hits, two scores for a box": Refused(lambda: matched(scores=torch.ones(2)), r"scores must be 1 numbers.*\[2\]"),
    "hits, a score of NaN": Refused(lambda: matched(scores=torch.tensor([math.nan])), "or NaN"),
    "hits, threshold 0": Refused(lambda: matched(threshold=0), "threshold must lie above 0 and be at most 1, got 0"),
    "hits, threshold in percent": Refused(lambda: matched(threshold=50), "be at most 1, got 50"),
    "hits, nothing found": Right(lambda: matched(boxes=NONE, scores=torch.zeros(0), pictures=NOWHERE).shape == (0,)),
    "hits, nothing to find": Right(lambda: matched(truth=NONE, truth_pictures=NOWHERE).tolist() == [False]),
    "hits, a box beyond the picture is a box": Right(lambda: matched(boxes=BOX - 1, truth=BOX - 1).tolist() == [True]),
    "precision, nothing to find": Refused(lambda: precision(n_truth=0), f"n_truth {WHOLE} 1, got 0"),
    "precision, half a box": Refused(lambda: precision(n_truth=1.5), f"n_truth {WHOLE} 1, got 1.5"),
    "precision, more hits than boxes": Refused(lambda: precision(True, True, n_truth=1), "2 hits, but only 1 true"),
    "precision, no such rule": Refused(lambda: precision(rule="coco"), "rule must be one of all points, 11 points"),
    "precision, two shapes": Refused(
        lambda: average_precision(torch.ones(2, dtype=torch.bool), torch.ones(3), 4), r"\[D\], got \[2\] and \[3\]"
    ),
    "hits, a box without end": Refused(lambda: matched(boxes=BOX + torch.tensor([0, 0, math.inf, 0])), "not finite x1"),
    "precision, hits as numbers": Refused(lambda: average_precision(torch.ones(2), torch.ones(2), 4), "must be bool"),
    "precision, a score of NaN": Refused(
        lambda: average_precision(torch.tensor([True]), torch.tensor([math.nan]), 4), "no score NaN"
    ),
    "precision, nothing found": Right(lambda: precision() == 0),
    "precision, only wrong ones": Right(lambda: precision(False, False, rule="101 points") == 0),
    "pixels, labels of pictures": Refused(
        lambda: intersection_over_union(torch.zeros(1, 1, 2), torch.zeros(1, 1, dtype=torch.int64)),
        "one for each pixel",
    ),
    "pixels, labels as numbers": Refused(
        lambda: intersection_over_union(torch.zeros(1, 1, 2, 3, 3), LABELS.float()), "must be int64.*float32"
    ),
    "pixels, a label for pixels to leave out": Refused(
        lambda: intersection_over_union(torch.zeros(1, 1, 2, 3, 3), LABELS + 255), r"must lie in 0..1, got 255..255"
    ),
    "pixels, a negative label": Refused(
        lambda: intersection_over_union(torch.zeros(1, 1, 2, 3, 3), LABELS - 1), r"must lie in 0..1, got -1..-1"
    ),
    "pixels, an empty mask and nothing marked": Right(
        lambda: intersection_over_union(torch.tensor([1.0, 0.0]).view(1, 1, 2, 1, 1).expand(1, 1, 2, 3, 3), LABELS) == 1
    ),
    "overlap, no tasks": Refused(lambda: overlap_by_class(Says(1.0, 0.0), SCENES, 0), f"n_tasks {WHOLE} 1, got 0"),
    "overlap, logits without background": Refused(
        lambda: overlap_by_class(Says(1.0), SCENES, 2), r"logits \[B, Q, N, ...\] = \[1, 1, 2, 20, 20\], got"
    ),
    "overlap, NaN": Refused(lambda: overlap_by_class(Says(math.nan, 0), SCENES, 2), "not finite"),
    "overlap, nothing marked": Right(lambda: overlap_by_class(Says(1.0, 0.0), SCENES, 2).mean_iou == 0),
    "overlap, a class that never came plays no part": Right(
        lambda: Overlap(torch.tensor([1.0, 0, 1]), torch.tensor([2.0, 0, 1])).mean_iou == 0.5
    ),
}
