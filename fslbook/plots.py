"""The book's pictures: one look, colours that the colour-blind can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

if TYPE_CHECKING:
    from fslbook.evaluation import Evaluation
    from fslbook.tasks import Episode
    from fslbook.training import History

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, strongest contrasts first."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""One marker a class, so that no picture depends on colour alone."""


def use_book_style() -> None:
    """Set Matplotlib's defaults to the look of the book."""
    plt.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "axes.prop_cycle": plt.cycler(color=COLOURS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "font.size": 11,
        }
    )


def show_episode(episode: Episode, task: int = 0, n_query: int = 3, names: Sequence[str] | None = None) -> Figure:
    """Draw one task: each row is a class, its support images left, some of its queries right.

    Args:
        episode: images [B, S, C, H, W] with ink high. task: which of the B tasks.
        n_query: queries a class to show. names: a name a class; by default "class 0", ...
    """
    support_y, query_y = episode.support_y[task], episode.targets[task]
    k_shot = int(support_y.bincount().max())
    figure, axes = plt.subplots(
        episode.n_way,
        k_shot + 1 + n_query,
        figsize=(0.85 * (k_shot + 1 + n_query), 0.85 * episode.n_way + 0.3),
        squeeze=False,
        gridspec_kw={"width_ratios": [1] * k_shot + [0.4] + [1] * n_query},
    )
    for axis in axes.flat:
        axis.axis("off")
    for label in range(episode.n_way):
        name = names[label] if names else f"class {label}"
        axes[label, 0].text(-0.15, 0.5, name, ha="right", va="center", transform=axes[label, 0].transAxes, fontsize=9)
        _fill(axes[label, :k_shot], episode.support_x[task][support_y == label])
        _fill(axes[label, k_shot + 1 :], episode.query_x[task][query_y == label])
    axes[0, 0].set_title("support", fontsize=10)
    axes[0, k_shot + 1].set_title("query", fontsize=10)
    return figure


def show_puzzle(episode: Episode, task: int = 0, seed: int = 0) -> tuple[Figure, str]:
    """Draw one task as a riddle: support images A, B, ... above, one query of each class in mixed order below.

    Returns:
        the figure, and the answer, such as "1=C 2=A 3=B".
    """
    order = torch.randperm(episode.n_way, generator=torch.Generator().manual_seed(seed)).tolist()
    support, query = (
        [x[task][y[task] == label] for label in range(episode.n_way)]
        for x, y in ((episode.support_x, episode.support_y), (episode.query_x, episode.targets))
    )
    k_shot = max(len(images) for images in support)
    figure, axes = plt.subplots(k_shot + 1, episode.n_way, figsize=(1.15 * episode.n_way, 1.25 * (k_shot + 1)))
    for axis in axes.flat:
        axis.axis("off")
    for column, label in enumerate(order):
        _fill(axes[:k_shot, column], support[column])
        _fill(axes[k_shot:, column], query[label])
        axes[0, column].set_title(ascii_uppercase[column], fontsize=12)
        axes[k_shot, column].set_title(f"{column + 1} is ?", fontsize=12)
    return figure, " ".join(f"{column + 1}={ascii_uppercase[label]}" for column, label in enumerate(order))


def show_predictions(method: nn.Module, episode: Episode, task: int = 0, n_query: int = 6) -> Figure:
    """Draw one task with what `method` says: a row a class, queries framed and ticked if right, crossed if wrong.

    Args:
        method: any method of the book. episode, task, n_query: as in `show_episode`.
    """
    figure = show_episode(episode, task, n_query)
    predicted = _logits(method, episode)[task].argmax(dim=-1)  # [B, Q, N] -> [Q]
    axes = np.array(figure.axes).reshape(episode.n_way, -1)[:, -n_query:]
    for label in range(episode.n_way):
        answers = predicted[episode.targets[task] == label].tolist()
        for axis, answer in zip(axes[label], answers, strict=False):
            right = answer == label
            axis.set_xlabel("✓" if right else f"✗ class {answer}", fontsize=8, labelpad=1)
            axis.spines[:].set(color=COLOURS[2] if right else COLOURS[1], linewidth=2.5)
    return figure


def show_image(axis: Axes, image: Tensor) -> None:
    """Draw one image [C, H, W] with values in [0, 1]; grey ones dark on white, since ink is 1."""
    pixels = image.detach().float().cpu().permute(1, 2, 0)  # [H, W, C]
    axis.imshow(pixels.squeeze(-1), cmap="gray_r" if pixels.shape[-1] == 1 else None, vmin=0, vmax=1)
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    axis.spines[:].set(visible=True, color="0.8")


def plot_history(history: History) -> Figure:
    """Loss and accuracy of a training run, smoothed over 5 % of its steps; validation with its interval."""
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
    """Accuracies with their 95 % confidence intervals, one row a method, in the order given.

    Args:
        results: name to `Evaluation`. chance: accuracy of guessing, drawn as a dashed line.
    """
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
    """Project features [M, D] onto their first `n` principal components: [M, n], centred."""
    centred = features - features.mean(dim=0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)  # rows of [D, D] by falling variance
    return centred @ directions[:n].T


@torch.no_grad()
def _logits(method: nn.Module, episode: Episode) -> Tensor:
    """What `method` says in evaluation mode: [B, Q, N]; each of its modules is then put back as it was."""
    modes = [(module, module.training) for module in method.modules()]
    method.eval()
    try:
        return method(episode)
    finally:
        for module, training in modes:
            module.training = training


def _fill(axes: Iterable[Axes], images: Tensor) -> None:
    for axis, image in zip(axes, images, strict=False):
        axis.axis("on")
        show_image(axis, image)


def _moving_average(values: Sequence[float], window: int) -> Tensor:
    return torch.tensor(values).unfold(0, window, 1).nanmean(dim=1)
