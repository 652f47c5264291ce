"""Print the notebooks that `make check` runs: those whose own code changed, or the code of the package that they use.

python tools/affected.py        these, the longest first
python tools/affected.py all    all notebooks, the longest first

A notebook has a digest: of its code, and of each file of the package that it rests on (dependencies.py). It need not
run if that digest is the one of its last green run here (`make check` and `make test` note it in .venv/var), or the one
of the commit where this branch left the main one. The quickest come first, as long as their measured seconds fit; the
others are named on stderr and left to `make test`.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path

from dependencies import Package, sources
from guard import BOOK, ROOT, notebooks_of
from seconds import UNKNOWN, longest_first, stored

GREEN = ROOT / ".venv" / "var" / "green.json"
BUDGET = 60
"""Processor seconds of notebooks that fit into a `make check`."""


def main(arguments: list[str]) -> int:
    """Print one path per line; always succeeds."""
    if arguments == ["all"]:
        print("\n".join(longest_first([file.relative_to(ROOT).as_posix() for file in notebooks_of(BOOK)])))
        return 0
    changed = [name for name, digest in digests(ROOT).items() if digest not in known(name)]
    chosen, left = split(longest_first(changed), BUDGET)
    if left:
        print(f"left to make test, since they take too long: {', '.join(left)}", file=sys.stderr)
    print("\n".join(chosen))
    return 0


def split(names: list[str], budget: int) -> tuple[list[str], list[str]]:
    """The shortest of `names`, which come longest first, that fit into the budget together; and the rest."""
    known = stored()
    total, chosen = 0, list[str]()
    for name in reversed(names):
        total += known.get(name, UNKNOWN)
        chosen = [name, *chosen] if total <= budget else chosen
    return chosen, names[: len(names) - len(chosen)]


def digests(root: Path) -> dict[str, str]:
    """The digest of each notebook in a checkout."""
    package = Package(root)
    text = cache(lambda module: ast.dump(package.trees[module]))
    found = {}
    for file in notebooks_of(root / "book"):
        notebook = json.loads(file.read_text(encoding="utf-8"))
        cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        used = {module: text(module) for module in sorted(package.used_by(sources(cells)))}
        found[file.relative_to(root).as_posix()] = hashlib.sha256(json.dumps([cells, used]).encode()).hexdigest()
    return found


def known(name: str) -> set[str]:
    """The digests with which a notebook counts as sound."""
    return {one[name] for one in (_of_main(), green()) if name in one}


def green() -> dict[str, str]:
    """The digest of each notebook at its last green run in this checkout."""
    return dict(json.loads(GREEN.read_text())) if GREEN.exists() else {}


def note_green(now: dict[str, str]) -> None:
    """Remember these."""
    GREEN.parent.mkdir(parents=True, exist_ok=True)
    GREEN.write_text(json.dumps(green() | now, indent=1, sort_keys=True))


@cache
def _of_main() -> dict[str, str]:
    """The digests where this branch left the main one; none without git."""
    found = (_git("merge-base", "HEAD", name) for name in ("origin/HEAD", "origin/main", "main"))
    base = next(filter(None, found), b"")
    archive = _git("archive", base.decode().strip(), "book", "fslbook") if base else b""
    if not archive:
        return {}
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
        return digests(Path(folder))


def _git(*arguments: str) -> bytes:
    run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    return run.stdout if run.returncode == 0 else b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
