"""Numbers that are given as arguments: what is taken, what is refused, and in which words."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
import torch
from torch import nn

from fslbook.common.arguments import check_positive, check_same_device, check_whole_number

WHOLE = [5, np.int64(5), np.uint8(5), np.array(5), torch.tensor(5)]
NOT_WHOLE = [5.0, "5", None, True, np.True_, torch.tensor(True), [5], np.float64(5), torch.tensor([5, 5]), math.nan, 1]


@pytest.mark.parametrize("value", WHOLE, ids=repr)
def test_whole_numbers_of_every_kind_become_an_int(value: object) -> None:
    number = check_whole_number("n_way", value, least=2)
    assert number == 5
    assert type(number) is int


@pytest.mark.parametrize("value", NOT_WHOLE, ids=repr)
def test_what_is_no_whole_number_of_that_size_is_refused_by_name(value: object) -> None:
    with pytest.raises(ValueError, match="n_way must be a whole number of at least 2, got"):
        check_whole_number("n_way", value, least=2)


@pytest.mark.parametrize("value", [0.5, 2, np.float32(0.5), torch.tensor(0.5), Decimal("0.5")], ids=repr)
def test_positive_numbers_of_every_kind_become_a_float(value: object) -> None:
    number = check_positive("inner_lr", value)
    assert number == float(value)  # type: ignore[arg-type]
    assert type(number) is float


@pytest.mark.parametrize("value", [0, -1.0, math.nan, "0.5", None, True, [0.5], torch.ones(2), 1j], ids=repr)
def test_what_is_not_positive_is_refused_by_name(value: object) -> None:
    with pytest.raises(ValueError, match="inner_lr must be positive, got"):
        check_positive("inner_lr", value)


def test_infinity_is_refused_in_its_own_words() -> None:
    with pytest.raises(ValueError, match="scale must be finite, got inf"):
        check_positive("scale", math.inf)


def test_a_buffer_on_another_device_is_noticed_too() -> None:
    norm = nn.BatchNorm1d(2)
    norm.running_mean = torch.zeros(2, device="meta")
    with pytest.raises(ValueError, match="BatchNorm1d is on meta, the images are on cpu"):
        check_same_device(norm, torch.device("cpu"))
