"""Compares a learner's answer with the expected one and says the difference in words, without giving it away."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fslbook.exercises.engine.patterns import pattern

Parts = tuple[Any, ...] | list[Any]


def difference(answer: Any, expected: Any, tolerance: float = 1e-4, *, explain: bool = True) -> str | None:
    """What distinguishes `answer` from `expected` in words, or None.

    Whole numbers and truth values must be equal; floating-point numbers may differ by the tolerance, and NaN and ∞ are
    equal to themselves. Where a number is expected, a Python number, a NumPy scalar and a tensor without dimensions
    will do; a Python whole number passes for a floating-point one, never a truth value for a number or the reverse.

    Args:
        answer: anything at all.
        expected: a number, a tensor of any shape, or a tuple, list or dict of such.
        tolerance: relative and absolute.
        explain: also look for what wrong numbers have to do with the right ones, which takes longer.

    Example:
        >>> difference(torch.zeros(2), torch.zeros(3))
        'its shape is [2], wanted is [3]'
        >>> difference([1, 2.0], (1, 3.0))
        'part 2: the number is wrong'
        >>> difference(0.1 + 0.2, 0.3) is None
        True
    """
    if isinstance(expected, (tuple, list)):
        return _in_parts(answer, expected, tolerance, explain)
    if isinstance(expected, dict):
        return _in_entries(answer, expected, tolerance, explain)
    if isinstance(answer, Tensor):
        expected = _beside(expected, answer)
        return _outside(answer, expected) or _values(answer, expected, tolerance, explain)
    if not isinstance(expected, Tensor) or expected.ndim == 0:
        return _in_number(answer, expected.item() if isinstance(expected, Tensor) else expected, tolerance, explain)
    return f"it returned {kind_of(answer)}, wanted is a tensor of shape {[*expected.shape]}"


def kind_of(answer: Any) -> str:
    """The type of an answer with its article.

    Args:
        answer: anything.

    Example:
        >>> kind_of(3), kind_of([])
        ('an int', 'a list')
    """
    name = type(answer).__name__.removesuffix("_")  # NumPy 1 calls its truth values bool_
    return f"an {name}" if name[0].lower() in "aeiou" else f"a {name}"


def not_tensors(answer: Any, *names: str) -> str | None:
    """What is said of an answer that is not one tensor for each name, or None; for judges, which must never raise.

    Args:
        answer: anything.
        *names: what the tensors are called.

    Example:
        >>> not_tensors([torch.zeros(1), 3], "weight", "bias")
        'return 2 tensors: weight, bias'
    """
    right = isinstance(answer, (tuple, list)) and len(answer) == len(names)
    if right and all(isinstance(x, Tensor) for x in answer):
        return None
    return f"return {len(names)} tensors: {', '.join(names)}"


def _beside(expected: Any, answer: Tensor) -> Tensor:
    """A number of Python as a tensor where the answer lies: it has no place and no precision of its own."""
    if isinstance(expected, Tensor):
        return expected
    dtype = torch.float64 if isinstance(expected, float) else None
    return torch.tensor(expected, dtype=dtype, device="cpu" if answer.is_meta else answer.device)


def _in_parts(answer: Any, expected: Parts, tolerance: float, explain: bool) -> str | None:
    if not isinstance(answer, (tuple, list)):
        return f"it returned {kind_of(answer)}, wanted are {len(expected)} things: return a, b"
    if len(answer) != len(expected):
        return f"it returned {len(answer)} things, wanted are {len(expected)}"
    pairs = enumerate(zip(answer, expected, strict=True), 1)
    found = [(n, difference(a, e, tolerance, explain=explain)) for n, (a, e) in pairs]
    return next((f"part {n}: {wrong}" for n, wrong in found if wrong), None)


def _in_entries(answer: Any, expected: dict[str, Any], tolerance: float, explain: bool) -> str | None:
    if not isinstance(answer, dict) or answer.keys() != expected.keys():
        return f"wanted is a dict with the keys {', '.join(expected)}"
    found = [(key, difference(answer[key], expected[key], tolerance, explain=explain)) for key in expected]
    return next((f"{key}: {wrong}" for key, wrong in found if wrong), None)


def _in_number(answer: Any, expected: bool | int | float, tolerance: float, explain: bool) -> str | None:
    """Compared as Python's numbers, of which a whole one may be as large as it likes."""
    plain = _without_numpy(answer)
    accepted = (int, float) if isinstance(expected, float) else (type(expected),)
    if type(plain) not in accepted:
        return f"it returned {kind_of(answer)}, wanted is {_NUMBERS[type(expected)]}"
    if not isinstance(expected, float):
        return None if plain == expected else f"the number is wrong{_in_proportion(plain, expected)}"
    return _values(_as_float64(plain), _as_float64(expected), tolerance, explain)


