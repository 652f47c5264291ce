"""What counts as the same answer, over every kind of thing that may come back, and what is said where it is not."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Any

import numpy as np
import pytest
import torch

from fslbook.exercises.engine.comparing import difference

NAN, INF = float("nan"), float("inf")
PAIR = torch.tensor([1.0, 2.0])
LABELS = torch.tensor([1, 2])
TRUTHS = torch.tensor([True, False])
NOT_FINITE = "it contains values that are not finite (NaN or ∞)"
WRONG = "the number is wrong"
SPARSE = "it is no ordinary tensor but a sparse or nested one"


class Colour(IntEnum):
    RED = 1


RIGHT: list[tuple[Any, Any]] = [
    (3, 3),
    (np.int64(3), 3),
    (np.uint8(3), 3),
    (torch.tensor(3), 3),
    (torch.tensor(3, dtype=torch.int32), 3),
    (3, torch.tensor(3)),
    (10**30, 10**30),
    (0.5, 0.5),
    (1, 1.0),  # `1 - sum([])` is a whole number, and right
    (np.int64(1), 1.0),
    (1, torch.tensor(1.0)),
    (0.50001, 0.5),
    (np.float32(0.5), 0.5),
    (np.longdouble(0.5), 0.5),
    (torch.tensor(0.5), 0.5),
    (torch.tensor(0.5, dtype=torch.float64), torch.tensor(0.5)),
    (0.5, torch.tensor(0.5)),
    (1e30, 1.00001e30),
    (NAN, NAN),
    (-INF, -INF),
    (True, True),
    (np.True_, True),
    (torch.tensor(True), True),
    (False, torch.tensor(False)),
    (PAIR, PAIR),
    (PAIR.double(), PAIR),
    (PAIR + 1e-5, PAIR),
    (torch.tensor([NAN, 1.0]), torch.tensor([NAN, 1.0])),
    (torch.tensor([-INF, 1.0]), torch.tensor([-INF, 1.0])),
    (torch.zeros(0, 2), torch.zeros(0, 2)),
    (LABELS, LABELS),
    (LABELS.byte(), LABELS),
    (TRUTHS, TRUTHS),
    (torch.nn.Parameter(PAIR).detach(), PAIR),
    ([PAIR, 1], (PAIR, 1)),
    ((PAIR, 1), [PAIR, 1]),
    ({"a": PAIR, "b": 1}, {"b": 1, "a": PAIR}),
]

OTHER: list[tuple[Any, Any, str]] = [
    # numbers
    (4, 3, WRONG),
    (10**30 + 1, 10**30, WRONG),
    (100_001, 100_000, WRONG),  # within a relative 1e-4
    (torch.tensor(100_001), 100_000, WRONG),
    (100_001, torch.tensor(100_000), WRONG),
    (2**63 - 1, 2**63 - 2, WRONG),  # the same as 64-bit floating-point numbers
    (3.0, 3, "it returned a float, wanted is a whole number"),
    (np.float64(3), 3, "it returned a float64, wanted is a whole number"),
    (torch.tensor(3.0), 3, "its numbers are torch.float32, wanted are whole numbers"),
    (torch.tensor(1), 1.0, "its numbers are torch.int64, wanted are floating-point numbers"),
    (True, 1, "it returned a bool, wanted is a whole number"),
    (True, 1.0, "it returned a bool, wanted is a number"),
    (np.True_, 1, "it returned a bool, wanted is a whole number"),
    (torch.tensor(True), 1, "its numbers are torch.bool, wanted are whole numbers"),
    (1, True, "it returned an int, wanted is a truth value, True or False"),
    (1.0, True, "it returned a float, wanted is a truth value"),
    (torch.tensor(1), True, "its numbers are torch.int64, wanted are truth values"),
    (False, True, WRONG),
    (Colour.RED, 1, "it returned a Colour, wanted is a whole number"),
    (np.timedelta64(3, "s"), 3, "it returned a timedelta64, wanted is a whole number"),
    (np.datetime64("2026-01-01"), 3, "it returned a datetime64, wanted is a whole number"),
    (3 + 0j, 3, "it returned a complex, wanted is a whole number"),
    (3 + 0j, 3.0, "it returned a complex, wanted is a number"),
    (np.complex64(3), 3.0, "it returned a complex64, wanted is a number"),
    (torch.tensor(3 + 4j), 3, "its numbers are torch.complex64, wanted are whole numbers"),
    (torch.tensor(3 + 4j), 3.0, "its numbers are torch.complex64, wanted are floating-point numbers"),
    ("3", 3, "it returned a str, wanted is a whole number"),
    (None, 3.0, "it returned a NoneType, wanted is a number"),
    ([3], 3, "it returned a list, wanted is a whole number"),
    (np.array(3), 3, "it returned a ndarray, wanted is a whole number"),
    (np.array([3.0]), 3.0, "it returned a ndarray, wanted is a number"),
    (torch.tensor([3]), 3, "its shape is [1], wanted is []"),
    (0.51, 0.5, WRONG),
    (1e30, 1.001e30, WRONG),
    (2, 1.0, WRONG),
    (10**400, 1.0, NOT_FINITE),
    (NAN, 0.5, NOT_FINITE),
    (INF, 0.5, NOT_FINITE),
    (np.float32("nan"), 0.5, NOT_FINITE),
    (torch.tensor(NAN), 0.5, NOT_FINITE),
    (0.5, NAN, WRONG),
    (INF, -INF, WRONG),
    (-INF, NAN, WRONG),
    (torch.tensor(0.5, device="meta"), 0.5, "it lies on meta, its inputs lie on cpu"),
    (torch.tensor(0.5, dtype=torch.float16), 0.5, "its numbers are torch.float16, too coarse here"),
    # tensors
    (PAIR + 1, PAIR, "the shape is right, but 2 of 2 values are wrong"),
    (torch.tensor([1.0, NAN]), PAIR, NOT_FINITE),
    (torch.tensor([1.0, 2.0]), torch.tensor([1.0, NAN]), "1 of 2 values are wrong"),
    (torch.tensor([INF, 1.0]), torch.tensor([-INF, 1.0]), "1 of 2 values are wrong"),
    (torch.tensor([NAN, 1.0]), torch.tensor([INF, 1.0]), "1 of 2 values are wrong"),
    (PAIR[None], PAIR, "its shape is [1, 2], wanted is [2]"),
    (PAIR.long(), PAIR, "its numbers are torch.int64, wanted are floating-point numbers"),
    (LABELS.float(), LABELS, "its numbers are torch.float32, wanted are whole numbers"),
    (TRUTHS, LABELS, "its numbers are torch.bool, wanted are whole numbers"),
    (LABELS, TRUTHS, "its numbers are torch.int64, wanted are truth values"),
    (torch.tensor([1 + 5j, 2 + 0j]), LABELS, "its numbers are torch.complex64, wanted are whole numbers"),
    (torch.tensor([1 + 5j, 2 + 0j]), PAIR, "its numbers are torch.complex64, wanted are floating-point numbers"),
    (torch.tensor([100_001, 2]), torch.tensor([100_000, 2]), "1 of 2 values are wrong"),
    (torch.tensor([255, 2], dtype=torch.uint8), torch.tensor([-1, 2]), "1 of 2 values are wrong"),
    (PAIR.half(), PAIR, "its numbers are torch.float16, too coarse here"),
    (PAIR.to(torch.float8_e5m2), PAIR, "its numbers are torch.float8_e5m2, too coarse here"),
    (LABELS.to(torch.uint16), LABELS, "its numbers are torch.uint16, which is unusual"),
    (torch.quantize_per_tensor(PAIR, 1.0, 0, torch.quint8), LABELS, "its numbers are torch.quint8, which is unusual"),
    (PAIR.to_sparse(), PAIR, SPARSE),
    (LABELS.to_sparse(), LABELS, SPARSE),
    (PAIR.to("meta"), PAIR, "it lies on meta, its inputs lie on cpu"),
    (PAIR.numpy(), PAIR, "it returned a ndarray, wanted is a tensor of shape [2]"),
    (PAIR.tolist(), PAIR, "it returned a list, wanted is a tensor of shape [2]"),
    (1.0, PAIR, "it returned a float, wanted is a tensor of shape [2]"),
    # several things
    (PAIR, (1.0, 2.0), "it returned a Tensor, wanted are 2 things: return a, b"),
    (np.array([1.0, 2.0]), (1.0, 2.0), "it returned a ndarray, wanted are 2 things"),
    ({1.0, 2.0}, (1.0, 2.0), "it returned a set, wanted are 2 things"),
    ((1.0,), (1.0, 2.0), "it returned 1 things, wanted are 2"),
    ((1.0, "b"), (1.0, 2.0), "part 2: it returned a str"),
    ((1.0, (1.0,)), (1.0, (2.0,)), "part 2: part 1: the number is wrong"),
    ([("a", 1)], {"a": 1}, "wanted is a dict with the keys a"),
    ({"b": 1}, {"a": 1}, "wanted is a dict with the keys a"),
    ({"a": 1, "b": 1}, {"a": 1}, "wanted is a dict with the keys a"),
    ({"a": NAN}, {"a": 1.0}, f"a: {NOT_FINITE}"),
]


@pytest.mark.parametrize(("answer", "expected"), RIGHT)
def test_these_are_the_same(answer: Any, expected: Any) -> None:
    assert difference(answer, expected) is None


@pytest.mark.parametrize(("answer", "expected", "words"), OTHER)
def test_these_are_not_and_the_words_say_why(answer: Any, expected: Any, words: str) -> None:
    found = difference(answer, expected)
    assert found is not None
    assert found.startswith(words) or words in found


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors", "ignore:Sparse CSR tensor support")
def test_a_nested_or_compressed_tensor_is_not_the_same() -> None:
    eye = torch.eye(2)
    for odd in (torch.nested.nested_tensor([*eye]), eye.to_sparse_csr()):
        assert str(difference(odd, eye)).startswith(SPARSE)


def test_the_tolerance_is_relative_and_absolute_and_may_be_zero() -> None:
    assert difference(1.0001, 1.0, 1e-3) is None
    assert difference(1.0001, 1.0, 1e-5) == WRONG
    assert difference(1 + 1e-9, 1.0, 0.0) == WRONG
    assert difference(math.pi, math.pi, 0.0) is None
