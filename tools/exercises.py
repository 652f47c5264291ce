"""Make the exercise notebooks from the solution notebooks, so that there is one source of truth.

python tools/exercises.py          write book/exercises/*.ipynb
python tools/exercises.py check    fail if one of them is not what its solution gives

In a solution notebook, a code cell tagged `solution` holds the learner's functions: of each, the signature and the
docstring stay and the body goes. A text cell tagged `solution` goes as a whole, and so does any cell tagged
`solution-only`: what it says would answer the question.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import nbformat
from guard import BOOK
from nbformat import NotebookNode

SOLUTIONS, EXERCISES = BOOK / "solutions", BOOK / "exercises"
YOUR_TURN = "raise NotImplementedError  # your turn"
LAST_WORDS = (
    "The solutions are on [a page of their own](../solutions/{name}). Try first: that is where the learning is."
)


def main(arguments: list[str]) -> int:
    """The command line; returns the exit status."""
    if orphans := sorted({*_names(EXERCISES)} - {*_names(SOLUTIONS)}):
        print(f"without a solution: {', '.join(orphans)}; delete them from book/exercises or write book/solutions")
        return 1
    stale = [name for name in sorted(_names(SOLUTIONS)) if not in_step(SOLUTIONS / name)]
    if arguments == ["check"]:
        print(f"out of step with their solutions: {', '.join(stale)}; run tools/exercises.py" if stale else "in step")
        return 1 if stale else 0
    for name in stale:
        EXERCISES.mkdir(exist_ok=True)
        nbformat.write(exercises_from(nbformat.read(SOLUTIONS / name, as_version=4), name), EXERCISES / name)
        print(f"{name}: written without outputs; run it with tools/notebooks.py")
    return 0


def _names(folder: Path) -> list[str]:
    return [file.name for file in folder.glob("*.ipynb")]


def in_step(solution: Path) -> bool:
    """Whether the exercise notebook of the same name has the very cells that this solution notebook gives."""
    if not (EXERCISES / solution.name).exists():
        return False
    wanted = exercises_from(nbformat.read(solution, as_version=4), solution.name)
    return _content(wanted) == _content(nbformat.read(EXERCISES / solution.name, as_version=4))


def exercises_from(solution: NotebookNode, name: str) -> NotebookNode:
    """A copy of the solution notebook without solutions and outputs."""
    kept = [cell for cell in solution.cells if not _goes(cell)]
    cells = [_blank(cell) for cell in kept]
    cells[0].source = cells[0].source.replace("Solutions", "Exercises", 1)
    last = nbformat.v4.new_markdown_cell(LAST_WORDS.format(name=Path(name).stem), id="the-solutions")
    return nbformat.v4.new_notebook(cells=[*cells, last], metadata=dict(solution.metadata))


def is_solution(cell: NotebookNode) -> bool:
    """Whether the cell is tagged `solution`."""
    return "solution" in cell.metadata.get("tags", [])


def without_bodies(source: str) -> str:
    """Python source in which every function keeps its docstring, and has a note in place of its body.

    Raises:
        ValueError: the source holds anything but functions, or a function whose body does not stand on lines of its
            own; it would give the answer away.
    """
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        lines[_start_of_body(node, lines) - 1 : node.end_lineno] = [f"    {YOUR_TURN}"]
    return "\n".join(lines)


def _start_of_body(node: ast.stmt, lines: list[str]) -> int:
    """The line where a function's body begins, after its docstring and with its first comment; counted from 1."""
    if not isinstance(node, ast.FunctionDef):
        found = ast.unparse(node).splitlines()[0]
        raise ValueError(f"a cell tagged `solution` holds functions only, not {found!r}; tag it solution-only instead")
    body = node.body[1:] if ast.get_docstring(node) else node.body
    if not body or lines[body[0].lineno - 1][: body[0].col_offset].strip():
        raise ValueError(f"the function {node.name} needs a body on lines of its own, which a note can replace")
    first = body[0].lineno
    while lines[first - 2].lstrip().startswith("#"):
        first -= 1
    return first


def _goes(cell: NotebookNode) -> bool:
    tags = cell.metadata.get("tags", [])
    return "solution-only" in tags or (cell.cell_type == "markdown" and is_solution(cell))


def _blank(cell: NotebookNode) -> NotebookNode:
    cell = nbformat.from_dict(dict(cell))
    if cell.cell_type == "code":
        cell.source = without_bodies(cell.source) if is_solution(cell) else cell.source
        cell.outputs, cell.execution_count = [], None
    cell.metadata = {key: value for key, value in cell.metadata.items() if key != "tags" or not is_solution(cell)}
    return cell


def _content(notebook: NotebookNode) -> list[tuple[str, str, str]]:
    return [(cell.cell_type, cell.source, str(cell.metadata.get("tags", []))) for cell in notebook.cells]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
