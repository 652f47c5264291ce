"""Calls a learner's function so that nothing it does can hurt: time limit, copies, errors in words."""

from __future__ import annotations

import ctypes
import threading
import traceback
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

SECONDS = 1.5
"""So long may one call take."""

TOO_LONG = f"did not come back within {SECONDS} seconds; is there a loop that never ends?"


class NotAttempted(Exception):
    """The function still raises NotImplementedError."""


class _TooLong(BaseException):
    """Raised inside a function that does not come back; no `except Exception` catches it."""


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    gradient: bool,
    probe: Callable[..., Any] | None = None,
) -> tuple[Any, str | None]:
    """The answer of `function` to copies of `arguments`, or None and what went wrong, in words.

    Args:
        gradient: the answer must pass a gradient on to each floating-point argument.
        probe: `probe(answer, *copies)` takes the place of the answer, and of the demand for a gradient.

    Raises:
        NotAttempted: the function raised NotImplementedError.
    """
    copies = deepcopy(arguments)
    if gradient:
        require_gradients(copies)
    answer, error = _within_limit(function, copies)
    if isinstance(error, NotImplementedError):
        raise NotAttempted
    if isinstance(error, _TooLong):
        return None, TOO_LONG
    if error is not None:
        return None, _in_words(error)
    if not _same(copies, arguments):
        return None, "it changed its arguments; compute new tensors, without in-place operations (+=, x[...] = ...)"
    if answer is None:
        return None, "it returned nothing; does every path end in `return`?"
    if probe is None:
        return map_tensors(Tensor.detach, answer), _lost_gradient(answer, copies) if gradient else None
    try:
        return map_tensors(Tensor.detach, probe(answer, *copies)), None
    except Exception:  # an answer that cannot even be looked at
        return None, f"what came back, a {type(answer).__name__}, is not what the task asks for"


def require_gradients(value: Any) -> None:
    """Let every floating-point tensor in `value` require a gradient."""
    map_tensors(lambda x: x.requires_grad_(x.is_floating_point()), value)


def map_tensors(change: Callable[[Tensor], Tensor], value: Any) -> Any:
    """`value` with `change` applied to every tensor in its tuples, lists, dicts and modules (those in place)."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: map_tensors(change, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [map_tensors(change, item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, nn.Module):
        return deepcopy(value)._apply(change)
    return value


def has_floats(value: Any) -> bool:
    """Whether `value` holds a tensor of floating-point numbers."""
    return any(x.is_floating_point() for x in _tensors(value))


def _tensors(value: Any) -> list[Tensor]:
    found: list[Tensor] = []

    def keep(x: Tensor) -> Tensor:
        found.append(x)
        return x

    map_tensors(keep, value)
    return found


def _within_limit(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, BaseException | None]:
    """Call in a thread, which can be stopped on every system; the kernel's own interrupt stays free for the user."""
    box: list[tuple[Any, BaseException | None]] = []

    def work() -> None:
        try:
            box.append((function(*arguments), None))
        except BaseException as error:  # also sys.exit() must not end anything
            box.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS)
    if box:
        return box[0]
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_TooLong))
    return None, _TooLong()


def _in_words(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    where = f" in line {frames[0].lineno} of your cell" if frames else " at the call: look at the number of arguments"
    return f"{type(error).__name__}{where}: {str(error).splitlines()[0] if str(error) else 'no message'}"


def _same(a: Any, b: Any) -> bool:
    """Whether two structures hold equal tensors; what is no tensor is not compared."""
    mine, theirs = _tensors(a), _tensors(b)
    pairs = zip(mine, theirs, strict=False)
    return len(mine) == len(theirs) and all(x.shape == y.shape and torch.equal(x, y) for x, y in pairs)


def _lost_gradient(answer: Any, copies: tuple[Any, ...]) -> str | None:
    advice = "do not use .item(), .detach(), torch.tensor(...) or NumPy on the way"
    if not isinstance(answer, Tensor) or not answer.requires_grad:
        return f"no gradient flows back through your function; {advice}"
    inputs = [x for x in copies if isinstance(x, Tensor) and x.requires_grad]
    gradients = torch.autograd.grad(answer.sum(), inputs, allow_unused=True)
    lost = [str(i + 1) for i, g in enumerate(gradients) if g is None]
    return f"no gradient flows back to floating-point argument {', '.join(lost)}; {advice}" if lost else None
