"""Write the README's table of chapters from _toc.yml and the first lines of the pages.

python tools/readme.py          write it
python tools/readme.py check    fail if the README has another one

A page whose title is followed by a line in italics has a row of its own, with that line; the other pages of a part
share a row.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from contents import contents
from guard import ROOT

README = ROOT / "README.md"
BEGIN, END = "<!-- tools/readme.py writes this table -->\n", "<!-- the table ends here -->\n"
HEAD = "|   | chapter | what it is about |\n|---|---|---|\n"


class Page(NamedTuple):
    """A page of the book as the README shows it; `number` and `about` may be empty."""

    number: str
    link: str
    about: str


def main(arguments: list[str]) -> int:
    """The command line; returns the exit status."""
    text = README.read_text(encoding="utf-8")
    wanted = with_table(text, table(contents()))
    if arguments == ["check"]:
        print("in step" if text == wanted else "README.md has another table of chapters; run tools/readme.py")
        return 0 if text == wanted else 1
    README.write_text(wanted, encoding="utf-8")
    return 0


def with_table(text: str, rows: str) -> str:
    """The README with these rows between its two marks.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README needs the line {(BEGIN if not begin else END).strip()}")
    return f"{before}{begin}{HEAD}{rows}{end}{after}"


def table(toc: dict[str, Any]) -> str:
    """One row for each page that says what it is about, and one for the rest of each part."""
    parts = [{"chapters": [{"file": toc["root"]}]}, *toc["parts"]]
    return "".join(row for part in parts for row in _rows(part.get("caption", ""), map(_page, part["chapters"])))


def _rows(caption: str, pages: Any) -> list[str]:
    pages = list(pages)
    own = [f"|{page.number:>2} | {page.link} | {page.about} |\n" for page in pages if page.about]
    rest = ", ".join(page.link for page in pages if not page.about)
    return own + ([f"|   | {caption}: {rest} | |\n"] if rest else [])


def _page(entry: dict[str, Any]) -> Page:
    file = next(path for path in (ROOT / f"{entry['file']}.ipynb", ROOT / f"{entry['file']}.md") if path.exists())
    title, about = first_lines(_text(file))
    number, _, name = title.rpartition(" · ")
    number = number if number.isdecimal() else ""
    shown = entry.get("title") or (name if number else title)
    short = number if number and not about else shown
    exercises = "".join(f" ([exercises]({one['file']}.ipynb))" for one in entry.get("sections", []))
    return Page(number, f"[{short}]({file.relative_to(ROOT).as_posix()}){exercises}", about)


def first_lines(text: str) -> tuple[str, str]:
    """The title of a page and the line in italics below it, without its stars and full stop."""
    found = re.match(r"# (?P<title>.+)\n(?:\n\*(?P<about>[^*\n]+?)\.?\*(?:\n|$))?", text)
    if not found:
        raise ValueError(f"a page begins with its title, '# ...', not with {text[:30]!r}")
    return found["title"], found["about"] or ""


def _text(file: Path) -> str:
    if file.suffix == ".md":
        return file.read_text(encoding="utf-8")
    return str(nbformat.read(file, as_version=4).cells[0].source) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
