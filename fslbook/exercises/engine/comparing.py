"""Compares a learner's answer with the expected one and says the difference in words, without giving it away."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def difference(answer: Any, expected: Any, tolerance: float = 1e-4) -> str | None:
    """What distinguishes `answer` from `expected`, or None.

    A number may be a Python number, a NumPy scalar or a tensor without dimensions; other tensors must be tensors.
    """
    if isinstance(expected, (tuple, list)):
        return _in_parts(answer, expected, tolerance)
    if isinstance(expected, dict):
        return _in_entries(answer, expected, tolerance)
    if isinstance(expected, str):
        return None if answer == expected else f"{answer!r} is not the right one"
    expected = torch.as_tensor(expected)
    if expected.ndim == 0 and isinstance(answer, (bool, int, float, np.number, np.bool_)):
        answer = torch.as_tensor(answer, device=expected.device)
    if not isinstance(answer, Tensor):
        wanted = "a number" if expected.ndim == 0 else f"a tensor of shape {[*expected.shape]}"
        return f"it returned a {type(answer).__name__}, wanted is {wanted}"
    return _outside(answer, expected) or _values(answer, expected, tolerance)


def _in_parts(answer: Any, expected: tuple[Any, ...] | list[Any], tolerance: float) -> str | None:
    if not isinstance(answer, (tuple, list)):
        return f"it returned a {type(answer).__name__}, wanted are {len(expected)} things: return a, b"
    if len(answer) != len(expected):
        return f"it returned {len(answer)} things, wanted are {len(expected)}"
    pairs = enumerate(zip(answer, expected, strict=True), 1)
    found = [(n, difference(a, e, tolerance)) for n, (a, e) in pairs]
    return next((f"part {n}: {wrong}" for n, wrong in found if wrong), None)


def _in_entries(answer: Any, expected: dict[str, Any], tolerance: float) -> str | None:
    if not isinstance(answer, dict) or answer.keys() != expected.keys():
        return f"wanted is a dict with the keys {', '.join(expected)}"
    found = [(key, difference(answer[key], expected[key], tolerance)) for key in expected]
    return next((f"{key}: {wrong}" for key, wrong in found if wrong), None)


def _outside(answer: Tensor, expected: Tensor) -> str | None:
    """What is wrong before any number is looked at: shape, kind of number, device."""
    if answer.shape != expected.shape:
        return f"its shape is {[*answer.shape]}, wanted is {[*expected.shape]}"
    if _kind(answer) != _kind(expected):
        return f"its numbers are {answer.dtype}, wanted are {_kind(expected)}"
    if answer.device != expected.device:
        return f"it lies on {answer.device}, its inputs lie on {expected.device}; create tensors with device=x.device"
    if answer.dtype in (torch.float16, torch.bfloat16):
        return f"its numbers are {answer.dtype}, too coarse here; keep the dtype of the inputs"
    return None


def _values(answer: Tensor, expected: Tensor, tolerance: float) -> str | None:
    if answer.is_floating_point() and not answer.isfinite().all() and expected.isfinite().all():
        return "it contains values that are not finite (NaN or ∞)"
    near = torch.isclose(answer.double(), expected.double(), rtol=tolerance, atol=tolerance, equal_nan=True)
    wrong = int((~near).sum())
    if not wrong:
        return None
    return (
        "the number is wrong"
        if near.ndim == 0
        else f"the shape is right, but {wrong} of {near.numel()} values are wrong"
    )


def _kind(x: Tensor) -> str:
    if x.dtype == torch.bool:
        return "truth values"
    return "floating-point numbers" if x.is_floating_point() else "whole numbers"
