"""What cannot be drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import matplotlib.pyplot as plt
import torch
from bad_input.cases import Refused, Right
from torch import Tensor, nn

from fslbook import Episode, Evaluation
from fslbook.plots import plot_intervals, principal_components, show_episode, show_image, show_predictions, show_puzzle

Y = torch.tensor([[0, 1, 2]])
RESULT = Evaluation(torch.tensor([0.5, 0.7]), "the same")


def episode(shape: tuple[int, ...] = (1, 4, 4), n_way: int = 3) -> Episode:
    x, y = torch.rand(1, n_way, *shape), torch.arange(n_way)[None]
    return Episode(x, y, x, y, n_way)


def image(value: Any) -> Callable[[], None]:
    return lambda: show_image(plt.subplots()[1], value)


def components(features: Tensor, n: int = 2) -> Callable[[], Tensor]:
    return lambda: principal_components(features, n)


ROWS: dict[str, Refused | Right] = {
    "task beyond the last": Refused(lambda: show_episode(episode(), task=1), r"task must be one of 0\.\.0, got 1"),
    "task counted from the end": Refused(
        lambda: show_puzzle(episode(), task=-1), r"task must be one of 0\.\.0, got -1"
    ),
    "no queries to show": Refused(lambda: show_episode(episode(), n_query=0), "n_query must be at least 1, got 0"),
    "too few names": Refused(lambda: show_episode(episode(), names=["a"]), "one per class, 3, got 1"),
    "features in place of images": Refused(lambda: show_episode(episode((5,))), r"must be \[C, H, W\] .* got \[5\]"),
    "two colours": Refused(lambda: show_puzzle(episode((2, 4, 4))), r"C = 1 or 3, got \[2, 4, 4\]"),
    "an episode without labels": Refused(lambda: show_episode(replace(episode(), query_y=None)), "no query labels"),
    "more classes than letters": Refused(lambda: show_puzzle(episode(n_way=27)), "at most 26, got 27"),
    "predictions of a function": Refused(
        lambda: show_predictions(lambda e: e, episode()),  # type: ignore[arg-type]
        "method must be a module",
        TypeError,
    ),
    "predictions of a task beyond": Refused(
        lambda: show_predictions(nn.Identity(), episode(), 3), "one of 0..0, got 3"
    ),
    "an image without colours": Refused(image(torch.rand(4, 4)), r"got \[4, 4\]"),
    "colours last": Refused(image(torch.rand(4, 4, 3)), r"got \[4, 4, 3\]"),
    "a batch of images": Refused(image(torch.rand(1, 1, 4, 4)), r"got \[1, 1, 4, 4\]"),
    "no pixels": Refused(image(torch.rand(1, 0, 4)), r"got \[1, 0, 4\]"),
    "bytes": Refused(image(torch.full((1, 4, 4), 200, dtype=torch.uint8)), r"0\.\.1, found 200\.\.200; divide"),
    "negative pixels": Refused(image(-torch.ones(1, 4, 4)), r"found -1\.\.-1"),
    "pixels that are NaN": Refused(image(torch.full((1, 4, 4), math.nan)), r"found nan\.\.nan"),
    "an array": Refused(image(torch.rand(1, 4, 4).numpy()), r"must be a tensor \[C, H, W\], got ndarray", TypeError),
    "truth values as pixels": Right(lambda: image(torch.ones(1, 4, 4, dtype=torch.bool))() is None),
    "no results": Refused(lambda: plot_intervals({}), "no results to draw"),
    "a number as a result": Refused(
        lambda: plot_intervals({"a": 0.5}),  # type: ignore[dict-item]
        "'a' is no Evaluation but a float",
        TypeError,
    ),
    "chance in percent": Refused(lambda: plot_intervals({"a": RESULT}, chance=20), r"share in 0\.\.1, got 20"),
    "chance that is NaN": Refused(lambda: plot_intervals({"a": RESULT}, chance=math.nan), "share"),
    "more components than features": Refused(components(torch.rand(5, 3), 4), r"\[5, 3\] have 1\.\.3 .* n=4"),
    "more components than rows": Refused(components(torch.rand(2, 3), 3), r"have 1\.\.2 components"),
    "no components": Refused(components(torch.rand(5, 3), 0), "got n=0"),
    "a stack of features": Refused(components(torch.rand(5, 3, 2)), r"\[M, D\], got torch.float32 \[5, 3, 2\]"),
    "whole numbers as features": Refused(components(torch.ones(5, 3, dtype=torch.int64)), "got torch.int64"),
    "features that are NaN": Refused(components(torch.full((5, 3), math.nan)), "must be finite"),
}
