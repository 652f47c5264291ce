"""The ledger of evidence: one JSON file per recipe, a run per seed. The book's results come from here alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock

from fslbook.common.files import sha256
from fslbook.common.json_files import read_object, write_object
from fslbook.paper.entry import Entry, weights_there
from fslbook.paper.evidence import defects_of_run, malformed_entry
from fslbook.paper.places import RESULTS, check_writable, own_results, weights_of
from fslbook.paper.published import published
from fslbook.paper.recipe import Recipe, same_settings, settings_of
from fslbook.paper.recipes import RECIPES


def read(recipe: Recipe, folder: Path = RESULTS) -> Entry | None:
    """What the ledger holds on `recipe`, or None: not run yet.

    Args:
        recipe: any recipe.
        folder: of the ledger; by default the one that comes with the package.

    Raises:
        ValueError: the file is damaged, or says what no run can say.
        FileNotFoundError: there is no such folder; an empty one holds nothing, a missing one is a mistake.

    Example:
        >>> from fslbook.paper.recipes import recipe_named
        >>> entry = read(recipe_named("prototypical-omniglot-5w1s"))
        >>> 0.9 < entry.accuracy < 1
        True
    """
    path = _path(recipe, folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no ledger at {folder}, for it is no folder")
    if not path.exists():
        return None
    saved = read_object(path)
    if wrong := [*malformed_entry(saved, recipe.name)]:
        raise ValueError(f"{path} is damaged: {'; '.join(wrong[:3])}")
    entry = Entry(recipe, saved["settings"], saved["runs"], saved.get("shipped"))
    if saved.get("sha256", entry.sha256) != entry.sha256:
        raise ValueError(f"{path} is damaged: its numbers do not go with its sha256")
    return entry


def add(recipe: Recipe, run: dict[str, Any], folder: Path | None = None) -> Path:
    """Enter a run; one of the same seed is replaced, runs of older settings are dropped. Safe against other writers.

    Args:
        recipe: what was run.
        run: as it stands in run.json.
        folder: of the ledger; by default `own_results()`.

    Returns:
        the file of the ledger.

    Raises:
        ValueError: the run lacks something, says what no run can say, or has too few test episodes; or the ledger
            belongs to an installed package.

    Example:
        >>> from tempfile import mkdtemp
        >>> from fslbook.paper.recipes import recipe_named
        >>> recipe, folder = recipe_named("prototypical-omniglot-5w1s"), Path(mkdtemp())
        >>> add(recipe, {"seed": 0}, folder)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: prototypical-omniglot-5w1s: ...
        >>> add(recipe, read(recipe).runs[0], folder).name
        'prototypical-omniglot-5w1s.json'
    """
    if wrong := [*defects_of_run(recipe, run)]:
        raise ValueError(f"{recipe.name}: {'; '.join(wrong)}")
    folder = own_results() if folder is None else folder
    check_writable(folder)
    with FileLock(weights_of(folder) / f"{recipe.name}.lock"):
        write(_with(read(recipe, folder), recipe, run), folder)
    return _path(recipe, folder)


def write(entry: Entry, folder: Path) -> None:
    """Write an entry beside what papers report, and with its digest.

    Args:
        entry: what the ledger is to hold on its recipe.
        folder: of the ledger.

    Example:
        >>> from tempfile import mkdtemp
        >>> from fslbook.paper.recipes import recipe_named
        >>> recipe, folder = recipe_named("prototypical-omniglot-5w1s"), Path(mkdtemp())
        >>> entry = read(recipe)
        >>> write(entry, folder)
        >>> read(recipe, folder) == entry
        True
    """
    paper = published(entry.recipe)
    context = {"paper": asdict(paper) if paper else None, "deviations": entry.recipe.deviations}
    content = {"recipe": entry.recipe.name, "settings": entry.settings} | context | entry.content
    write_object(_path(entry.recipe, folder), content | {"sha256": entry.sha256})


def defects(recipe: Recipe, folder: Path = RESULTS) -> Iterator[str]:
    """Everywhere that a recipe, its ledger entry and its weights disagree; nothing where it was not run.

    Args:
        recipe: any recipe.
        folder: of the ledger; the weights are those of `weights_of(folder)`.

    Yields:
        a sentence per disagreement, which begins with the name of the recipe.

    Example:
        >>> from fslbook.paper.recipes import recipe_named
        >>> [*defects(recipe_named("prototypical-omniglot-5w1s"))]
        []
    """
    try:
        entry = read(recipe, folder)
    except ValueError as error:
        yield f"{recipe.name}: {error}"
        return
    if entry is None:
        return
    if not same_settings(entry.settings, recipe):
        yield f"{recipe.name}: the recipe was changed after it was run"
    for run in entry.runs:
        yield from (f"{recipe.name}, seed {run['seed']}: {wrong}" for wrong in defects_of_run(recipe, run))
    file = weights_there(entry, folder)
    if file is None:
        yield f"{recipe.name}: the weights are missing"
    elif sha256(file) not in entry.digests:
        yield f"{recipe.name}: the weights are those of no run in the ledger"


def all_defects(folder: Path = RESULTS) -> list[str]:
    """`defects` of every recipe, and files that belong to none.

    Args:
        folder: of the ledger.

    Example:
        >>> all_defects()
        []
    """
    found = [defect for recipe in RECIPES.values() for defect in defects(recipe, folder)]
    strange = [file.name for file in sorted(folder.glob("*.json")) if file.stem not in RECIPES]
    unused = {*weights_of(folder).glob("*.safetensors")} - {_weights_of(recipe, folder) for recipe in RECIPES.values()}
    found += [f"{name} belongs to no recipe" for name in strange]
    return found + [f"{file.name} belongs to no run in the ledger" for file in sorted(unused)]


def _weights_of(recipe: Recipe, folder: Path) -> Path | None:
    try:
        entry = read(recipe, folder)
    except ValueError:  # `defects` has named it
        return None
    return weights_there(entry, folder) if entry else None


def _with(before: Entry | None, recipe: Recipe, run: dict[str, Any]) -> Entry:
    if before is None or not same_settings(before.settings, recipe):
        return Entry(recipe, settings_of(recipe), [run])
    others = [old for old in before.runs if old["seed"] != run["seed"]]
    runs = sorted([*others, run], key=lambda entry: entry["seed"])
    kept = before.shipped if before.shipped and runs[0] is not run else None
    return Entry(recipe, settings_of(recipe), runs, kept)


def _path(recipe: Recipe, folder: Path) -> Path:
    return folder / f"{recipe.name}.json"
