"""Entering a run: which weights lie beside the ledger, and which are taken away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import SMALL
from paper.made_up import finished, run_of

from fslbook.common.files import sha256
from fslbook.paper import builders, ledger, weights
from fslbook.paper.entering import enter
from fslbook.paper.entry import weights_file
from fslbook.paper.places import WEIGHTS, weights_of
from fslbook.paper.recipes import RECIPES

ONE, OTHER = RECIPES["siamese-omniglot-5w1s"], RECIPES["siamese-omniglot-20w5s"]
"""Two recipes of one training."""


def stored(results: Path) -> list[str]:
    return sorted(file.name for file in weights_of(results).glob("*.safetensors"))


def test_recipes_of_one_training_share_their_weights(tmp_path: Path) -> None:
    results = tmp_path / "results"
    for recipe in (ONE, OTHER):
        enter(recipe, finished(tmp_path / recipe.name, recipe), results)
    assert ledger.all_defects(results) == []
    assert len(stored(results)) == 1
    assert weights.load(ONE.name, results=results).state_dict().keys()


def test_weights_that_are_no_longer_used_go_and_others_stay(tmp_path: Path) -> None:
    results = tmp_path / "results"
    for recipe in (ONE, OTHER):
        enter(recipe, finished(tmp_path / recipe.name, recipe), results)
    first = stored(results)
    enter(ONE, finished(tmp_path / "again", ONE, weights_seed=1), results)
    assert len(stored(results)) == 2  # the other recipe still has the first
    assert set(first) < set(stored(results))
    enter(OTHER, finished(tmp_path / "other", OTHER, weights_seed=1), results)
    assert len(stored(results)) == 1
    assert not set(first) & set(stored(results))
    assert ledger.all_defects(results) == []


def test_the_weights_are_those_of_the_lowest_seed(tmp_path: Path) -> None:
    results = tmp_path / "results"
    for seed in (2, 1, 3):
        enter(SMALL, finished(tmp_path / str(seed), SMALL, seed, weights_seed=seed), results)
        entry = ledger.read(SMALL, results)
        assert stored(results) == [weights_file(entry, results).name]
    assert [run["seed"] for run in entry.runs] == [1, 2, 3]
    assert sha256(weights_file(entry, results)) == sha256(tmp_path / "1" / WEIGHTS)


def test_weights_of_version_0_1_give_way_to_a_new_run(tmp_path: Path) -> None:
    results = tmp_path / "results"
    old = weights_of(results) / f"{ONE.name}.safetensors"
    digest = weights.write_weights(ONE, builders.build(ONE), 0, old)
    ledger.add(ONE, run_of(ONE, weights_sha256=digest), results)
    assert ledger.all_defects(results) == []
    enter(ONE, finished(tmp_path / "new", ONE, weights_seed=1), results)
    assert not old.exists()
    assert ledger.all_defects(results) == []


def test_a_damaged_neighbour_stops_before_anything_is_written(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (results / f"{OTHER.name}.json").write_text("{")
    with pytest.raises(ValueError, match=rf"{OTHER.name}\.json is damaged"):
        enter(ONE, finished(tmp_path / "run", ONE), results)
    assert not (results / f"{ONE.name}.json").exists()
    assert not stored(results)


def test_files_that_belong_to_nothing_are_named(tmp_path: Path) -> None:
    enter(ONE, finished(tmp_path / "run", ONE), tmp_path)
    (tmp_path / "unheard-of.json").write_text("{}")
    (weights_of(tmp_path) / "unheard-of.safetensors").write_text("")
    assert ledger.all_defects(tmp_path)[-2:] == [
        "unheard-of.json belongs to no recipe",
        "unheard-of.safetensors belongs to no run in the ledger",
    ]


@pytest.mark.parametrize("change", [{"lr": 0.5}, {"method": "matching"}, {"channels": 8}, {"validation_too": True}])
def test_a_run_of_other_settings_is_refused(change: dict, tmp_path: Path) -> None:
    folder = finished(tmp_path / "run", SMALL)
    with pytest.raises(ValueError, match=r"holds .*, not the training .*: another recipe, or other settings than it"):
        enter(replace(SMALL, **change), folder, tmp_path / "results")
    assert not (tmp_path / "results").exists()
