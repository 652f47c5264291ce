"""Fetch a file from the network within a time limit, whatever the other side does."""

from __future__ import annotations

import concurrent.futures
import hashlib
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import TypeVar

T = TypeVar("T")

FAILURES = (OSError, HTTPException, ValueError, concurrent.futures.TimeoutError)
"""What a missing network, a broken server or a garbled answer makes urllib raise."""

LIMIT, SILENCE = 180.0, 15.0
"""Seconds that a whole download may take, and after how many seconds without a byte it is given up."""

MOST = 2**25
"""Bytes that are read at most; the archives of Omniglot have 9.5 and 6.5 million."""


def download(url: str, md5: str) -> bytes:
    """What lies at `url`, checked.

    Args:
        url: with http or https.
        md5: checksum of the right content, 32 hexadecimal digits.

    Raises:
        ConnectionError: no answer, a wrong one, or none that came to an end within `LIMIT` seconds.

    Example:
        >>> download("nowhere", md5="")
        Traceback (most recent call last):
        ConnectionError: could not download nowhere: unknown url type: 'nowhere'
    """
    try:
        content = within(LIMIT, lambda: _read(url))
    except FAILURES as error:
        reason = " ".join(str(error).split()) or type(error).__name__  # on one line
        raise ConnectionError(f"could not download {url}: {reason}") from error
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise ConnectionError(f"could not download {url}: the {len(content):,} bytes that came are not the file")
    return content


def answers(url: str, seconds: float = 3.0) -> bool:
    """Whether the server of `url` has it.

    Args:
        url: with http or https.
        seconds: no longer than this is waited.

    Example:
        >>> answers("nowhere")
        False
    """
    try:
        request = urllib.request.Request(url, method="HEAD")
        within(seconds, lambda: _open(request, seconds).close())
    except FAILURES:
        return False
    return True


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises, if it ends in time.

    A time limit on the socket alone would not do: it starts anew with each byte, and looking up a name has none.

    Args:
        seconds: to wait.
        work: goes on in the background if it is too slow, and its result is lost.

    Raises:
        concurrent.futures.TimeoutError: it was too slow.

    Example:
        >>> within(1.0, lambda: 6 * 7)
        42
    """
    future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def finish() -> None:
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=finish, daemon=True).start()
    try:
        return future.result(seconds)
    except concurrent.futures.TimeoutError as error:
        if future.done():  # it is the one that `work` has raised
            raise
        raise concurrent.futures.TimeoutError(f"no end after {seconds:g} s") from error


def _read(url: str) -> bytes:
    with _open(urllib.request.Request(url), SILENCE) as answer:
        return answer.read(MOST)


def _open(request: urllib.request.Request, seconds: float) -> HTTPResponse:
    try:
        return urllib.request.urlopen(request, timeout=seconds)
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        raise
