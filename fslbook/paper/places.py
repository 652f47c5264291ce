"""Where the ledger and the weights lie: those that come with the package, and those that a run made here writes."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parents[1]
RUN = "run.json"
"""What a run says of itself, in the folder of the run."""
WEIGHTS = "weights.safetensors"
"""Its weights, in the same folder."""


def _in_checkout() -> bool:
    project = CHECKOUT / "pyproject.toml"
    return project.is_file() and 'name = "fslbook"' in project.read_text(encoding="utf-8")


INSTALLED = not _in_checkout()
"""Whether this is an installed copy, into which nothing is written; else it is the source of the package."""
RESULTS = PACKAGE / "results" if INSTALLED else CHECKOUT / "results"
"""The ledger that comes with the package; in a checkout it stands at the top."""
TRAINED = PACKAGE / "trained"
"""The weights that belong to it."""


def own_results() -> Path:
    """The ledger that runs made here enter: that of the checkout, or where the package is installed `./results`.

    Example:
        >>> own_results().name
        'results'
    """
    return Path("results").absolute() if INSTALLED else RESULTS


def weights_of(results: Path) -> Path:
    """The folder of the weights that belong to the ledger in the folder `results`.

    Args:
        results: a folder with one JSON file per recipe.

    Example:
        >>> weights_of(Path("mine")).as_posix()
        'mine/trained'
    """
    return TRAINED if results.resolve() == RESULTS.resolve() else results / "trained"


def check_writable(results: Path) -> None:
    """Refuse a ledger into which nothing can or may be written, before a long run rather than after it.

    Args:
        results: the folder of the ledger; it is made where there is none.

    Raises:
        ValueError: it lies inside the installed package.
        OSError: it cannot be written to.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     check_writable(Path(folder, "mine"))
        ...     [path.name for path in Path(folder).rglob("*")]  # nothing else is left
        ['mine', 'trained']
    """
    if INSTALLED and results.resolve().is_relative_to(PACKAGE):
        raise ValueError(f"{results} belongs to the installed package and is not written to; name another folder")
    for folder in (results, weights_of(results)):
        folder.mkdir(parents=True, exist_ok=True)
        (probe := folder / ".writable").touch()
        probe.unlink()
