"""Write files in one move, so that a kill never leaves half of one; and alone, so that nobody else does it too."""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

ABANDONED = 3600.0
"""Seconds after which a half-written file that nobody touches belongs to a process that was killed."""

LITTER = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "$recycle.bin", "lost+found")
"""What systems leave in folders and archives beside the files that people put there, in lower case."""


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; it takes the place of `path` if the block ends well, and goes away if not.

    Half files that a killed writer of the same `path` has left an hour ago or longer are swept away.

    Args:
        path: the file to write; its folder is made if need be.

    Raises:
        NotADirectoryError: a file stands where the folder should be.
        OSError: the folder cannot be written to, or the disk is full; `path` is as it was.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replaced(Path(folder, "run.json")) as temporary:
        ...         size = temporary.write_text("{}")
        ...     Path(folder, "run.json").read_text()
        '{}'
    """
    make_folder(path.parent)
    sweep(path)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let no other process into a block with the same `path`; it waits, and says so. A kill ends the wait of others.

    Args:
        path: what must not be worked on twice at once; the lock is a file beside it.

    Raises:
        NotADirectoryError: a file stands where the folder should be.
        OSError: the lock cannot be opened, for instance because another user made it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, alone(Path(folder, "run")):
        ...     print("nobody else is here")
        nobody else is here
    """
    make_folder(path.parent)
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"another process works on {path}; waiting for it")
        lock.acquire()
    except OSError as error:
        message = f"cannot lock {path}.lock ({error}); if it is another user's, choose another folder"
        raise OSError(error.errno, message) from error
    try:
        yield
    finally:
        lock.release()


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing.

    Args:
        folder: may be there already.

    Raises:
        NotADirectoryError: a file stands where the folder or one above it should be.
        OSError: it cannot be made.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     make_folder(Path(folder, "a", "b"))
        ...     Path(folder, "a", "b").is_dir()
        True
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        file = next((place for place in (folder, *folder.parents) if place.is_file()), folder)
        raise NotADirectoryError(error.errno, f"{folder} cannot be a folder, for {file} is a file") from error


def full_path(name: str, given: object) -> Path:
    """A path without "~".

    Args:
        name: of the argument, for the message.
        given: a string or a path; a leading "~" is the home folder.

    Raises:
        ValueError: it is neither.
        FileNotFoundError: there is no home folder.

    Example:
        >>> full_path("root", "~/fsl") == Path.home() / "fsl"
        True
    """
    if not isinstance(given, (str, Path)):
        raise ValueError(f"{name} must be a path, got {given!r}")
    try:
        return Path(given).expanduser()
    except RuntimeError as error:
        message = f"there is no home folder for {given}; let FSLBOOK_DATA or {name} name a folder in full"
        raise FileNotFoundError(message) from error


def sweep(path: Path, seconds: float = ABANDONED) -> None:
    """Remove the half files of `path` that killed writers have left.

    Args:
        path: the file that they wanted to write, by `replaced`.
        seconds: what was touched more recently stays, since its writer may be alive.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     size = Path(folder, "run.json.0123abcd.tmp").write_text("{")
        ...     sweep(Path(folder, "run.json"), seconds=-1)
        ...     [*Path(folder).iterdir()]
        []
    """
    for half in path.parent.glob(f"{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError):  # gone meanwhile, or another user's
            if time.time() - half.stat().st_mtime > seconds:
                half.unlink()


def is_litter(path: str) -> bool:
    """Whether a file was left by a system: a part of its path begins with a dot or is in `LITTER`.

    Args:
        path: a name or a relative path, with "/" between its parts.

    Example:
        >>> is_litter("cat/1.png"), is_litter("cat/._1.png"), is_litter("__MACOSX/cat/1.png")
        (False, True, True)
    """
    return any(part.startswith(".") or part.lower() in LITTER for part in path.split("/"))


def sha256(path: Path) -> str:
    """Digest of a file, as 64 hexadecimal digits.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     sha256(Path(file.name))[:12]
        'e3b0c44298fc'
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()
