"""What a notebook of this book must look like on paper, before anything is run.

nbval passes a notebook whose outputs were stripped, and it runs a cell without asking whether what is stored belongs
to it; these rules close the gap. Each says what is wrong and what to do. Cells are counted from 1, text cells included.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
CELL_LINES = 40
COMPARED_CELLS, FEWEST_TASKS = 5, 4  # of a chapter; of its exercises, where each check is compared
MACHINE_PATH = re.compile(r"(?<![\w.~/])/(?:home|root|work|tmp|Users)/[\w.]*")
RUN_AGAIN = "run `make run` and commit the result"

Finding = tuple[int, str]


def defects(file: Path) -> list[str]:
    """Everything that is wrong with the notebook, one line each, in the order of its cells."""
    notebook = nbformat.read(file, as_version=4)
    cells = [(n, cell) for n, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code" and cell.source.strip()]
    found = [(n, text) for n, cell in cells for rule in CELL_RULES for text in rule(cell)]
    for whole in (_stripped, _half_run):
        if broken := list(whole(cells)):
            found += broken
            break  # a stripped notebook is half run as well; say it once
    found += _stale(notebook)
    found += _too_little_compared(file, cells)
    return [f"cell {n}: {text}" if n else text for n, text in sorted(found)]


def notebooks_of(folder: Path) -> list[Path]:
    """All notebooks below `folder`, without the copies that Jupyter keeps."""
    return sorted(p for p in folder.rglob("*.ipynb") if not {".ipynb_checkpoints", "_build"} & {*p.parts})


def unlisted(file: Path, pages: list[str]) -> list[str]:
    """A notebook of the book that the table of contents does not name."""
    path = file.resolve()
    if path.is_relative_to(BOOK) and path.relative_to(ROOT).with_suffix("").as_posix() not in pages:
        return ["is not in _toc.yml, so no reader finds it: list it there or move it out of book/"]
    return []


def source_digest(notebook: NotebookNode) -> str:
    """sha256 over the sources of the code cells, in order."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()


def without_colours(text: str) -> str:
    """Text without the escape sequences that colour a terminal."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)


# Rules for the whole notebook


def _stripped(cells: list[tuple[int, NotebookNode]]) -> Iterator[Finding]:
    if cells and all(cell.execution_count is None and not cell.outputs for _, cell in cells):
        yield 0, f"stripped: no cell has outputs or a count, nothing could be compared; {RUN_AGAIN}"


def _half_run(cells: list[tuple[int, NotebookNode]]) -> Iterator[Finding]:
    ran = [(n, cell) for n, cell in cells if "skip-execution" not in _tags(cell)]
    for expected, (n, cell) in enumerate(ran, 1):
        if cell.execution_count != expected:
            yield n, f"not run top to bottom: its count is {cell.execution_count}, expected {expected}; {RUN_AGAIN}"
            return


def _stale(notebook: NotebookNode) -> Iterator[Finding]:
    if notebook.metadata.get("fslbook", {}).get("source_sha256") != source_digest(notebook):
        yield 0, f"stale: the code was changed after the outputs were stored; {RUN_AGAIN}"


def _too_little_compared(file: Path, cells: list[tuple[int, NotebookNode]]) -> Iterator[Finding]:
    compared = sum(_is_compared(cell) and _has_text(cell) for _, cell in cells)
    least = FEWEST_TASKS if file.resolve().parent.name in ("exercises", "solutions") else COMPARED_CELLS
    if re.match(r"\d\d", file.name) and compared < least:
        yield 0, f"only {compared} cells are compared, this page needs {least}: tag more nbval-check-output"


# Rules for one code cell


def _untagged_error(cell: NotebookNode) -> Iterator[str]:
    errors = [output.ename for output in cell.outputs if output.output_type == "error"]
    if errors and "raises-exception" not in _tags(cell):
        yield f"stores the error {errors[0]}: mend it, or tag the cell raises-exception if it is meant"
    if not errors and "raises-exception" in _tags(cell):
        yield "is tagged raises-exception but raised nothing: take the tag away, or make it raise"


def _semicolon(cell: NotebookNode) -> Iterator[str]:
    if re.search(r";\s*(#.*)?$", cell.source.strip().splitlines()[-1]):
        yield "ends in a semicolon, which nbval does not honour: assign the value to a name instead"


def _svg(cell: NotebookNode) -> Iterator[str]:
    if any("image/svg+xml" in output.get("data", {}) for output in cell.outputs):
        yield "stores an SVG picture, whose random ids differ each time: draw a PNG"


def _skipped(cell: NotebookNode) -> Iterator[str]:
    if "skip-execution" in _tags(cell) and "nbval-skip" not in _tags(cell):
        yield "is tagged skip-execution, which nbval does not know: tag it nbval-skip as well"


def _warning(cell: NotebookNode) -> Iterator[str]:
    if any(output.get("name") == "stderr" and "Warning" in output.text for output in cell.outputs):
        yield f"stores a warning: mend its cause, then {RUN_AGAIN}"


def _machine_path(cell: NotebookNode) -> Iterator[str]:
    for output in cell.outputs:
        if found := MACHINE_PATH.search(_text(output)):
            yield f"prints a path of one machine ({found[0]}...): print a name or a relative path"
            return


def _compared_without_text(cell: NotebookNode) -> Iterator[str]:
    if _is_compared(cell) and not _has_text(cell):
        yield "is tagged nbval-check-output but stores no text to compare: print something, or take the tag away"


def _long(cell: NotebookNode) -> Iterator[str]:
    if (lines := len(cell.source.splitlines())) > CELL_LINES:
        yield f"has {lines} lines, more than {CELL_LINES}: split it, or move the plumbing into the package"


def _no_alt_text(cell: NotebookNode) -> Iterator[str]:
    has_image = any(kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {}))
    if has_image and not str(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")).strip():
        yield 'shows a picture without alt text: add {"mystnb": {"image": {"alt": "..."}}} to the cell\'s metadata'


CELL_RULES: tuple[Callable[[NotebookNode], Iterator[str]], ...] = (
    _untagged_error,
    _semicolon,
    _svg,
    _skipped,
    _warning,
    _machine_path,
    _compared_without_text,
    _long,
    _no_alt_text,
)


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _is_compared(cell: NotebookNode) -> bool:
    marked = any(re.fullmatch(r"#+ *NBVAL_CHECK_OUTPUT", line.strip()) for line in cell.source.splitlines())
    return marked or "nbval-check-output" in _tags(cell)


def _has_text(cell: NotebookNode) -> bool:
    """Whether nbval has something to compare; pictures are never compared, only the words <Figure size ...>."""
    return any(text.strip() and not text.startswith("<Figure") for text in map(_text, cell.outputs))


def _text(output: NotebookNode) -> str:
    """All words of an output, without pictures."""
    parts = [value for kind, value in output.get("data", {}).items() if kind.startswith("text/")]
    parts += [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
    return without_colours("\n".join(str(part) for part in parts if part))
