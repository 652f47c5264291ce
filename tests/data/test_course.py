"""The data set of the chapters: which one, said in one line."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import numbered_classes
from servers import Answer, saying, serving, stalling, whole
from stand_in import MODULE
from torchvision.datasets import Omniglot as TorchvisionOmniglot

from fslbook import Splits, course_dataset

COURSE = sys.modules["fslbook.data.course"]
pytestmark = [
    pytest.mark.usefixtures("direct"),
    pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning"),  # urllib forgets some after a redirection
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
NO_ANSWER = "no Omniglot at hand and no way to download it"


@pytest.fixture(autouse=True)
def stand_in_glyphs(monkeypatch: pytest.MonkeyPatch) -> Splits:
    parts = [numbered_classes([1] * n) for n in (3, 2, 1)]
    named = [replace(part, names=[f"{i}/{name}" for name in part.names]) for i, part in enumerate(parts)]
    splits = Splits("glyphs", *named)
    monkeypatch.setattr(COURSE, "glyphs", lambda root=None: splits)
    return splits


def printed_line(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().out.splitlines()
    return line


def test_course_takes_omniglot_where_it_is(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert course_dataset(packed).name == "omniglot/vinyals"
    assert printed_line(capsys) == "Data: Omniglot, 1,028 base, 172 validation, 423 novel classes."


STALL = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (saying(b""), NO_ANSWER),
        (saying(b"\x00\xff no HTTP\r\n"), NO_ANSWER),
        (saying(b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n"), NO_ANSWER),
        (stalling(b"HTTP/1.1 "), NO_ANSWER),
        (stalling(STALL), "Omniglot could not be downloaded .*timed out"),
        (whole(b"<html>Welcome to our hotel</html>"), "Omniglot could not be downloaded .*the 33 bytes"),
    ],
    ids=["nothing", "garbage", "a way to nowhere", "silence", "silence after the first answer", "a page to log in"],
)
def test_course_takes_the_glyphs_when_omniglot_cannot_be_had_and_says_why(
    answer: Answer,
    reason: str,
    tmp_path: Path,
    stand_in_glyphs: Splits,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.modules["fslbook.data.download"], "SILENCE", 0.5)
    with serving(answer) as url:
        monkeypatch.setattr(TorchvisionOmniglot, "download_url_prefix", url)
        assert course_dataset(tmp_path) is stand_in_glyphs
    line = r", so the bundled glyphs, 3 base, 2 validation, 1 novel classes\."
    assert re.fullmatch(f"Data: {reason}.*{line}", printed_line(capsys))


def test_course_never_replaces_a_damaged_omniglot_in_silence(root: Path) -> None:
    (root / "omniglot-py" / "images_background.zip").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"images_background.zip is damaged"):
        course_dataset(root)


@pytest.mark.parametrize("fault", [PermissionError(13, "Permission denied"), TypeError("a fault of ours")])
def test_course_blames_no_download_for_another_fault(
    fault: Exception, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: object) -> None:
        raise fault

    monkeypatch.setattr(MODULE, "_pack", fail)
    with pytest.raises(type(fault), match=str(fault.args[-1])):
        course_dataset(root)
    assert capsys.readouterr().out == ""


def test_course_takes_an_omniglot_whose_lock_is_anothers(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "omniglot-28-format2.lock").mkdir()  # nobody can open a folder as a lock, not even the root user
    assert course_dataset(root).name == "omniglot/vinyals"
    assert printed_line(capsys).startswith("Data: Omniglot, 1,028 base")
