"""The table of contents, read with its patterns written out."""

from __future__ import annotations

from pathlib import Path

import contents
import pytest

TOC = """
root: book/index
parts:
  - chapters:
      - {file: book/02-b, sections: [{file: book/exercises/02-b}]}
  - caption: Solutions
    chapters:
      - glob: book/solutions/*
      - file: book/last
"""


@pytest.fixture
def toc(tmp_path: Path) -> Path:
    (tmp_path / "book/solutions/.ipynb_checkpoints").mkdir(parents=True)
    for name in ("10-c.ipynb", "02-b.ipynb", "notes.md", "picture.png", ".ipynb_checkpoints/02-b.ipynb"):
        (tmp_path / "book/solutions" / name).touch()
    (tmp_path / "_toc.yml").write_text(TOC)
    return tmp_path / "_toc.yml"


def test_a_pattern_stands_for_its_pages_in_order(toc: Path) -> None:
    solutions = [f"book/solutions/{name}" for name in ("02-b", "10-c", "notes")]
    assert contents.contents(toc)["parts"][1]["chapters"] == [{"file": x} for x in [*solutions, "book/last"]]
    assert contents.pages_of(toc) == ["book/index", "book/02-b", "book/exercises/02-b", *solutions, "book/last"]


def test_a_pattern_without_pages_is_an_error(toc: Path) -> None:
    toc.write_text(TOC.replace("solutions/*", "answers/*"))
    with pytest.raises(ValueError, match=r"asks for book/answers/\*"):
        contents.contents(toc)


def test_every_notebook_of_the_book_is_in_the_table() -> None:
    files = {
        path.relative_to(contents.ROOT).with_suffix("").as_posix() for path in contents.ROOT.glob("book/**/*.ipynb")
    }
    assert {name for name in files if ".ipynb_checkpoints" not in name} <= set(contents.pages_of())
