"""Run the notebooks of the book, check what is stored in them, and check that the built site is whole.

python tools/notebooks.py run [files]    execute top to bottom, in place, and store tidy outputs
python tools/notebooks.py check [files]  list every defect (the rules are in guard.py)
python tools/notebooks.py pages folder   fail if a page of the table of contents was not built
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL

import nbformat
import seconds
from contents import pages_of
from guard import BOOK, ROOT, defects, notebooks_of, source_digest, unlisted, without_colours
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from traitlets import default

WIDGET = "application/vnd.jupyter.widget-view+json"
PROGRESS_LINE = re.compile(r"\d+%\|.*\||\d+it \[|(it/s|s/it|\?it/s)\]?\s*$")
CELL_SECONDS = 600


class _ThisPython(AsyncKernelManager):
    """Starts the kernel of the Python that runs this file, whatever kernels the user has registered."""

    @default("kernel_spec_manager")
    def _only_this_environment(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[str(Path(sys.prefix, "share", "jupyter", "kernels"))])


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "check", "pages"])
    parser.add_argument("files", nargs="*", type=Path, help="notebooks, by default all of the book")
    options = parser.parse_args(arguments)
    if options.command == "pages":
        return check_pages(options.files[0] if options.files else ROOT / "_build" / "html")
    files = options.files or notebooks_of(BOOK)
    return run(files) if options.command == "run" else check(files)


def run(files: Sequence[Path]) -> int:
    """Execute each notebook in place; 1 at the first cell that fails, and that notebook is left as it was."""
    total = 0.0
    for file in files:
        start = seconds.of_children()
        try:
            execute(file)
        except CellExecutionError as error:
            print(f"{_short(file)}: a cell failed\n{error}", file=sys.stderr)
            return 1
        used = seconds.of_children() - start
        total += used
        if file.resolve().is_relative_to(BOOK):
            seconds.store(_short(file), used)
        print(f"{_short(file)}: {used:.1f} processor seconds", flush=True)
    print(f"{len(files)} notebooks in {total:.1f} processor seconds")
    return 0


def execute(file: Path) -> None:
    """Run the notebook with this Python, in its own folder, tidy it and write it back.

    Raises:
        CellExecutionError: a cell without the tag `raises-exception` raised.
    """
    notebook = nbformat.read(file, as_version=4)
    NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=_ThisPython,
        timeout=CELL_SECONDS,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(file.resolve().parent)}},
    ).execute(stderr=DEVNULL)  # where the kernel itself chatters; what a cell writes to stderr arrives all the same
    tidy(notebook)
    nbformat.write(notebook, file)


def tidy(notebook: NotebookNode) -> None:
    """Drop what differs from run to run or belongs to this machine, and note which sources gave the outputs."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
            "fslbook": {"source_sha256": source_digest(notebook)},
        }
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [_tidy_output(output) for output in cell.outputs if not _is_progress(output)]


def _is_progress(output: NotebookNode) -> bool:
    """Whether this is a progress bar: a widget, or tqdm's own line on stderr."""
    if output.output_type == "display_data":
        return WIDGET in output.data
    if output.output_type != "stream" or output.name != "stderr":
        return False
    lines = [line for line in re.split(r"[\r\n]+", without_colours(output.text)) if line.strip()]
    return all(PROGRESS_LINE.search(line) for line in lines)


def _tidy_output(output: NotebookNode) -> NotebookNode:
    """Of an error that is meant, keep the reader's own lines and the message, not the paths of this machine."""
    if output.output_type == "error":
        frames = [part for part in output.traceback[:-1] if without_colours(part).startswith("Cell In")]
        output.traceback = [*frames, output.traceback[-1]]
    return output


def check(files: Sequence[Path]) -> int:
    """Print every defect of the notebooks; 1 if there is any."""
    pages = pages_of()
    found = [f"{_short(file)}: {defect}" for file in files for defect in [*defects(file), *unlisted(file, pages)]]
    print("\n".join(found) if found else f"{len(files)} notebooks are sound")
    return 1 if found else 0


def check_pages(site: Path) -> int:
    """Print each page of the table of contents that is missing in the built site; 1 if there is any."""
    names = pages_of()
    missing = [name for name in ["index", *names] if not (site / name).with_name(Path(name).name + ".html").is_file()]
    for name in missing:
        print(f"{site}: page {name}.html is missing; was it built with jupyter-book 1 from _toc.yml?", file=sys.stderr)
    if not missing:
        print(f"{len(names)} pages")
    return 1 if missing else 0


def _short(file: Path) -> str:
    file = file.resolve()
    return str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file)


if __name__ == "__main__":
    sys.exit(main())
