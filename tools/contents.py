"""The table of contents of the book, _toc.yml, with its patterns written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from guard import ROOT

TOC = ROOT / "_toc.yml"


def contents(toc: Path = TOC) -> dict[str, Any]:
    """The table, in which each `glob: book/solutions/*` is replaced by its files in the order of their names.

    Raises:
        ValueError: no file has such a name.
    """
    table: dict[str, Any] = _written_out(yaml.safe_load(toc.read_text(encoding="utf-8")), toc.parent)
    return table


def pages_of(toc: Path = TOC) -> list[str]:
    """The pages that the table names, without suffix, in order."""
    return _names(contents(toc))


def _written_out(entry: Any, root: Path) -> Any:
    if isinstance(entry, dict):
        return {key: _written_out(value, root) for key, value in entry.items()}
    if not isinstance(entry, list):
        return entry
    return [_written_out(one, root) for part in entry for one in (_matching(part, root) if "glob" in part else [part])]


def _matching(entry: dict[str, str], root: Path) -> list[dict[str, str]]:
    files = sorted(path for path in root.glob(entry["glob"]) if path.suffix in (".ipynb", ".md"))
    if not files:
        raise ValueError(f"_toc.yml asks for {entry['glob']}, and there is no such page")
    return [{"file": path.relative_to(root).with_suffix("").as_posix()} for path in files]


def _names(entry: Any) -> list[str]:
    if isinstance(entry, list):
        return [name for part in entry for name in _names(part)]
    own = [entry[key] for key in ("root", "file") if key in entry]
    return own + [name for key in ("parts", "chapters", "sections") for name in _names(entry.get(key, []))]
