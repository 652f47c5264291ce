"""What the tests of the chapters read: their cells, and the questions that unfold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

BOOK = Path(__file__).resolve().parents[2] / "book"
CHAPTERS = sorted(BOOK.glob("[0-9][0-9]-*.ipynb"))
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
QUESTION = re.compile(r"^\*\*\d+\.(?P<text>.+?)\*\*\n(?P<answers>.+?)(?=^\*\*\d+\.|\Z)", re.M | re.S)
ANSWER = re.compile(
    r"<details><summary>(?P<letter>[A-Z])\. (?P<text>.+?)</summary>\n\n"
    r"(?P<verdict>Right|No)\. (?P<why>.+?)\n\n</details>",
    re.S,
)


@dataclass(frozen=True)
class Answer:
    """One of the answers offered."""

    letter: str
    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A concept question of a chapter."""

    text: str
    answers: tuple[Answer, ...]


def cells(file: Path, kind: str) -> list[NotebookNode]:
    """The cells of one kind."""
    return [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == kind]


def visible_lines(file: Path) -> int:
    """Lines of code that a reader of the page sees before unfolding anything, empty ones not counted."""
    shown = [cell for cell in cells(file, "code") if not FOLDED & set(cell.metadata.get("tags", []))]
    return sum(bool(line.strip()) for cell in shown for line in cell.source.splitlines())


def questions(file: Path) -> list[Question]:
    """The concept questions: cells tagged `questions`, each answer a fold that begins with Right or No."""
    return [question for cell in cells(file, "markdown") if "questions" in _tags(cell) for question in _read(cell)]


def folds(file: Path) -> int:
    """How many folds the cells with questions have, however they are written."""
    return sum(cell.source.count("<details") for cell in cells(file, "markdown") if "questions" in _tags(cell))


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _read(cell: NotebookNode) -> Iterator[Question]:
    for match in QUESTION.finditer(cell.source):
        found = ANSWER.finditer(match["answers"])
        answers = (Answer(a["letter"], a["text"], a["verdict"] == "Right", " ".join(a["why"].split())) for a in found)
        yield Question(" ".join(match["text"].split()), tuple(answers))
