"""One table of odd and wrong input: each row is refused by an error of ours, in words, or answered rightly.

The rows stand in tests/bad_input, a file for each room of the package, and are found by themselves.
"""

from __future__ import annotations

import importlib
import re
import traceback
from pathlib import Path

import pytest
from bad_input.cases import Refused, Right

import fslbook

FOLDER = Path(__file__).parent / "bad_input"
PACKAGE = Path(fslbook.__file__).parent


def rows_of(file: Path) -> dict[str, Refused | Right]:
    module = importlib.import_module(f"bad_input.{file.stem}")
    return {f"{file.stem}: {name}": row for name, row in getattr(module, "ROWS", {}).items()}


TABLE = {name: row for file in sorted(FOLDER.glob("*.py")) for name, row in rows_of(file).items()}


def test_the_table_has_at_least_two_hundred_rows() -> None:
    assert len(TABLE) >= 200


@pytest.mark.parametrize("name", TABLE)
def test_bad_input_is_refused_in_words_or_answered_rightly(name: str) -> None:
    row = TABLE[name]
    if isinstance(row, Right):
        assert row.call()
        return
    with pytest.raises(row.kind) as caught:
        row.call()
    message, last = str(caught.value), traceback.extract_tb(caught.value.__traceback__)[-1].filename
    assert re.search(row.says, message), message
    assert Path(last).is_relative_to(PACKAGE), f"raised raw, in {last}: {message}"
