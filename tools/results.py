"""Write the ledger's tables into book/_results, from where the chapters take their own rows.

python tools/results.py          write them
python tools/results.py check    fail if one of them is not what the ledger holds
"""

from __future__ import annotations

import sys
from pathlib import Path

from guard import BOOK

from fslbook.paper.recipes import METHODS
from fslbook.paper.report import results_table

FOLDER = BOOK / "_results"


def main(arguments: list[str]) -> int:
    """The command line; returns the exit status."""
    stale = [name for name in METHODS if _read(FOLDER / f"{name}.md") != results_table(name) + "\n"]
    if arguments == ["check"]:
        print(f"out of step with the ledger: {', '.join(stale)}; run tools/results.py" if stale else "in step")
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        (FOLDER / f"{name}.md").write_text(results_table(name) + "\n", encoding="utf-8")
    return 0


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
