"""What a row of the table of bad input is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Refused:
    """Something that must be refused at once and in words.

    Args:
        call: the try.
        says: a pattern that the message must hold: what was wrong, and with which value.
        kind: the type of the error.
    """

    call: Callable[[], Any]
    says: str
    kind: type[BaseException] = ValueError


@dataclass(frozen=True)
class Right:
    """Something odd that has a right answer.

    Args:
        call: gives True if the answer is right.
    """

    call: Callable[[], Any]
