"""JSON files that hold one object, read without trusting them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fslbook.common.files import replaced


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Args:
        path: the file, in UTF-8.

    Raises:
        ValueError: it is no JSON, or holds NaN, infinity, a name twice, or something else than an object.
        OSError: it cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = (file := Path(folder, "run.json")).write_text('{"seed": 1, "curve": [0.5]}')
        ...     read_object(file)
        {'seed': 1, 'curve': [0.5]}
    """
    try:
        return parsed_object(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def parsed_object(text: str) -> dict[str, Any]:
    """The object that a JSON text speaks of.

    Args:
        text: JSON.

    Raises:
        ValueError: as `read_object`.

    Example:
        >>> parsed_object('{"seed": 1}')
        {'seed': 1}
    """
    try:
        content = json.loads(text, parse_constant=_refuse, object_pairs_hook=_named_once)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}, not an object")
    return content


def write_object(path: Path, content: dict[str, Any]) -> None:
    """Write an object as JSON in one move.

    Args:
        path: the file; its folder is made where there is none.
        content: what JSON can say; no NaN and no infinity.

    Raises:
        ValueError: there is a NaN or an infinity in it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_object(Path(folder, "seed1", "run.json"), {"seed": 1})
        ...     print(Path(folder, "seed1", "run.json").read_text(), end="")
        {
         "seed": 1
        }
    """
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    with replaced(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands twice")
    return content
