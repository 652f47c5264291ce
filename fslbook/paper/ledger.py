"""The ledger of evidence: one JSON file a recipe, an entry a seed. The book's results come from here alone."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from fslbook.common.files import replaced
from fslbook.paper.published import published
from fslbook.paper.recipe import Recipe, same_settings, settings_of
from fslbook.paper.recipes import RECIPES
from fslbook.paper.weights import FOLDER as WEIGHTS
from fslbook.paper.weights import sha256

RESULTS = Path(__file__).resolve().parents[2] / "results"

RUN_FIELDS: dict[str, type | tuple[type, ...]] = {
    "seed": int,
    "all_at_once": dict,
    "one_at_a_time": (dict, type(None)),
    "untrained": dict,
    "training_tasks": int,
    "seconds": float,
    "tasks_per_second": float,
    "precision": str,
    "peak_memory_mib": (float, type(None)),
    "hardware": str,
    "versions": dict,
    "commit": str,
    "command": str,
    "weights_sha256": str,
    "curve": dict,
}
SCORE_FIELDS = {"accuracy", "ci95", "episodes"}


@dataclass(frozen=True)
class Entry:
    """What the ledger holds on one recipe: its settings when it was run, and a run for each seed."""

    recipe: Recipe
    settings: str
    runs: list[dict[str, Any]]

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


def read(recipe: Recipe, folder: Path = RESULTS) -> Entry | None:
    """What the ledger holds on `recipe`, or None: not run yet.

    Raises:
        ValueError: the file is damaged.
    """
    path = _path(recipe, folder)
    if not path.exists():
        return None
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        return Entry(recipe, saved["settings"], saved["runs"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def add(recipe: Recipe, run: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Enter a run; one of the same seed is replaced, runs of older settings are dropped. Safe against other writers.

    Raises:
        ValueError: the run lacks something, or has too few test episodes.
    """
    if wrong := [*defects_of_run(recipe, run)]:
        raise ValueError(f"{recipe.name}, seed {run.get('seed')}: {'; '.join(wrong)}")
    path = _path(recipe, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        before = read(recipe, folder)
        same = before.runs if before and same_settings(before.settings, recipe) else []
        runs = sorted([*(old for old in same if old["seed"] != run["seed"]), run], key=lambda entry: entry["seed"])
        _write(path, _about(recipe) | {"runs": runs})
    return path


def defects_of_run(recipe: Recipe, run: dict[str, Any]) -> Iterator[str]:
    """Everything that keeps a run from being evidence for `recipe`."""
    for name, kind in RUN_FIELDS.items():
        if name not in run:
            yield f"{name} is missing"
        elif not isinstance(run[name], kind):
            yield f"{name} is a {type(run[name]).__name__}"
    for name in ("all_at_once", "one_at_a_time", "untrained"):
        score = run.get(name)
        if isinstance(score, dict) and (score.keys() != SCORE_FIELDS or not 0 <= score["accuracy"] <= 1):
            yield f"{name} is no score"
    if isinstance(score := run.get("all_at_once"), dict) and score.get("episodes", 0) < recipe.test_episodes:
        yield f"{score.get('episodes', 0)} test episodes, the recipe asks for {recipe.test_episodes}"
    if run.get("training_tasks") != recipe.steps * recipe.batch_size:
        yield f"{run.get('training_tasks')} training tasks, the recipe asks for {recipe.steps * recipe.batch_size}"


def defects(recipe: Recipe, folder: Path = RESULTS, weights: Path = WEIGHTS) -> Iterator[str]:
    """Everywhere that a recipe, its ledger entry and its weights disagree; nothing where it was not run."""
    entry, file = read(recipe, folder), weights / f"{recipe.name}.safetensors"
    if entry is None:
        if file.exists():
            yield f"{recipe.name}: there are weights but no ledger entry"
        return
    if not same_settings(entry.settings, recipe):
        yield f"{recipe.name}: the recipe was changed after it was run"
    for run in entry.runs:
        yield from (f"{recipe.name}, seed {run.get('seed')}: {wrong}" for wrong in defects_of_run(recipe, run))
    if not file.exists():
        yield f"{recipe.name}: the weights are missing"
    elif sha256(file) not in {run.get("weights_sha256") for run in entry.runs}:
        yield f"{recipe.name}: the weights are those of no run in the ledger"


def all_defects(folder: Path = RESULTS, weights: Path = WEIGHTS) -> list[str]:
    """`defects` of every recipe, and files that belong to none."""
    found = [defect for recipe in RECIPES.values() for defect in defects(recipe, folder, weights)]
    files = [*folder.glob("*.json"), *weights.glob("*.safetensors")]
    return found + [f"{file.name} belongs to no recipe" for file in sorted(files) if file.stem not in RECIPES]


def _about(recipe: Recipe) -> dict[str, Any]:
    paper = published(recipe)
    context = {"paper": asdict(paper) if paper else None, "deviations": recipe.deviations}
    return {"recipe": recipe.name, "settings": settings_of(recipe), **context}


def _path(recipe: Recipe, folder: Path) -> Path:
    return folder / f"{recipe.name}.json"


def _write(path: Path, content: dict[str, Any]) -> None:
    with replaced(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
