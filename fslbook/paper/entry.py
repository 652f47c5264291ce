"""What the ledger holds on one recipe."""

from __future__ import annotations

import hashlib
import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fslbook.paper.places import weights_of
from fslbook.paper.recipe import Recipe


@dataclass(frozen=True)
class Entry:
    """What the ledger holds on one recipe.

    Args:
        recipe: the recipe as it is now.
        settings: the recipe when it was run, as `settings_of` writes it.
        runs: a run per seed, by rising seed.
        shipped: where the weights beside the ledger are those of a run in half precision, and the run was tested before
            they were rounded: its seed, their sha256, and their own accuracy on the recipe's test tasks.

    Example:
        >>> from fslbook.paper.ledger import read
        >>> from fslbook.paper.recipes import recipe_named
        >>> entry = read(recipe_named("prototypical-omniglot-20w1s"))
        >>> 0.9 < entry.accuracy < 1
        True
    """

    recipe: Recipe
    settings: str
    runs: list[dict[str, Any]]
    shipped: dict[str, Any] | None = None

    @property
    def accuracy(self) -> float:
        """Mean over the seeds, in 0..1; all queries of a task at once."""
        return statistics.fmean(run["all_at_once"]["accuracy"] for run in self.runs)

    @property
    def ci95(self) -> float:
        """Half width of the interval over episodes, averaged over the seeds; it says nothing on other seeds."""
        return statistics.fmean(run["all_at_once"]["ci95"] for run in self.runs)

    @property
    def spread(self) -> float | None:
        """Standard deviation over the seeds, or None for a single one."""
        values = [run["all_at_once"]["accuracy"] for run in self.runs]
        return statistics.stdev(values) if len(values) > 1 else None

    @property
    def weights_sha256(self) -> str:
        """Digest of the weights that belong beside the ledger: of the lowest seed, or of their rounded copy."""
        return (self.shipped or self.runs[0])["weights_sha256"]

    @property
    def digests(self) -> set[str]:
        """The sha256 of every file of weights that the entry vouches for."""
        return {known["weights_sha256"] for known in (*self.runs, self.shipped) if known}

    @property
    def content(self) -> dict[str, Any]:
        """What is evidence in it, as it stands in the file."""
        return {"settings": self.settings, "runs": self.runs} | ({"shipped": self.shipped} if self.shipped else {})

    @property
    def sha256(self) -> str:
        """Digest of what is evidence in it; a number that was changed by hand or by damage does not fit it."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()


def weights_file(entry: Entry, folder: Path) -> Path:
    """Where the weights of an entry belong; recipes of one training whose weights are the same share the file.

    Args:
        entry: of the ledger.
        folder: of the ledger.

    Example:
        >>> from fslbook.paper.ledger import read
        >>> from fslbook.paper.recipes import recipe_named
        >>> entry = read(recipe_named("siamese-omniglot-20w1s"))
        >>> weights_file(entry, Path("results")).name.startswith(entry.recipe.training)
        True
    """
    return weights_of(folder) / f"{entry.recipe.training}-{entry.weights_sha256[:12]}.safetensors"


def weights_there(entry: Entry, folder: Path) -> Path | None:
    """The file of the weights of an entry, also one that version 0.1 called by the recipe; None if there is none.

    Args:
        entry: of the ledger.
        folder: of the ledger.

    Example:
        >>> from fslbook.paper.ledger import RESULTS, read
        >>> from fslbook.paper.recipes import recipe_named
        >>> weights_there(read(recipe_named("siamese-omniglot-20w1s")), RESULTS).suffix
        '.safetensors'
    """
    files = (weights_file(entry, folder), weights_of(folder) / f"{entry.recipe.name}.safetensors")
    return next((file for file in files if file.exists()), None)
