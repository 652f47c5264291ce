"""Packed data sets on disk: written once and whole, checked at every reading, rebuilt when damaged."""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock

from fslbook.common.files import replaced
from fslbook.data.image_classes import ImageClasses

DAMAGE = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, struct.error, zipfile.BadZipFile, zlib.error),
    *(RuntimeError, NotImplementedError),  # a flipped bit can claim encryption, or a compression of the future
    SyntaxError,  # Pillow's word for a broken PNG
)
"""What reading a damaged archive or image can raise."""


def data_root(root: str | Path | None = None) -> Path:
    """The data folder: `root`, else $FSLBOOK_DATA, else ~/.cache/fslbook."""
    return Path(root or os.environ.get("FSLBOOK_DATA") or Path.home() / ".cache" / "fslbook")


def cached(name: str, build: Callable[[], ImageClasses], root: Path) -> ImageClasses:
    """Read the packed data set `name` under `root`, or build it and store it there.

    Two processes at once are no danger: one builds, the other waits and reads. A damaged file is built anew. In a
    folder that cannot be written to, the data set is built in memory each time, with a warning.
    """
    path = root / f"{name}.npz"
    if (classes := _read(path)) is not None:
        return classes
    if not _can_write(root):
        message = f"cannot write to {root}, so {name} is packed anew at each start; point FSLBOOK_DATA elsewhere"
        warnings.warn(message, stacklevel=3)
        return build()
    with FileLock(root / f"{name}.lock"):
        if (classes := _read(path)) is None:  # nobody else has built it while we waited
            classes = build()
            _write(path, classes)
    return classes


def _can_write(folder: Path) -> bool:
    """Try it; permission bits alone do not tell (read-only mounts, the root user)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _read(path: Path) -> ImageClasses | None:
    """The data set at `path`; None if there is none, or if what is there is not whole."""
    try:
        # Opened here, since np.load leaves the files that it refuses open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            images, counts, names = file["images"], file["counts"], file["names"]
            if str(file["digest"]) != digest(images):
                return None
        return ImageClasses(torch.from_numpy(images), torch.from_numpy(counts), tuple(names.tolist()))
    except DAMAGE:
        return None


def _write(path: Path, classes: ImageClasses) -> None:
    """Write to a temporary file and move it into place: a reader sees all of it or nothing."""
    images = classes.images.numpy()
    with replaced(path) as temporary, temporary.open("wb") as file:
        np.savez(file, images=images, counts=classes.counts, names=np.array(classes.names), digest=digest(images))


def digest(images: np.ndarray) -> str:
    """sha256 of the pixels, in order."""
    return hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