def _in_proportion(plain: int, expected: int) -> str:
    """Whole numbers of some size, one of which is a multiple of the other."""
    if min(plain, expected) < 20 or max(plain, expected) % min(plain, expected):
        return ""
    factor = max(plain, expected) // min(plain, expected)
    return f": yours is {'' if plain > expected else 'one '}{factor}{' times' if plain > expected else 'th of'} it"


_NUMBERS = {bool: "a truth value, True or False", int: "a whole number", float: "a number"}


def _without_numpy(x: Any) -> Any:
    for kind, plain in ((np.bool_, bool), (np.timedelta64, lambda x: x), (np.integer, int), (np.floating, float)):
        if isinstance(x, kind):
            return plain(x)
    return x


def _as_float64(x: int | float) -> Tensor:
    try:
        return torch.tensor(float(x), dtype=torch.float64)
    except OverflowError:  # a whole number that is larger than every float
        return torch.tensor(math.inf, dtype=torch.float64)


def _outside(answer: Tensor, expected: Tensor) -> str | None:
    """What is wrong before any number is looked at: shape, kind of number, device."""
    if answer.layout != torch.strided or answer.is_nested:
        return "it is no ordinary tensor but a sparse or nested one; hand back its to_dense() or to_padded_tensor(0)"
    if answer.shape != expected.shape:
        return f"its shape is {[*answer.shape]}, wanted is {[*expected.shape]}"
    if _kind(answer) != _kind(expected):
        return f"its numbers are {answer.dtype}, wanted are {_kind(expected)}"
    if answer.device != expected.device:
        return f"it lies on {answer.device}, its inputs lie on {expected.device}; create tensors with device=x.device"
    if answer.dtype not in _USUAL:
        odd = "too coarse here" if answer.is_floating_point() else "which is unusual"
        return f"its numbers are {answer.dtype}, {odd}; keep the dtype of the inputs"
    return None


_USUAL = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float32, torch.float64)


def _values(answer: Tensor, expected: Tensor, tolerance: float, explain: bool) -> str | None:
    if answer.is_floating_point() and not answer.isfinite().all() and expected.isfinite().all():
        return "it contains values that are not finite (NaN or ∞)"
    wrong = int((~_isclose(answer, expected, tolerance)).sum())
    if not wrong:
        return None
    words = (
        "the number is wrong"
        if expected.ndim == 0
        else f"the shape is right, but {wrong} of {expected.numel()} values are wrong"
    )
    if not explain or _kind(expected) not in ("floating-point numbers", "whole numbers"):
        return words
    known = pattern(answer, expected)
    return f"{words}: {known}" if known else words


def _isclose(answer: Tensor, expected: Tensor, tolerance: float) -> Tensor:
    if not answer.is_floating_point():
        return answer == expected
    return torch.isclose(answer.double(), expected.double(), rtol=tolerance, atol=tolerance, equal_nan=True)


def _kind(x: Tensor) -> str:
    if x.dtype == torch.bool:
        return "truth values"
    if x.is_complex():
        return "complex numbers"
    return "floating-point numbers" if x.is_floating_point() else "whole numbers"
