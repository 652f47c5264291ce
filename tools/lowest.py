"""Print what `make test-lowest` installs: the lower bounds of pyproject.toml, exactly, and the checks as pinned."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = "# the checks\n"


def lower_bounds(project: str) -> list[str]:
    """Each dependency in the text of pyproject.toml, at its lower bound: "torch>=2.6" becomes "torch==2.6".

    Raises:
        ValueError: a dependency without a lower bound, or with more than that.
    """
    dependencies = tomllib.loads(project)["project"]["dependencies"]
    if strange := [one for one in dependencies if not re.fullmatch(r"[\w-]+>=[\d.]+", one)]:
        raise ValueError(f"a dependency must read name>=version and no more, not {strange[0]!r}")
    return [one.replace(">=", "==") for one in dependencies]


def checks(requirements: str) -> list[str]:
    """The last part of requirements.txt: what the tests need."""
    return requirements.partition(CHECKS)[2].split()


if __name__ == "__main__":
    project, requirements = (ROOT / name for name in ("pyproject.toml", "requirements.txt"))
    print(*lower_bounds(project.read_text()), *checks(requirements.read_text()), sep="\n")
