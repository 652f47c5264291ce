"""Runs that nobody made, complete to the last field, to be spoilt by a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from fslbook.paper import builders, ledger
from fslbook.paper.entry import weights_file
from fslbook.paper.places import RUN, WEIGHTS
from fslbook.paper.recipe import Recipe
from fslbook.paper.weights import write_weights


def score(accuracy: float, episodes: int) -> dict[str, Any]:
    return {"accuracy": accuracy, "ci95": 0.002, "episodes": episodes}


def run_of(recipe: Recipe, seed: int = 0, accuracy: float = 0.9, **other: Any) -> dict[str, Any]:
    """A run as run.json would hold it, with some fields put in place of what they would be."""
    tasks = recipe.steps * recipe.batch_size
    scores = {"all_at_once": accuracy, "with_support": 0.75, "one_at_a_time": 0.5, "untrained": 0.25}
    return {
        "seed": seed,
        **{name: score(value, recipe.test_episodes) for name, value in scores.items()},
        "training_tasks": tasks,
        "seconds": 90.0,
        "tasks_per_second": tasks / 90.0,
        "precision": "float32",
        "peak_memory_mib": 512.5,
        "hardware": "an abacus",
        "versions": {"python": "3.11.7"},
        "commit": "0123456789ab",
        "command": "python -m fslbook train",
        "weights_sha256": "0" * 64,
        "curve": {"step": [1, 2], "loss": [1.5, None], "validation_step": [2], "validation_accuracy": [0.5]},
    } | other


def shipped(recipe: Recipe, results: Path, seed: int = 0) -> Path:
    """An untrained network in the ledger of the folder `results`; its file of weights."""
    torch.manual_seed(seed)
    digest = write_weights(recipe, builders.build(recipe), seed, results / "new")
    ledger.add(recipe, run_of(recipe, seed, weights_sha256=digest), results)
    path = weights_file(ledger.read(recipe, results), results)
    (results / "new").rename(path)
    return path


def finished(folder: Path, recipe: Recipe, seed: int = 0, weights_seed: int = 0) -> Path:
    """A folder with a run that nobody made."""
    torch.manual_seed(weights_seed)
    digest = write_weights(recipe, builders.build(recipe), seed, folder / WEIGHTS)
    (folder / RUN).write_text(json.dumps(run_of(recipe, seed, weights_sha256=digest)))
    return folder
