"""Half precision: all weights stay small together, and are as good as those that were trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from helpers import SMALL, train_small
from paper.made_up import shipped
from safetensors.torch import load_file

from fslbook.data import Splits
from fslbook.paper import builders, ledger, runs, weights
from fslbook.paper.places import TRAINED, WEIGHTS
from fslbook.paper.recipes import RECIPES

ENTRIES = [entry for recipe in RECIPES.values() if (entry := ledger.read(recipe))]
SHIPPED = {entry.recipe.name: entry for entry in ENTRIES if entry.shipped}


def test_no_training_ships_more_than_800_kilobytes_and_all_that_ship_stay_under_12_megabytes(tmp_path: Path) -> None:
    there = {*TRAINED.glob("*.safetensors")}
    not_run = RECIPES.keys() - {entry.recipe.name for entry in ENTRIES}  # as large as untrained
    files = there | {shipped(RECIPES[name], tmp_path) for name in not_run}
    assert len(files) == len({recipe.training for recipe in RECIPES.values()})  # recipes of one training share it
    heavy = {file.name: file.stat().st_size for file in files if file.stat().st_size > 800_000}
    assert heavy == {}
    assert sum(file.stat().st_size for file in there) < 12_000_000


@pytest.mark.parametrize("name", RECIPES)
def test_what_a_recipe_ships_is_half_of_what_it_trains(name: str, tmp_path: Path) -> None:
    method = builders.build(RECIPES[name])
    weights.write_weights(RECIPES[name], method, 0, tmp_path / WEIGHTS)
    in_full = sum(x.numel() * x.element_size() for x in method.state_dict().values())
    in_file = sum(x.numel() * x.element_size() for x in load_file(tmp_path / WEIGHTS).values())
    assert in_file < 0.52 * in_full


@pytest.mark.parametrize("name", SHIPPED)
def test_a_rounded_copy_is_as_good_as_its_run(name: str) -> None:
    """Both on the recipe's 1,000 tasks, as tools/halve.py measured."""
    entry = SHIPPED[name]
    first, copy = entry.runs[0]["all_at_once"], entry.shipped["all_at_once"]
    assert entry.shipped["seed"] == entry.runs[0]["seed"]
    assert copy["episodes"] == first["episodes"] == entry.recipe.test_episodes
    assert abs(copy["accuracy"] - first["accuracy"]) <= 0.0005
    assert entry.shipped["weights_sha256"] != entry.runs[0]["weights_sha256"]


def test_large_buffers_are_kept_in_their_range(tmp_path: Path) -> None:
    recipe = RECIPES["reptile-omniglot-5w1s"]
    method = builders.build(recipe)
    moments = next(x for name, x in method.named_buffers() if x.numel() >= 1024)
    moments.copy_(10 ** torch.linspace(-30, 30, moments.numel()).view_as(moments))
    weights.write_weights(recipe, method, 0, tmp_path / WEIGHTS)
    again = weights.read_weights(recipe, tmp_path / WEIGHTS)
    kept = next(x for name, x in again.named_buffers() if x.numel() >= 1024)
    assert ((kept - moments).abs() <= 2**-8 * moments).all()


def test_what_is_tested_is_what_is_written(
    small_splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = []

    def scores(recipe: object, method: torch.nn.Module, data: object) -> dict:
        tested.append(method.state_dict())
        return real(recipe, method, data)

    real = runs.scores
    monkeypatch.setattr(runs, "scores", scores)
    train_small(small_splits, tmp_path)
    written = weights.read_weights(SMALL, tmp_path / WEIGHTS).state_dict()
    assert any(all(torch.equal(state[name], written[name]) for name in written) for state in tested)
    assert all(torch.equal(x, x.half().float()) for name, x in written.items() if name.endswith("weight"))
