"""Every chapter on paper: short code, concept questions with reasons, its goal and its take-away."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from chapters import CHAPTERS, Question, cells, folds, questions, visible_lines

VISIBLE_LINES = 180
WORDS = re.compile(r"[a-z]{4,}")
CALL_OUTS = {"goal": "{admonition} In this chapter", "take-away": "{admonition} Take-away"}

each_chapter = pytest.mark.parametrize("file", CHAPTERS, ids=lambda file: file.stem)


@each_chapter
def test_little_code_is_visible(file: Path) -> None:
    assert visible_lines(file) <= VISIBLE_LINES


@each_chapter
def test_the_package_is_imported_in_one_line(file: Path) -> None:
    first, *rest = [cell.source for cell in cells(file, "code")]
    assert "import fslbook as fsl" in first
    assert not [source for source in rest if re.search(r"^(from|import) fslbook\b", source, re.M)]


@each_chapter
def test_goal_and_take_away_stand_out(file: Path) -> None:
    text = "\n".join(cell.source for cell in cells(file, "markdown"))
    for name, opening in CALL_OUTS.items():
        assert text.count(opening) == 1, name
    assert "{admonition} How to catch it" in text


@each_chapter
def test_three_to_six_questions(file: Path) -> None:
    asked = questions(file)
    assert 3 <= len(asked) <= 6
    assert sum(len(question.answers) for question in asked) == folds(file), "an answer is not of the form that is read"
    assert len({question.text for question in asked}) == len(asked)


def test_there_are_at_least_forty_questions() -> None:
    assert sum(len(questions(file)) for file in CHAPTERS) >= 40


@each_chapter
def test_each_question_has_one_right_answer_and_each_answer_its_reason(file: Path) -> None:
    for question in questions(file):
        assert [answer.letter for answer in question.answers] == list("ABCDE"[: len(question.answers)]), question.text
        assert 3 <= len(question.answers) <= 5, question.text
        assert sum(answer.right for answer in question.answers) == 1, question.text
        reasons = [answer.why for answer in question.answers]
        assert len({*reasons}) == len(reasons) and all(len(why.split()) >= 8 for why in reasons), question.text


def test_neither_place_nor_length_nor_words_give_the_answer_away() -> None:
    asked = [question for file in CHAPTERS for question in questions(file)]
    places = Counter(answer.letter for question in asked for answer in question.answers if answer.right)
    assert max(places.values()) < 0.45 * len(asked)
    assert sum(map(_right_is_longest, asked)) < 0.5 * len(asked)
    assert sum(map(_right_shares_most_words, asked)) < 0.5 * len(asked)


def _right_is_longest(question: Question) -> bool:
    return max(question.answers, key=lambda answer: len(answer.text)).right


def _right_shares_most_words(question: Question) -> bool:
    """Whether the right answer, and no other, has the most words in common with the question."""
    asked = {*WORDS.findall(question.text.lower())}
    shared = {answer: len(asked & {*WORDS.findall(answer.text.lower())}) for answer in question.answers}
    best = [answer for answer, number in shared.items() if number == max(shared.values())]
    return len(best) == 1 and best[0].right
