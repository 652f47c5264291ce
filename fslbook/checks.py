"""Checks of arguments that several modules share."""

from __future__ import annotations


def check_whole_number(name: str, value: object, least: int) -> None:
    """Refuse a size that is not a whole number or is too small.

    Raises:
        ValueError: says the name of the argument, the least allowed number and the one that was given.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
