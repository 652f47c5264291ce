"""Pictures of tasks: an episode, a riddle, what a method answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from fslbook.plots.checks import check_image, check_task
from fslbook.plots.style import COLOURS

if TYPE_CHECKING:
    from fslbook.tasks import Episode


def show_episode(episode: Episode, task: int = 0, n_query: int = 3, names: Sequence[str] | None = None) -> Figure:
    """Draw one task: each row is a class, its support images left, some of its queries right.

    Args:
        episode: images [B, S, C, H, W] and [B, Q, C, H, W] with ink high.
        task: which of the B tasks.
        n_query: how many queries per class to show.
        names: one name per class; by default "class 0", ...

    Raises:
        ValueError: no such task, no images, or not as many names as classes.

    Example:
        >>> from fslbook import Episode
        >>> x, y = torch.rand(1, 2, 1, 8, 8), torch.tensor([[0, 1]])
        >>> figure = show_episode(Episode(x, y, x, y, n_way=2))
        >>> len(figure.axes)  # 2 rows of 1 support image, a gap and 3 places for queries
        10
    """
    check_task(episode, task, n_query, names)
    support_y, query_y = episode.support_y[task], episode.targets[task]  # [S], [Q]
    k_shot = int(support_y.bincount().max())
    figure, axes = plt.subplots(
        episode.n_way,
        k_shot + 1 + n_query,
        figsize=(0.85 * (k_shot + 1 + n_query), 0.85 * episode.n_way + 0.3),
        squeeze=False,
        width_ratios=[1] * k_shot + [0.4] + [1] * n_query,
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

    Args:
        episode: images [B, S, C, H, W] and [B, Q, C, H, W] with ink high.
        task: which of the B tasks.
        seed: of the order of the classes.

    Returns:
        the figure, and the answer, such as "1=C 2=A 3=B".

    Raises:
        ValueError: no such task, no images, or more classes than letters.

    Example:
        >>> from fslbook import Episode
        >>> x, y = torch.rand(1, 3, 1, 8, 8), torch.tensor([[0, 1, 2]])
        >>> figure, answer = show_puzzle(Episode(x, y, x, y, n_way=3))
        >>> sorted(answer.split())[0][:2]
        '1='
    """
    check_task(episode, task)
    if episode.n_way > len(ascii_uppercase):
        raise ValueError(
            f"a puzzle has a letter per class, at most {len(ascii_uppercase)}, got {episode.n_way} classes"
        )
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
    """Draw one task with what `method` says: a row per class, queries framed and ticked if right, crossed if wrong.

    Args:
        method: any method of the book; it answers in evaluation mode.
        episode: images [B, S, C, H, W] and [B, Q, C, H, W] with ink high.
        task: which of the B tasks.
        n_query: how many queries per class to show.

    Raises:
        TypeError: `method` is no module.
        ValueError: no such task, or no images.

    Example:
        >>> from fslbook import Episode, NearestNeighbour
        >>> x, y = torch.rand(1, 2, 1, 8, 8), torch.tensor([[0, 1]])
        >>> figure = show_predictions(NearestNeighbour(), Episode(x, y, x, y, n_way=2), n_query=1)
        >>> [axis.get_xlabel() for axis in figure.axes if axis.get_xlabel()]
        ['✓', '✓']
    """
    if not isinstance(method, nn.Module):
        raise TypeError(f"method must be a module that answers an episode, got {type(method).__name__}")
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
    """Draw one image; grey ones dark on white, since ink is 1.

    Args:
        axis: where to draw.
        image: [C, H, W] with values in 0..1; C is 1 or 3.

    Raises:
        TypeError: `image` is no tensor.
        ValueError: it has another shape or other values, such as bytes.

    Example:
        >>> figure, axis = plt.subplots()
        >>> show_image(axis, torch.rand(1, 8, 8))
        >>> axis.images[0].get_array().shape
        (8, 8)
    """
    check_image(image)
    pixels = image.detach().float().cpu().permute(1, 2, 0).numpy()  # [C, H, W] -> [H, W, C]
    axis.imshow(pixels, cmap="gray_r" if pixels.shape[-1] == 1 else None, vmin=0, vmax=1)
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    axis.spines[:].set(visible=True, color="0.8")


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
