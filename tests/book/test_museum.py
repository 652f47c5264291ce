"""The museum of wrong code: every test on its pages catches the wrong version and accepts the mended one."""

from __future__ import annotations

import ast
import random
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest
import torch
from contents import pages_of

BOOK = Path(__file__).resolve().parents[2] / "book"
HEADING = re.compile(r"^## (\d+) · .+$", re.M)


def _cells(room, kind):
    return [cell for cell in nbformat.read(BOOK / f"{room}.ipynb", as_version=4).cells if cell.cell_type == kind]


def _numbers(room):
    """How a room's exhibits are numbered in its headings."""
    return [int(number) for cell in _cells(room, "markdown") for number in HEADING.findall(cell.source)]


ROOMS = {Path(page).name: _numbers(Path(page).name) for page in pages_of() if page.startswith("book/museum-")}


def _exhibits(room):
    return [cell.source for cell in _cells(room, "code") if "exhibit" in cell.metadata.get("tags", [])]


@cache
def _names(room):
    """What a room defines: its imports and the cells tagged `exhibit`, run without any data set."""
    imports = [
        node for node in ast.parse(_cells(room, "code")[0].source).body if isinstance(node, ast.ImportFrom | ast.Import)
    ]
    space: dict = {}
    for source in [ast.unparse(ast.Module(imports, [])), *_exhibits(room)]:
        exec(source, space)
    return space


EXHIBITS = [
    pytest.param(room, n, id=f"{number}") for room, numbers in ROOMS.items() for n, number in enumerate(numbers)
]


def test_there_are_at_least_twenty_three_numbered_from_room_to_room():
    numbers = [number for room in ROOMS for number in ROOMS[room]]
    assert numbers == [*range(1, len(numbers) + 1)]
    assert len(numbers) >= 23
    assert all(len(_names(room)["MUSEUM"]) == len(ROOMS[room]) for room in ROOMS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("room", "n"), EXHIBITS)
def test_the_wrong_version_is_caught_and_the_mended_one_is_not(room, n, seed):
    """Whatever the global seed: the tests draw at random."""
    test, wrong, mended = _names(room)["MUSEUM"][n]
    torch.manual_seed(seed)
    random.seed(seed)
    with pytest.raises(AssertionError):
        test(wrong)
    test(mended)


@pytest.mark.parametrize("room", ROOMS)
def test_a_verdict_is_no_formality(room, capsys):
    """Exchanged versions, and a test that accepts or refuses everything, are all noticed on the page itself."""
    space = _names(room)
    number = len(space["MUSEUM"])

    def refuses_all(version):
        raise AssertionError

    test, wrong, mended = space["MUSEUM"][0]
    for bad in ((test, mended, wrong), (test, mended, mended), (lambda version: None, wrong, mended)):
        with pytest.raises(AssertionError, match="catches"):
            space["verdict"](*bad)
    with pytest.raises(AssertionError, match="accepts"):
        space["verdict"](refuses_all, wrong, mended)
    with pytest.raises(ZeroDivisionError):
        space["verdict"](lambda version: 1 / 0, wrong, mended)
    del space["MUSEUM"][number:]


@pytest.mark.parametrize("room", ROOMS)
def test_wrong_versions_are_short_and_tests_shorter(room):
    lines = {
        node.name: node.end_lineno - node.lineno + 1
        for source in _exhibits(room)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    for test, wrong, _ in _names(room)["MUSEUM"]:
        assert lines[wrong.__name__] <= 15
        assert lines[test.__name__] <= 15


@pytest.mark.parametrize("room", ROOMS)
def test_every_exhibit_has_a_riddle_with_a_folded_answer_and_a_way_to_catch_it(room):
    text = "\n\n".join(cell.source for cell in _cells(room, "markdown"))
    for exhibit in re.split(r"^## \d+ · ", text, flags=re.M)[1:]:
        riddle, catch = exhibit.index("What is wrong here?"), exhibit.index("**In your own code:**")
        assert riddle < exhibit.index("<details><summary>The answer</summary>") < exhibit.index("</details>") < catch


def test_the_table_by_symptom_names_every_exhibit():
    table = _cells([*ROOMS][-1], "markdown")[-1].source
    named = {int(n) for row in table.splitlines() if row.startswith("|") for n in re.findall(r"\d+", row.split("|")[3])}
    assert named == {number for numbers in ROOMS.values() for number in numbers}


@pytest.mark.parametrize("room", ROOMS)
def test_a_visitor_can_guess(room):
    """Answers are folded, and so are the mended code, the tests and the verdicts, each in a cell of its own."""
    for cell in _cells(room, "code"):
        if "_mended" in cell.source or "Mended" in cell.source or "def test_" in cell.source:
            assert {"hide-input", "hide-cell"} & set(cell.metadata.get("tags", [])), cell.source


@pytest.mark.parametrize("room", ROOMS)
def test_a_verdict_says_what_the_test_objects_to(room):
    for test, wrong, _ in _names(room)["MUSEUM"]:
        with pytest.raises(AssertionError, match=r"\S"):
            test(wrong)


@pytest.mark.parametrize("room", ROOMS)
def test_visible_cells_are_short(room):
    for cell in _cells(room, "code"):
        if not {"hide-input", "hide-cell"} & set(cell.metadata.get("tags", [])):
            assert sum(bool(line.strip()) for line in cell.source.splitlines()) <= 15, cell.source
