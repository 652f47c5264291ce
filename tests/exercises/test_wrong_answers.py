"""Each check has met at least ten wrong answers as students write them, and has words of its own for most of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from exercise_helpers import GENERIC, NAMES, Version, said_of, table_in

HERE = Path(__file__).parent
FILES = [*HERE.glob("test_*.py"), *HERE.glob("wrong/test_*.py")]
TABLES = [table for file in sorted(FILES) if (table := table_in(file, "WRONG"))]
WRONG_ANSWERS: dict[str, list[tuple[str, Version]]] = {}
for table in TABLES:
    WRONG_ANSWERS |= table


def test_every_check_stands_in_one_table() -> None:
    assert sorted(name for table in TABLES for name in table) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_check_has_ten_wrong_answers_and_words_for_eight_in_ten(name: str) -> None:
    words = [words for words, _ in WRONG_ANSWERS[name]]
    assert len(words) >= 10
    assert sum(bool(one) for one in words) >= 0.8 * len(words)


def test_a_right_version_is_no_wrong_answer() -> None:
    with pytest.raises(AssertionError, match="all 3 properties hold"):
        said_of("images_for_bound", lambda *a: __import__("fslbook").exercises.check.images_for_bound.oracle(*a))


@pytest.mark.parametrize("words", ["12 of 12 values are wrong", "the shape is right, but 3 of 4 values are wrong"])
@pytest.mark.parametrize("place", ["", "part 2: ", "gradient at the start: body.weight: "])
def test_words_that_fit_every_slip_do_not_count(place: str, words: str) -> None:
    assert GENERIC.fullmatch(place + words)
    assert not GENERIC.fullmatch(f"{place}{words}: the sign is turned round")
