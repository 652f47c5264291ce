"""What a check has found, and how it is printed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """What a check found; its truth value is `passed`.

    Args:
        passed: whether every property holds.
        lines: what is printed.

    Example:
        >>> bool(Report(False, ["✗ pairs: not yet"]))
        False
    """

    passed: bool
    lines: list[str]

    def __bool__(self) -> bool:
        return self.passed

    def _ipython_display_(self) -> None:
        """Show nothing as the value of a cell: the lines are printed already."""


def in_lines(found: dict[str, str | None]) -> list[str]:
    """One line for each property; what was said once is not said again.

    Args:
        found: what is wrong with each property, or None.

    Example:
        >>> in_lines({"one shot": None, "two shots": "this is the sum", "three shots": "this is the sum"})
        ['  ✓ one shot', '  ✗ two shots: this is the sum', '  ✗ three shots: as for “two shots”']
    """
    said: dict[str, str] = {}
    lines = []
    for name, wrong in found.items():
        text = f"{name}: as for “{said[wrong]}”" if wrong in said else f"{name}: {wrong}"
        lines.append(f"  ✗ {text}" if wrong else f"  ✓ {name}")
        said.setdefault(wrong or "", name)
    return lines
