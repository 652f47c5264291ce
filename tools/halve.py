"""Ship the weights of earlier runs in half precision, since all recipes together have to stay under 12 MB.

python tools/halve.py [RECIPE ...]     those that are named, or all that are shipped in single precision

Newer runs are rounded before they are tested. Of one that was tested in single precision, the rounded copy is tested
on the same tasks. The ledger keeps the run and its digest as they are, and notes beside them the digest and the
accuracy of the copy. A copy that is not as good is not shipped.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors.torch import load_file
from torch import float16

from fslbook.common.files import replaced, sha256
from fslbook.data import omniglot
from fslbook.evaluation import Evaluation
from fslbook.paper import ledger, runs
from fslbook.paper.entry import Entry, weights_file, weights_there
from fslbook.paper.places import RESULTS
from fslbook.paper.recipe import Recipe
from fslbook.paper.recipes import RECIPES, recipe_named
from fslbook.paper.weights import read_weights, write_weights

SAME = 0.0005
"""Accuracies that lie no further apart are the same: a twentieth of a point, less than any interval in the ledger."""


def main(names: list[str]) -> int:
    """The command line; returns the exit status."""
    for recipe in map(recipe_named, names) if names else RECIPES.values():
        entry = ledger.read(recipe)
        file = weights_there(entry, RESULTS) if entry else None
        if entry and file and not _in_half(file):
            print(recipe.name, _halve(entry, file), flush=True)
    return 0


def _in_half(file: Path) -> bool:
    return any(x.dtype == float16 for x in load_file(file).values())


def _halve(entry: Entry, file: Path) -> str:
    """Test the rounded copy, and ship it if it is as good; says what came out."""
    recipe = entry.recipe
    run = next(run for run in entry.runs if run["weights_sha256"] == sha256(file))
    with TemporaryDirectory() as folder:
        digest = write_weights(recipe, read_weights(recipe, file), run["seed"], copy := Path(folder, "copy"))
        result = _accuracy(recipe, copy)
        apart = result.mean - run["all_at_once"]["accuracy"]
        if abs(apart) <= SAME:
            shipped = {"seed": run["seed"], "weights_sha256": digest, "all_at_once": runs.as_dict(result)}
            entry = replace(entry, shipped=shipped)
            ledger.write(entry, RESULTS)  # first: it vouches for both files
            with replaced(weights_file(entry, RESULTS)) as temporary:
                temporary.write_bytes(copy.read_bytes())
            file.unlink()
    verdict = "shipped in half precision" if abs(apart) <= SAME else "left as it was"
    return f"{100 * run['all_at_once']['accuracy']:.3f} % became {100 * result.mean:.3f} %: {verdict}"


def _accuracy(recipe: Recipe, file: Path) -> Evaluation:
    return runs.scores(recipe, read_weights(recipe, file), omniglot(recipe.split))["all_at_once"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
