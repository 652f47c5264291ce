"""Calls a learner's function so that nothing it does can hurt: limits of time, copies, errors in words."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from fslbook.exercises.engine.comparing import kind_of
from fslbook.exercises.engine.limits import TooLong, within_limits
from fslbook.exercises.engine.structures import map_tensors, require_gradients, same
from fslbook.exercises.engine.watching import watched

TOO_LONG = "it was stopped because it did not come back; is there a loop that never ends?"


class NotAttempted(Exception):
    """The function still raises NotImplementedError.

    Example:
        >>> raise NotAttempted
        Traceback (most recent call last):
        fslbook.exercises.engine.calling.NotAttempted
    """


def call(
    function: Callable[..., Any], arguments: tuple[Any, ...], *, gradients: bool = False
) -> tuple[Any, tuple[Any, ...], str | None]:
    """Call `function` with copies of `arguments`.

    Args:
        function: the learner's; whatever it raises is put into words.
        arguments: they stay as they are.
        gradients: the floating-point tensors among the copies require gradients.

    Returns:
        The answer, the copies that it was computed from, and what went wrong in words, or None.

    Raises:
        NotAttempted: the function raised NotImplementedError.

    Example:
        >>> call(lambda x: 2 * x, (3,))
        (6, (3,), None)
        >>> call(lambda x: None, (3,))[2]
        'it returned nothing; does every path end in `return`?'
    """
    copies = deepcopy(arguments)
    if gradients:
        require_gradients(copies)
    answer, error = within_limits(function, copies)
    if isinstance(error, NotImplementedError):
        raise NotAttempted
    return answer, copies, _trouble(answer, error) or _changed(copies, arguments)


def cut(answer: Any) -> tuple[Any, str | None]:
    """The answer with its tensors cut from their history, and what went wrong in words, or None.

    Nothing but the answer is looked at, so that whatever goes wrong lies in it.

    Args:
        answer: anything.

    Example:
        >>> cut([torch.ones(1, requires_grad=True)])
        ([tensor([1.])], None)
    """
    try:
        return map_tensors(Tensor.detach, answer), None
    except Exception as error:
        return None, f"what came back, {kind_of(answer)}, cannot be read: {first_line(error)}"


def lost_gradient(answer: Any, copies: tuple[Any, ...]) -> str | None:
    """What is said if no gradient flows from the answer back to some floating-point argument, or None.

    Args:
        answer: a tensor of any shape, not yet cut from its history.
        copies: the arguments that it was computed from.

    Example:
        >>> x = torch.ones(2, requires_grad=True)
        >>> lost_gradient(2 * x, (x,)) is None, lost_gradient(x.detach(), (x,))[:22]
        (True, 'no gradient flows back')
    """
    advice = "do not use .item(), .detach(), torch.tensor(...) or NumPy on the way"
    if not isinstance(answer, Tensor) or not answer.requires_grad:
        return f"no gradient flows back through your function; {advice}"
    inputs = [x for x in copies if isinstance(x, Tensor) and x.requires_grad]
    try:
        gradients = torch.autograd.grad(answer.sum(), inputs, allow_unused=True, retain_graph=True)
    except Exception as error:  # it lies in the history of the answer, which the learner's function has made
        return f"no gradient flows back through your function: {first_line(error)}"
    lost = [str(i + 1) for i, g in enumerate(gradients) if g is None]
    if lost:
        return f"no gradient flows back to floating-point argument {', '.join(lost)}; {advice}"
    return None if all(g.isfinite().all() for g in gradients) else _NAN_GRADIENT


_NAN_GRADIENT = (
    "the numbers are right, but the gradient that flows back through them is not finite: a division by 0 that is "
    "repaired afterwards (nan_to_num, where) still spoils the gradient; keep the 0 out of the division"
)


def _trouble(answer: Any, error: BaseException | None) -> str | None:
    if isinstance(error, TooLong):
        return TOO_LONG
    if error is not None:
        return in_words(error)
    return "it returned nothing; does every path end in `return`?" if answer is None else None


def _changed(copies: tuple[Any, ...], arguments: tuple[Any, ...]) -> str | None:
    changed = [str(n) for n, (copy, own) in enumerate(zip(copies, arguments, strict=True), 1) if not same(copy, own)]
    if not changed:
        return None
    return f"it changed its arguments (number {', '.join(changed)}); work on new ones, without += or x[...] = ..."


def in_words(error: BaseException) -> str:
    """What a function of the learner raised, and in which line of the cell.

    Args:
        error: with its traceback, if it has one.

    Example:
        >>> in_words(KeyError("b"))
        "KeyError at the call: look at the number of arguments: 'b'"
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in _OURS]
    where = f" in line {frames[0].lineno} of your cell" if frames else " at the call: look at the number of arguments"
    return f"{type(error).__name__}{where}: {first_line(error)}"


_OURS = (__file__, within_limits.__code__.co_filename, watched.__code__.co_filename)


def first_line(error: BaseException) -> str:
    """The first line of what an error says.

    Args:
        error: any.

    Example:
        >>> first_line(ValueError("no such class")), first_line(ValueError())
        ('no such class', 'no message')
    """
    return str(error).splitlines()[0] if str(error) else "no message"
