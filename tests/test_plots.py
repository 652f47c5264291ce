"""The book's pictures: what they show is so, and a method comes back as it was."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from helpers import assert_close, image_episode, small_method
from torch import Tensor, nn

from fslbook import Episode, Evaluation, History
from fslbook.plots import (
    plot_history,
    plot_intervals,
    principal_components,
    show_episode,
    show_image,
    show_predictions,
    show_puzzle,
)


def episode_of_greys(n_way: int = 3) -> Episode:
    """One task, one shot; the images of class n are all n / 10, in another order among the queries."""
    query_y = torch.arange(n_way).flip(0)[None]  # [1, Q]
    support_y = torch.arange(n_way)[None]  # [1, S]
    support, query = ((y / 10)[:, :, None, None, None].expand(-1, -1, 1, 4, 4) for y in (support_y, query_y))
    return Episode(support, support_y, query, query_y, n_way)


def grey(axis: plt.Axes) -> float | None:
    """The shade of the image in one place of a picture, or None if the place is empty."""
    return round(float(np.mean(axis.images[0].get_array())), 3) if axis.images else None


def test_an_episode_shows_each_class_in_its_row() -> None:
    figure = show_episode(episode_of_greys(), n_query=2)
    shades = np.array([grey(axis) for axis in figure.axes], dtype=object).reshape(3, 4)
    assert shades.tolist() == [[n / 10, None, n / 10, None] for n in range(3)]


def test_the_answer_of_a_puzzle_is_right() -> None:
    figure, answer = show_puzzle(episode_of_greys(5), seed=2)
    above, below = ([grey(axis) for axis in row] for row in np.array(figure.axes).reshape(2, 5))
    for pair in answer.split():
        number, letter = pair.split("=")
        assert below[int(number) - 1] == above["ABCDE".index(letter)]
    assert sorted(above) == sorted(below) == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert answer != "1=A 2=B 3=C 4=D 5=E"


class SaysZero(nn.Module):
    """Calls every query class 0."""

    def forward(self, episode: Episode) -> Tensor:
        return torch.eye(episode.n_way)[:1].expand(1, episode.query_x.shape[1], -1)  # [1, Q, N]


def test_ticks_and_crosses_stand_at_the_right_queries() -> None:
    figure = show_predictions(SaysZero(), episode_of_greys(), n_query=1)
    marks = [axis.get_xlabel() for axis in figure.axes if axis.get_xlabel()]
    assert marks == ["✓", "✗ class 0", "✗ class 0"]


def test_predictions_are_made_in_evaluation_mode_and_each_part_is_put_back() -> None:
    method = small_method(nn.BatchNorm1d(16))
    method.encoder[2].eval()
    before, weights = (
        [part.training for part in method.modules()],
        method.state_dict()["encoder.2.running_mean"].clone(),
    )
    show_predictions(method, image_episode(dtype=torch.float32))
    assert [part.training for part in method.modules()] == before
    method.encoder[2].train()
    show_predictions(method, image_episode(dtype=torch.float32))
    assert_close(method.encoder[2].running_mean, weights)


def test_grey_and_coloured_images_are_drawn() -> None:
    _, (left, right) = plt.subplots(1, 2)
    show_image(left, torch.full((1, 4, 4), 0.25))
    show_image(right, torch.rand(3, 4, 4))
    assert grey(left) == 0.25
    assert right.images[0].get_array().shape == (4, 4, 3)


def test_a_history_without_accuracies_and_with_validation_is_drawn() -> None:
    nothing = [float("nan")] * 3
    figure = plot_history(History([3.0, 2.0, 1.0], nothing, [2], [0.5], [0.1]))
    left, right = figure.axes
    assert_close(left.lines[0].get_ydata(), torch.tensor([3.0, 2.0, 1.0]))
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["validation episodes ± 95 % CI"]


@pytest.mark.parametrize("chance", [None, 0.2])
def test_intervals_are_labelled_in_percent(chance: float | None) -> None:
    result = Evaluation(torch.tensor([0.8, 0.9, 1.0]), "the same")
    figure = plot_intervals({"a": result, "b": result}, chance)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["90.0 ± 11.3"] * 2 + (["chance"] if chance else [])


def test_principal_components_keep_the_distances_of_flat_points() -> None:
    torch.manual_seed(0)
    points = torch.randn(20, 2, dtype=torch.float64) @ torch.linalg.qr(torch.randn(7, 2, dtype=torch.float64))[0].T
    flat = principal_components(points)  # [20, 2]
    assert_close(torch.cdist(flat, flat), torch.cdist(points, points))
    assert flat.var(dim=0)[0] > flat.var(dim=0)[1]
