"""Evaluation mode for a while, in several threads at once."""

from __future__ import annotations

import threading

import pytest
from torch import nn

from fslbook.evaluation import evaluation_mode


def test_blocks_inside_each_other_put_the_mode_back_at_the_end_of_the_outer_one() -> None:
    method = nn.Sequential(nn.Dropout(), nn.Linear(2, 2)).train()
    with evaluation_mode(method):
        with evaluation_mode(method[0]):
            assert not method[0].training
        assert not method[0].training
    assert method[0].training and method.training


def test_a_thread_that_leaves_first_does_not_put_the_other_one_into_training() -> None:
    method, inside, leave = nn.Dropout().train(), threading.Event(), threading.Event()

    def stay() -> None:
        with evaluation_mode(method):
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=stay)
    thread.start()
    assert inside.wait(60)
    with evaluation_mode(method):
        leave.set()
        thread.join(60)
        assert not method.training
    assert method.training


def test_an_error_inside_puts_the_mode_back() -> None:
    method = nn.Dropout().train()
    with pytest.raises(RuntimeError), evaluation_mode(method):
        raise RuntimeError("on purpose")
    assert method.training
