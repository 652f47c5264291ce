"""Packed data sets on disk: written once and whole, checked at every reading, built anew when damaged."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock, Timeout

from fslbook.common.files import full_path, make_folder, replaced, sweep
from fslbook.data.image_classes import ImageClasses

FORMAT = 2
"""Part of each file's name and first line, to be raised with every change of what the files hold. Files of format 1
ended in ".npz", and only their pixels were checked."""

PATIENCE = 300.0
"""Seconds that one process waits while another builds the same data set; then it builds it too."""


def data_root(root: str | Path | None = None) -> Path:
    """The data folder: `root`, else $FSLBOOK_DATA, else ~/.cache/fslbook; a leading "~" is the home folder.

    Args:
        root: None or "" for the default.

    Raises:
        ValueError: `root` is no path.
        FileNotFoundError: the folder depends on a home folder, and there is none.

    Example:
        >>> data_root("~/fsl") == Path.home() / "fsl"
        True
    """
    given = os.environ.get("FSLBOOK_DATA", "") if root is None else root
    return full_path("root", os.path.join("~", ".cache", "fslbook") if given == "" else given)


def pack_path(name: str, root: Path) -> Path:
    """Where `cached` keeps a data set.

    Args:
        name: of the data set.
        root: the data folder.

    Example:
        >>> pack_path("letters", Path("data")).as_posix()
        'data/letters-format2.pack'
    """
    return root / f"{name}-format{FORMAT}.pack"


def cached(name: str, build: Callable[[], ImageClasses], root: Path, known: str | None = None) -> ImageClasses:
    """Read the packed data set `name` under `root`, or build it and store it there.

    Two processes at once are no danger: one builds, the other waits and reads. A damaged file is built anew. What
    cannot be stored (a read-only folder, a full disk) is returned all the same, with a warning.

    Args:
        name: of the data set, a part of the file's name.
        build: makes the data set; what it raises is passed on.
        root: the data folder; made if it is missing.
        known: the `identity` that the data set must have; a file with another one is built anew.

    Returns:
        what `build` returns or has returned in an earlier call.

    Example:
        >>> import tempfile
        >>> def build():
        ...     print("built")
        ...     return ImageClasses(torch.zeros(2, 1, 4, 4), torch.tensor([1, 1]), ("a", "b"))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     [len(cached("letters", build, Path(folder))) for _ in range(2)]
        built
        [2, 2]
    """
    path = pack_path(name, root)
    if (classes := _read(path, known)) is not None:
        return classes
    with _turn(path):
        if (classes := _read(path, known)) is None:  # nobody else has built it while we waited
            classes = build()
            _store(path, classes, known)
    return classes


def identity(classes: ImageClasses) -> str:
    """Names, counts and pixels of a data set in one string.

    Args:
        classes: any.

    Example:
        >>> identity(ImageClasses(torch.zeros(2, 1, 4, 4), torch.tensor([1, 1]), ("a", "b")))[:17]
        'acaf1a2f 16fed897'
    """
    return f"{classes.fingerprint} {classes.content}"


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Wait until no other process builds `path`. The lock saves work and no more: without one, files stay whole."""
    lock = FileLock(path.with_suffix(".lock"))
    try:
        make_folder(path.parent)
        lock.acquire(timeout=PATIENCE)
        sweep(path, seconds=-1)  # whoever wrote there was killed, for now it is our turn
    except Timeout:
        warnings.warn(f"another process has not finished {path} in {PATIENCE:g} s; building it here too", stacklevel=5)
    except (OSError, NotImplementedError):  # another user's lock, a full disk, a file system without locks
        pass
    try:
        yield
    finally:
        lock.release()


def _read(path: Path, known: str | None) -> ImageClasses | None:
    """The data set at `path`; None if there is none, or not the bytes that were written, or not the `known` one.

    Only bytes with the right digest are unpacked, so whatever is raised there is a fault of ours and is not hidden.
    """
    try:
        content = path.read_bytes()
    except OSError:  # none there, or none that can be read
        return None
    body = content[len(_first_line(b"")) :]
    if not content.startswith(_first_line(body)):
        return None
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        images, counts, names = (file[part] for part in ("images", "counts", "names"))
    classes = ImageClasses(torch.from_numpy(images), torch.from_numpy(counts), tuple(names.tolist()))
    return classes if known in (None, identity(classes)) else None


def _store(path: Path, classes: ImageClasses, known: str | None) -> None:
    """Write to a temporary file and move it into place: a reader sees all of it or nothing."""
    if known not in (None, identity(classes)):
        reason = f"it has the identity {identity(classes)}, not {known}; another version of Pillow may help"
        return _warn(path, reason)
    body = io.BytesIO()
    np.savez(body, images=classes.images.numpy(), counts=classes.counts, names=np.array(classes.names))
    try:
        with replaced(path) as temporary:
            temporary.write_bytes(_first_line(body.getvalue()) + body.getvalue())
    except OSError as error:
        _warn(path, f"{error}; point FSLBOOK_DATA to a folder with room that can be written to")


def _warn(path: Path, reason: str) -> None:
    warnings.warn(f"cannot keep {path}, so it is built anew at each start: {reason}", stacklevel=5)


def _first_line(body: bytes) -> bytes:
    return f"fslbook data, format {FORMAT}, sha256 {hashlib.sha256(body).hexdigest()}\n".encode()


def digest(images: np.ndarray) -> str:
    """sha256 of the pixels, in order.

    Args:
        images: any shape and type.

    Example:
        >>> digest(np.zeros(4, dtype=np.uint8))[:8]
        'df3f6198'
    """
    return hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
