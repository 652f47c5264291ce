"""End a training between two steps when the user, or the system, asks for it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ASKS_TO_STOP = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Turn Ctrl-C and SIGTERM into a flag, so that no step is cut in half; a second Ctrl-C stops at once.

    Afterwards a SIGTERM takes its ordinary course, which ends the process. Outside the main thread, where Python
    hands out no signals, the flag stays down.

    Returns:
        the flag.

    Raises:
        KeyboardInterrupt: at the second Ctrl-C.

    Example:
        >>> with stopping() as stop:
        ...     signal.raise_signal(signal.SIGINT)
        ...     stop.is_set()
        True
    """
    stop, received = threading.Event(), set()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def note(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT in received:
            raise KeyboardInterrupt
        received.add(number)
        stop.set()

    before = {number: signal.signal(number, note) for number in ASKS_TO_STOP}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        if signal.SIGTERM in received:
            signal.raise_signal(signal.SIGTERM)
