"""Pictures of results: a training run, accuracies with their intervals, features in the plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from fslbook.plots.checks import check_features
from fslbook.plots.style import COLOURS

if TYPE_CHECKING:
    from fslbook.evaluation import Evaluation
    from fslbook.training import History


def plot_history(history: History) -> Figure:
    """Loss and accuracy of a training run, smoothed over 5 % of its steps; validation with its interval.

    Args:
        history: what `fit` returned.

    Example:
        >>> from fslbook import History
        >>> figure = plot_history(History(loss=[1.2, 0.7, 0.4], accuracy=[0.3, 0.6, 0.8]))
        >>> [axis.get_title() for axis in figure.axes]
        ['loss', 'accuracy']
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
    window = max(1, len(history.loss) // 20)
    for axis, values, name in ((left, history.loss, "loss"), (right, history.accuracy, "accuracy")):
        axis.set(xlabel="step", title=name)
        if np.isnan(values).all():  # a loss on pairs makes no logits
            continue
        axis.plot(values, color=COLOURS[0], alpha=0.2, linewidth=0.8)
        smooth = _moving_average(values, window)
        axis.plot(range(window // 2, window // 2 + len(smooth)), smooth, color=COLOURS[0], label="training episodes")
    if history.validation_steps:
        right.errorbar(
            history.validation_steps,
            history.validation_accuracy,
            yerr=history.validation_ci95,
            color=COLOURS[1],
            marker="s",
            markersize=4,
            label="validation episodes ± 95 % CI",
        )
    if right.has_data():
        right.legend(loc="lower right")
    return figure


def plot_intervals(results: Mapping[str, Evaluation], chance: float | None = None) -> Figure:
    """Accuracies with their 95 % confidence intervals, one row per method, in the order given.

    Args:
        results: name to `Evaluation`.
        chance: accuracy of guessing in 0..1, drawn as a dashed line.

    Raises:
        TypeError: one of the results is no `Evaluation`.
        ValueError: there is nothing to draw, or `chance` is no share.

    Example:
        >>> from fslbook import Evaluation
        >>> result = Evaluation(torch.tensor([0.8, 0.9, 1.0]), "three episodes")
        >>> figure = plot_intervals({"prototypes": result}, chance=0.2)
        >>> figure.axes[0].get_xlabel()
        'accuracy in %'
    """
    if not results:
        raise ValueError("there are no results to draw")
    if strange := [name for name, result in results.items() if not hasattr(result, "ci95")]:
        raise TypeError(f"the result of {strange[0]!r} is no Evaluation but a {type(results[strange[0]]).__name__}")
    if chance is not None and not 0 <= chance <= 1:
        raise ValueError(f"chance must be a share in 0..1, got {chance:g}")
    figure, axis = plt.subplots(figsize=(7.5, 0.5 * len(results) + 1.2))
    for row, result in enumerate(results.values()):
        colour = COLOURS[row % len(COLOURS)]
        axis.errorbar(100 * result.mean, row, xerr=100 * result.ci95, marker="o", capsize=4, color=colour)
        label = f"{100 * result.mean:.1f} ± {100 * result.ci95:.1f}"
        axis.annotate(label, (100 * result.mean, row), xytext=(0, 7), textcoords="offset points", ha="center")
    if chance is not None:
        axis.axvline(100 * chance, color="0.4", linestyle="--", linewidth=1)
        axis.annotate("chance", (100 * chance, -0.6), xytext=(4, 0), textcoords="offset points", va="top", color="0.3")
    axis.set(yticks=range(len(results)), yticklabels=list(results), xlabel="accuracy in %")
    axis.set_ylim(len(results) - 0.4, -0.8)
    axis.margins(x=0.12)
    return figure


def principal_components(features: Tensor, n: int = 2) -> Tensor:
    """Project features onto their first principal components.

    Args:
        features: [M, D].
        n: how many components.

    Returns:
        [M, n], centred; the first column has the largest variance.

    Raises:
        ValueError: there are not so many components, or the features are not finite numbers [M, D].

    Example:
        >>> flat = principal_components(torch.tensor([[0.0, 0.0, 0.0], [3.0, 0.0, 4.0]]), n=1)
        >>> round(float(flat.max() - flat.min()), 4)  # the distance between the two
        5.0
    """
    check_features(features, n)
    centred = features - features.mean(dim=0)  # [M, D]
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)  # rows of [D, D] by falling variance
    return centred @ directions[:n].T


def _moving_average(values: Sequence[float], window: int) -> np.ndarray:
    return torch.tensor(values).unfold(0, window, 1).nanmean(dim=1).numpy()  # [steps] -> [steps - window + 1]
