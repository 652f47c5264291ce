"""Servers on this machine that answer as badly as real ones."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[socket.socket, str], None]
"""What is done with a connection once its request has been read; the method (GET, HEAD) is given."""


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """The address of a server that gives this answer to every request until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener, answer), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def accept(listener: socket.socket, answer: Answer) -> None:
    with suppress(OSError):  # the listener was closed
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=handle, args=(connection, answer), daemon=True).start()


def handle(connection: socket.socket, answer: Answer) -> None:
    with suppress(OSError), connection:  # the other side has gone
        request = connection.recv(65536)
        answer(connection, request.split(b" ")[0].decode())


def head(length: int, status: str = "200 OK", *more: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *more, "", ""]).encode()


def whole(content: bytes) -> Answer:
    """All of it, or its head alone to those that ask for no more."""

    def answer(connection: socket.socket, method: str) -> None:
        connection.sendall(head(len(content)) + (content if method == "GET" else b""))

    return answer


def half(content: bytes) -> Answer:
    def answer(connection: socket.socket, method: str) -> None:
        connection.sendall(head(len(content)) + (content[: len(content) // 2] if method == "GET" else b""))

    return answer


def stalling(first: bytes) -> Answer:
    """These bytes, and then silence."""

    def answer(connection: socket.socket, method: str) -> None:
        connection.sendall(first)
        if method == "GET":
            time.sleep(30)

    return answer


def dripping(first: bytes) -> Answer:
    """These bytes, and then one at a time, so that no read ever waits for long."""

    def answer(connection: socket.socket, method: str) -> None:
        connection.sendall(first)
        for _ in range(300):
            connection.sendall(b"x")
            time.sleep(0.1)

    return answer


def saying(content: bytes) -> Answer:
    """These bytes, whatever was asked."""

    def answer(connection: socket.socket, method: str) -> None:
        connection.sendall(content)

    return answer


BAD: dict[str, Answer] = {
    "no HTTP": saying(b"220 mail.example.org ESMTP\r\n"),
    "noise": saying(bytes(range(256)) * 4),
    "nothing": saying(b""),
    "an endless line": saying(b"HTTP/1.1 200 OK\r\n" + b"x" * 100_000),
    "a negative length": saying(head(-5)),
    "a length in words": saying(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc"),
    "broken chunks": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"),
    "too many headers": saying(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n"),
    "not found": saying(head(0, "404 Not Found")),
    "a server in trouble": saying(head(0, "503 Service Unavailable")),
    "a way to nowhere": saying(head(0, "302 Found", "Location: http://[")),
    "a way to a file": saying(head(0, "302 Found", "Location: file:///etc/passwd")),
    "a way in a circle": saying(head(0, "302 Found", "Location: /again")),
    "a way in noise": saying(b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe\x00/\r\n\r\n"),
    "a page to log in": whole(b"<html>Welcome to our hotel</html>"),
    "half of the file": half(b"x" * 1000),
}
"""Answers that are no file."""
