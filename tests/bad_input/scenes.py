"""Scenes of several characters, and the tasks that are made of them."""

from __future__ import annotations

import math
from typing import Any

import torch
from bad_input.cases import Refused, Right
from helpers import blobs

from fslbook import ImageClasses
from fslbook.tasks.scene_tasks import SceneSampler
from fslbook.tasks.scenes import Scenes, boxes_of, draw_scenes
from fslbook.tasks.segmentation import SegmentationTasks

CLASSES, INK = blobs(6, 8, size=8), torch.ones(2, 3, 1, 8, 8)
FEATURES = ImageClasses(torch.rand(6, 4), torch.tensor([2] * 3), tuple("abc"))
COLOUR = ImageClasses(torch.rand(6, 3, 8, 8), torch.tensor([2] * 3), tuple("abc"))
WHOLE = "must be a whole number of at least"


def drawn(characters: Any = INK, size: Any = 24, **settings: Any) -> Scenes:
    return draw_scenes(characters, size, torch.Generator().manual_seed(0), **settings)


def sampler(**settings: Any) -> SceneSampler:
    return SceneSampler(**{"classes": CLASSES, "size": 24, **settings})


def absent_classes_have_no_pixel() -> bool:
    tasks = sampler(n_way=2, n_distractors=1).sample(20)
    absent = (tasks.query_y != 1).all(dim=2)  # [B, Q]
    labels = tasks.segmentation().query_y[absent]  # [scenes without class 1, H, W]
    return len(labels) > 0 and not (labels == 2).any()


EMPTY, FAINT = torch.zeros(2, 4, 4, dtype=torch.bool), torch.full((1, 1, 1, 8, 8), 0.4)
ROWS: dict[str, Refused | Right] = {
    "a mask without a pixel": Refused(lambda: boxes_of(EMPTY), "a mask without a pixel has no box"),
    "one mask of two without a pixel": Refused(
        lambda: boxes_of(torch.stack([EMPTY[0], ~EMPTY[0]])), "a mask without a pixel has no box"
    ),
    "no masks at all": Right(lambda: boxes_of(EMPTY[:0]).shape == (0, 4)),
    "a mask of a single pixel has a box of one pixel": Right(
        lambda: boxes_of(torch.eye(4, dtype=torch.bool)[:1].unsqueeze(0)).tolist() == [[0, 0, 1, 1]]
    ),
    "characters, no tensor": Refused(lambda: drawn([1, 2]), r"must be \[M, O, 1, h, h\], got list"),
    "characters without objects": Refused(lambda: drawn(INK[:, 0]), r"must be \[M, O, 1, h, h\], got \[2, 1, 8, 8\]"),
    "characters in colour": Refused(lambda: drawn(INK.expand(2, 3, 3, 8, 8)), r"must be \[M, O, 1, h, h\]"),
    "characters higher than wide": Refused(lambda: drawn(INK[..., :6]), "as high as wide, got 8 x 6"),
    "a character without ink": Refused(lambda: drawn(FAINT), "a character has no ink: no value above 0.5"),
    "a character of NaN": Refused(lambda: drawn(FAINT * math.nan), "a character has no ink"),
    "picture smaller than a character": Refused(lambda: drawn(size=7), f"size {WHOLE} 8, got 7"),
    "half a pixel": Refused(lambda: drawn(size=24.5), f"size {WHOLE} 8, got 24.5"),
    "no room beside each other": Refused(lambda: drawn(size=12), "do not fit beside each other.*room for 1.*overlap"),
    "room on top of each other": Right(lambda: drawn(size=8, overlap=True).images.shape == (2, 1, 8, 8)),
    "smallest, nothing": Refused(lambda: drawn(smallest=0), "smallest must lie above 0 and be at most 1, got 0"),
    "smallest, larger than the character": Refused(lambda: drawn(smallest=1.5), "be at most 1, got 1.5"),
    "smallest, NaN": Refused(lambda: drawn(smallest=math.nan), "smallest must lie above 0"),
    "touching characters keep their pixels": Right(lambda: bool((drawn(smallest=1.0).masks.sum(dim=1) <= 1).all())),
    "sampler, no classes": Refused(lambda: sampler(classes=INK), "classes must be ImageClasses"),
    "sampler, no class a task": Refused(lambda: sampler(n_way=0), f"n_way {WHOLE} 1, got 0"),
    "sampler, no shot": Refused(lambda: sampler(k_shot=0), f"k_shot {WHOLE} 1, got 0"),
    "sampler, no query": Refused(lambda: sampler(n_query=0), f"n_query {WHOLE} 1, got 0"),
    "sampler, fewer than no distractors": Refused(lambda: sampler(n_distractors=-1), f"n_distractors {WHOLE} 0"),
    "sampler, more classes than there are": Refused(lambda: sampler(n_distractors=6), "7-way needs 7 classes"),
    "sampler, more scenes than drawings": Refused(lambda: sampler(k_shot=8), "need 9 images a class"),
    "sampler, more objects than room": Refused(
        lambda: sampler(n_distractors=2, size=15), "do not fit beside each other"
    ),
    "sampler, features": Refused(lambda: sampler(classes=FEATURES), r"grey square pictures .* got \[6, 4\]"),
    "sampler, pictures in colour": Refused(lambda: sampler(classes=COLOUR), r"grey square pictures .*\[6, 3, 8, 8\]"),
    "sampler, no batch": Refused(lambda: sampler().sample(0), f"batch_size {WHOLE} 1, got 0"),
    "sampler, negative seed": Refused(lambda: sampler(seed=-1), f"seed {WHOLE} 0, got -1"),
    "pixels of episodes": Refused(lambda: SegmentationTasks(CLASSES), "must be a SceneSampler, got ImageClasses"),
    "a class absent from a query has no pixel there": Right(absent_classes_have_no_pixel),
}
