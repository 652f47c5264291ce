"""Lets a function run for a limited time, counted so that a busy machine does not condemn a correct one."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any

WORK_SECONDS = 5.0
"""So much processor time may one call take; what it waits for other programs does not count."""

WAIT_SECONDS = 20.0
"""So long on the clock may one call take: an endless loop that sleeps hardly works at all."""

LOOK_EVERY = 0.02


class TooLong(BaseException):
    """Raised inside a function that does not come back; no `except Exception` catches it.

    Example:
        >>> issubclass(TooLong, Exception)
        False
    """


def within_limits(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, BaseException | None]:
    """The answer of `function(*arguments)` and None, or None and what it raised.

    It runs in a thread, which can be stopped on every system; the kernel's own interrupt stays free for the user.

    Args:
        function: anything that can be called.
        arguments: handed over as they are.

    Returns:
        `TooLong` in second place if the function was stopped, after `WORK_SECONDS` of processor time or `WAIT_SECONDS`
        on the clock.

    Example:
        >>> within_limits(max, (3, 4))
        (4, None)
        >>> within_limits(int, ("x",))
        (None, ValueError("invalid literal for int() with base 10: 'x'"))
    """
    box: list[tuple[Any, BaseException | None]] = []
    clocks: list[int] = []

    def work() -> None:
        clocks.extend(_own_clock())
        try:
            box.append((function(*arguments), None))
        except BaseException as error:  # also sys.exit() must not end anything
            box.append((None, error))

    thread = threading.Thread(target=work, daemon=True, name="exercise")
    thread.start()
    try:
        _wait(thread, clocks)
    finally:  # also when the user interrupts
        _stop(thread)
    return box[0] if box else (None, TooLong())


def _wait(thread: threading.Thread, clocks: list[int]) -> None:
    start = time.monotonic(), _worked(clocks)
    while thread.is_alive() and time.monotonic() - start[0] < WAIT_SECONDS:
        if _worked(clocks) - start[1] > WORK_SECONDS:
            return
        thread.join(LOOK_EVERY)


def _own_clock() -> list[int]:
    """The clock that counts the processor time of this thread, where the system has one."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return []
    return [time.pthread_getcpuclockid(threading.get_ident())]


def _worked(clocks: list[int]) -> float:
    """Seconds of processor time on the thread's clock; where there is none, of the whole process."""
    if not clocks:
        return 0.0 if hasattr(time, "pthread_getcpuclockid") else time.process_time()
    try:
        return time.clock_gettime(clocks[0])
    except OSError:  # the thread has just ended, and its clock with it
        return 0.0


def _stop(thread: threading.Thread) -> None:
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(TooLong))
