"""Processor seconds of each notebook as it was last stored: tests/seconds.json, written by `tools/notebooks.py run`.

They decide which notebooks start first, and which fit into `make check`.
"""

from __future__ import annotations

import json
import os

from guard import ROOT

FILE = ROOT / "tests" / "seconds.json"
UNKNOWN = 60


def of_children() -> float:
    """Processor seconds of those child processes of this one that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def stored() -> dict[str, int]:
    """Whole tens of seconds, by path."""
    return dict(json.loads(FILE.read_text(encoding="utf-8"))) if FILE.exists() else {}


def store(name: str, seconds: float) -> None:
    """Remember them, rounded up to whole tens, so that the file changes seldom; notebooks that are gone go."""
    kept = {path: known for path, known in stored().items() if (ROOT / path).exists()}
    kept[name] = 10 * (int(seconds) // 10 + 1)
    FILE.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def longest_first(names: list[str]) -> list[str]:
    """So that two workers end at about the same time; one that is not known yet counts as a minute."""
    known = stored()
    return sorted(names, key=lambda name: (-known.get(name, UNKNOWN), name))
