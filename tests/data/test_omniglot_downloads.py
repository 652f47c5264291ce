"""Archives that are missing: downloaded whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import Answer, half, saying, serving, whole
from stand_in import MODULE, PARTS
from torchvision.datasets import Omniglot as TorchvisionOmniglot

from fslbook import omniglot
from fslbook.data.download import download

pytestmark = [
    pytest.mark.usefixtures("direct"),
    pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning"),  # urllib forgets some after a redirection
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def content(archives: Path) -> bytes:
    """One archive."""
    return (archives / "omniglot-py" / "images_background.zip").read_bytes()


@pytest.fixture
def incomplete(root: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder without that archive, and the way to a server that may have it."""
    (root / "omniglot-py" / "images_background.zip").unlink()
    monkeypatch.setattr(MODULE, "fetch", download)
    monkeypatch.setitem(TorchvisionOmniglot.zips_md5, "images_background", hashlib.md5(content).hexdigest())
    return root


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    def start(answer: Answer) -> None:
        monkeypatch.setattr(TorchvisionOmniglot, "download_url_prefix", running.enter_context(serving(answer)))

    with contextlib.ExitStack() as running:
        yield start


def files(root: Path) -> set[str]:
    return {file.name for file in (root / "omniglot-py").iterdir()}


def test_missing_archives_without_download_are_named(root: Path) -> None:
    (root / "omniglot-py" / "images_evaluation.zip").unlink()
    with pytest.raises(FileNotFoundError, match=r"images_evaluation.zip is missing; allow the download, or put"):
        omniglot(root=root, download=False)


def test_a_missing_archive_is_downloaded_and_stays(incomplete: Path, content: bytes, serve) -> None:
    serve(whole(content))
    assert len(omniglot(root=incomplete).novel) == 423
    assert files(incomplete) == {f"{part}.zip" for part in PARTS}
    assert (incomplete / "omniglot-py" / "images_background.zip").read_bytes() == content


@pytest.mark.parametrize("bad", ["half", "another file", "garbage"])
def test_a_bad_download_leaves_nothing_behind(bad: str, incomplete: Path, content: bytes, serve) -> None:
    serve({"half": half(content), "another file": whole(b"PK" + content), "garbage": saying(b"\x00\xff")}[bad])
    with pytest.raises(ConnectionError, match=r"could not download http.*images_background.zip: .*put the archive at"):
        omniglot(root=incomplete)
    assert files(incomplete) == {"images_evaluation.zip"}
    assert not [*incomplete.glob("*.pack")]
    serve(whole(content))
    assert len(omniglot(root=incomplete).novel) == 423


def test_ctrl_c_in_a_download_leaves_nothing_behind(incomplete: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MODULE, "fetch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        omniglot(root=incomplete)
    assert files(incomplete) == {"images_evaluation.zip"}


def test_a_download_that_cannot_be_stored_is_used_all_the_same(
    incomplete: Path, content: bytes, serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    serve(whole(content))
    with monkeypatch.context() as patch, pytest.warns(UserWarning, match=r"cannot keep .*No space left") as caught:
        patch.setattr(Path, "write_bytes", full)
        assert len(omniglot(root=incomplete).novel) == 423
    assert {warning.filename for warning in caught} == {__file__}  # the caller's line is named
    assert files(incomplete) == {"images_evaluation.zip"}
    shutil.rmtree(incomplete / "omniglot-py")
    (incomplete / "omniglot-py").write_text("a file where a folder should be")
    with pytest.raises(FileNotFoundError, match=r"images_background.zip is missing"):
        omniglot(root=incomplete, download=False)
