"""Downloads end in time, with the right bytes or with a ConnectionError."""

from __future__ import annotations

import hashlib
import sys
import time

import pytest
from servers import BAD, Answer, dripping, head, saying, serving, stalling, whole

from fslbook.data.download import answers, download, within

MODULE = sys.modules["fslbook.data.download"]
pytestmark = [
    pytest.mark.usefixtures("direct"),
    pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning"),  # urllib forgets some after a redirection
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "LIMIT", 3.0)
    monkeypatch.setattr(MODULE, "SILENCE", 0.5)


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def test_the_right_bytes_arrive() -> None:
    content = bytes(range(256)) * 1000
    with serving(whole(content)) as url:
        assert answers(url)
        assert download(f"{url}/file.zip", md5(content)) == content


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD)
def test_a_bad_answer_is_a_connection_error_on_one_line(answer: Answer) -> None:
    with serving(answer) as url:
        with pytest.raises(ConnectionError, match=r"could not download http://127\.0\.0\.1") as caught:
            download(f"{url}/file.zip", md5(b"x" * 1000))
        assert "\n" not in str(caught.value)
        assert answers(url) in (True, False)


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200", head(1000), head(1000) + b"x" * 500], ids=len)
@pytest.mark.parametrize("slow", [stalling, pytest.param(dripping, marks=pytest.mark.slow)])
def test_a_server_that_is_too_slow_is_left(slow: object, first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "LIMIT", 1.0)
    with serving(slow(first)) as url:
        start = time.monotonic()
        with pytest.raises(ConnectionError, match=r"could not download .*: (timed out|no end after 1 s|.*timed out)"):
            download(f"{url}/file.zip", md5(b"x" * 1000))
        assert time.monotonic() - start < 20  # against a hang, which would take 30


def test_a_flood_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "MOST", 1000)
    with serving(whole(b"x" * 5000)) as url, pytest.raises(ConnectionError, match="the 1,000 bytes that came are not"):
        download(url, md5(b"x" * 5000))


def test_nobody_answers() -> None:
    with serving(saying(b"")) as url:
        pass
    assert not answers(url)
    with pytest.raises(ConnectionError, match=r"could not download .*refused"):
        download(url, md5(b""))


def test_only_connections_fail_as_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is not taken for one of the network."""
    monkeypatch.setattr(MODULE, "_read", lambda url: url.no_such_attribute)
    with pytest.raises(AttributeError):
        download("http://127.0.0.1", md5(b""))


def test_an_error_within_the_time_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError):
        within(5.0, lambda: 1 / 0)
