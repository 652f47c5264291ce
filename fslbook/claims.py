"""Claims: sentences of the book that a machine checks each time a chapter runs."""

from __future__ import annotations

import math
from reprlib import repr as short
from typing import Any

import numpy as np
from torch import Tensor


def claim(
    sentence: str, condition: bool | np.bool_ | Tensor | np.ndarray, *, value: float | Tensor | str | None = None
) -> None:
    """Print `sentence` if `condition` holds, else raise.

    Trained numbers differ from machine to machine, so a chapter never compares them as text. It states what
    holds on every machine and prints the same line everywhere; the value behind it, in brackets, is this machine's,
    and the tests of the book do not compare it (`tests/nbval.cfg`).

    Args:
        sentence: what holds, without a number that differs between machines.
        condition: True or False, or a tensor or array with one truth value, shape [] or [1]; nothing else, for almost
            everything in Python counts as true.
        value: the number that the sentence speaks of, in its own unit, or a text such as "14.3 points". Of tensors and
            arrays, those with one element.

    Raises:
        AssertionError: the condition does not hold.
        TypeError: the condition is no truth value, or the sentence no text, or the value neither number nor text.
        ValueError: the condition or the value has not one element, or the value is NaN or an empty text.

    Example:
        >>> claim("prototypes beat pixels by more than 10 points", 0.143 > 0.10, value=0.143)
        ✓ prototypes beat pixels by more than 10 points (here: 0.143)
        >>> import torch
        >>> claim("all weights are finite", torch.ones(3).isfinite().all())
        ✓ all weights are finite
    """
    if not isinstance(sentence, str):
        raise TypeError(f"a claim needs a sentence first, got {_named(sentence)}")
    line = sentence if value is None else f"{sentence} (here: {_shown(value)})"
    if not _truth(condition):
        raise AssertionError(f"claim does not hold: {line}")
    print(f"✓ {line}")


def _truth(condition: Any) -> bool:
    truth = _single("a claim needs one truth value", condition, "use .all() or .any()")
    if not isinstance(truth, (bool, np.bool_)):
        raise TypeError(f"a claim needs a truth value, True or False, got {_named(condition)}; compare, as in gain > 0")
    return bool(truth)


def _shown(value: Any) -> str:
    number = _single("the value of a claim is one number", value, "use .mean() or .item()")
    if isinstance(number, str):
        if not number.strip() or "\n" in number:
            raise ValueError(f"the value of a claim is one line, got {number!r}")
        return number
    if isinstance(number, (bool, np.bool_)) or not isinstance(number, (int, float, np.integer, np.floating)):
        raise TypeError(f"the value of a claim is a number or a text, got {_named(value)}")
    if math.isnan(number):
        raise ValueError("the value of a claim is NaN, which is no number; if that is the point, write it as a text")
    return _in_figures(int(number) if isinstance(number, (int, np.integer)) else float(number))


def _in_figures(number: int | float) -> str:
    if isinstance(number, int):
        return f"{number:,}"
    return f"{number:,.0f}" if 1e4 <= abs(number) < 1e15 else f"{number:.4g}"


def _single(rule: str, x: Any, advice: str) -> Any:
    """A tensor or an array with one element as a number of Python, anything else as it is."""
    if not isinstance(x, (Tensor, np.ndarray)):
        return x
    if math.prod(x.shape) != 1:
        kind = "a tensor" if isinstance(x, Tensor) else "an array"
        raise ValueError(f"{rule}, got {kind} {[*x.shape]}; {advice}")
    return x.item()


def _named(x: Any) -> str:
    return f"a {type(x).__name__}, {short(x)}"
