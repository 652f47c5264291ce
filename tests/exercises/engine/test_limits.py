"""What counts is work, not the clock: a busy machine condemns nobody, and an endless loop is stopped."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from fslbook.exercises.engine import limits
from fslbook.exercises.engine.limits import TooLong, within_limits


def spins(*arguments: Any) -> Any:
    while True:
        pass


def sleeps(*arguments: Any) -> Any:
    while True:
        try:
            time.sleep(0.001)
        except Exception:
            continue


def ended() -> bool:
    """Whether every function that was started has really come to its end; waits for it, as long as it takes."""
    threads = [thread for thread in threading.enumerate() if thread.name == "exercise"]
    for thread in threads:
        thread.join(60)
    return not any(thread.is_alive() for thread in threads)


def stopped(function: Any) -> bool:
    return isinstance(within_limits(function, ())[1], TooLong) and ended()


def test_waiting_for_a_busy_machine_is_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if other programs held the processor for longer than the limit."""
    monkeypatch.setattr(limits, "WORK_SECONDS", 0.2)
    assert within_limits(lambda x: time.sleep(0.5) or x, (3,)) == (3, None)


def test_the_work_of_another_thread_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WORK_SECONDS", 0.2)
    over = threading.Event()

    def works_elsewhere() -> None:
        while not over.is_set():
            pass

    other = threading.Thread(target=works_elsewhere)
    other.start()
    try:
        assert within_limits(lambda: time.sleep(0.5) or 3, ()) == (3, None)
    finally:
        over.set()
        other.join()


def test_an_endless_loop_is_stopped_by_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WORK_SECONDS", 0.1)
    monkeypatch.setattr(limits, "WAIT_SECONDS", 60)
    start = time.process_time()
    assert stopped(spins)
    assert time.process_time() - start < 5


def test_where_a_thread_has_no_clock_of_its_own_that_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "pthread_getcpuclockid", raising=False)
    test_an_endless_loop_is_stopped_by_its_work(monkeypatch)


def test_a_loop_that_sleeps_is_stopped_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAIT_SECONDS", 0.1)
    assert stopped(sleeps)


def test_the_limits_are_generous() -> None:
    """The slowest correct version of the tests works for 0.3 seconds."""
    assert limits.WORK_SECONDS >= 5
    assert limits.WAIT_SECONDS >= 20


def test_an_interrupt_stops_the_function_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(limits, "_wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        within_limits(spins, ())
    assert ended()


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt()])
def test_what_it_raises_comes_back(error: BaseException) -> None:
    def fails() -> None:
        raise error

    assert within_limits(fails, ()) == (None, error)
