"""The history and the bar of a training."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pytest
from helpers import easy_sampler, small_method

from fslbook import History, fit
from fslbook.training.history import REDRAWN


@pytest.mark.parametrize("progress", [True, False])
def test_progress_bar_shows_loss_and_accuracy(progress: bool, capsys: pytest.CaptureFixture[str]) -> None:
    fit(small_method(), easy_sampler(), steps=40, progress=progress)
    shown = capsys.readouterr().err
    assert ("40/40" in shown and "loss=" in shown and "accuracy=" in shown) == progress


def test_the_bar_is_drawn_by_the_clock_and_not_at_every_reading(capsys: pytest.CaptureFixture[str]) -> None:
    history = fit(small_method(), easy_sampler(), 600)  # 30 readings
    drawn = capsys.readouterr().err
    assert drawn.count("\r") <= 3 + history.seconds / REDRAWN
    assert f"loss={history.loss[-1]:.3f}" in drawn.splitlines()[-1].split("\r")[-1]


@pytest.mark.parametrize("accuracy", [[0.5, 0.6, 0.7], [math.nan] * 3])
def test_a_history_draws_itself_with_and_without_accuracies(accuracy: list[float]) -> None:
    figure = History(loss=[3.0, 2.0, 1.0], accuracy=accuracy).plot()
    left, right = figure.axes
    assert left.has_data()
    assert right.has_data() == (not math.isnan(accuracy[0]))
    plt.close(figure)
