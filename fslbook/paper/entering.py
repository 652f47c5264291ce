"""Take a finished run into the ledger."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from fslbook.common.files import replaced, sha256
from fslbook.common.json_files import read_object
from fslbook.paper import ledger
from fslbook.paper.entry import weights_file, weights_there
from fslbook.paper.places import RUN, WEIGHTS, check_writable, own_results
from fslbook.paper.recipe import Recipe
from fslbook.paper.recipes import RECIPES
from fslbook.paper.weights import read_weights


def enter(recipe: Recipe, folder: Path, results: Path | None = None) -> Path:
    """Take a run, made here or elsewhere, into the ledger, after checking it against the recipe.

    The weights beside the ledger are those of its lowest seed.

    Args:
        recipe: what was run.
        folder: of the run, with run.json and weights.safetensors.
        results: folder of the ledger; by default `own_results()`.

    Returns:
        the file of the ledger.

    Raises:
        ValueError: run.json or the weights are damaged, incomplete, or of another recipe or other settings; or the
            ledger belongs to an installed package.
        FileNotFoundError: there is no finished run in `folder`.

    Example:
        >>> from tempfile import mkdtemp
        >>> from fslbook.paper.recipes import recipe_named
        >>> enter(recipe_named("prototypical-omniglot-5w1s"), Path(mkdtemp()))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        FileNotFoundError: there is no finished run in ...: run.json is missing
    """
    results = own_results() if results is None else results
    run, file = _finished(recipe, folder)
    check_writable(results)
    before = _weights_there(recipe, results)
    shared = {_weights_there(other, results) for other in RECIPES.values() if other.name != recipe.name}
    path = ledger.add(recipe, run, results)
    entry = ledger.read(recipe, results)
    if entry and entry.weights_sha256 == run["weights_sha256"]:
        with replaced(weights_file(entry, results)) as temporary:
            shutil.copy(file, temporary)
        if before and before not in (*shared, weights_file(entry, results)):
            before.unlink(missing_ok=True)
    return path


def _weights_there(recipe: Recipe, results: Path) -> Path | None:
    entry = ledger.read(recipe, results)
    return weights_there(entry, results) if entry else None


def _finished(recipe: Recipe, folder: Path) -> tuple[dict[str, Any], Path]:
    """What the run says of itself, and its weights, which are checked to be those it speaks of."""
    for name in (RUN, WEIGHTS):
        if not (folder / name).exists():
            raise FileNotFoundError(f"there is no finished run in {folder}: {name} is missing")
    run, file = read_object(folder / RUN), folder / WEIGHTS
    if sha256(file) != run.get("weights_sha256"):
        raise ValueError(f"{file} is not the file that {RUN} speaks of")
    read_weights(recipe, file)
    return run, file
