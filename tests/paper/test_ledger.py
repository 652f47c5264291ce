"""The ledger: what enters it, what is refused, and whether recipe, entry and weights agree."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import SMALL, train_small

import fslbook
from fslbook.data import Splits
from fslbook.data.omniglot import has_omniglot
from fslbook.paper import builders, ledger, runs, weights
from fslbook.paper.recipe import settings_of
from fslbook.paper.recipes import RECIPES


def test_a_run_enters_the_ledger_and_further_seeds_add_to_it(small_splits: Splits, tmp_path: Path) -> None:
    results, store = tmp_path / "results", tmp_path / "weights"
    accuracies = []
    for seed in (1, 0, 2):
        run = train_small(small_splits, tmp_path / str(seed), seed=seed)
        runs.enter(SMALL, tmp_path / str(seed), results, store)
        accuracies.append(run["all_at_once"]["accuracy"])
    entry = ledger.read(SMALL, results)
    assert [run["seed"] for run in entry.runs] == [0, 1, 2]
    assert entry.accuracy == pytest.approx(statistics.fmean(accuracies))
    assert entry.spread == pytest.approx(statistics.stdev(accuracies))
    assert [*ledger.defects(SMALL, results, store)] == []
    assert weights.sha256(store / f"{SMALL.name}.safetensors") == entry.runs[0]["weights_sha256"]


def test_entering_a_seed_again_replaces_it(small_splits: Splits, tmp_path: Path) -> None:
    run = train_small(small_splits, tmp_path / "run")
    for seconds in (1.0, 2.0):
        ledger.add(SMALL, run | {"seconds": seconds}, tmp_path)
    assert [run["seconds"] for run in ledger.read(SMALL, tmp_path).runs] == [2.0]


def test_the_entry_names_paper_and_deviations_whose_words_are_no_settings(small_splits: Splits, tmp_path: Path) -> None:
    run = train_small(small_splits, tmp_path / "run")
    saved = json.loads(ledger.add(SMALL, run, tmp_path).read_text())
    assert saved["paper"] == {"accuracy": 98.8, "ci95": None, "source": "Snell et al. 2017, table 1"}
    assert saved["deviations"] == list(SMALL.deviations)
    reworded = replace(SMALL, deviations=("said otherwise",))
    weights.read_weights(reworded, tmp_path / "run" / "weights.safetensors")
    assert [run["seed"] for run in ledger.read(reworded, tmp_path).runs] == [0]
    assert ledger.read(reworded, tmp_path).settings == settings_of(reworded)


def test_runs_of_older_settings_are_dropped(small_splits: Splits, tmp_path: Path) -> None:
    run = train_small(small_splits, tmp_path / "run")
    ledger.add(SMALL, run, tmp_path)
    newer = replace(SMALL, lr=2e-3)
    ledger.add(newer, run | {"seed": 1}, tmp_path)
    assert [run["seed"] for run in ledger.read(newer, tmp_path).runs] == [1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": None}, "seconds is a NoneType"),
        ({"all_at_once": {"accuracy": 0.9, "ci95": 0.1, "episodes": 9}}, "9 test episodes, the recipe asks for 10"),
        ({"all_at_once": {"accuracy": 98.8, "ci95": 0.1, "episodes": 10}}, "all_at_once is no score"),
        ({"training_tasks": 7}, "7 training tasks, the recipe asks for 12"),
    ],
)
def test_runs_that_are_no_evidence_are_refused(small_splits: Splits, tmp_path: Path, change: dict, words: str) -> None:
    run = train_small(small_splits, tmp_path / "run")
    with pytest.raises(ValueError, match=words):
        ledger.add(SMALL, run | change, tmp_path / "results")
    assert not list(tmp_path.glob("results/*.json"))


def test_a_run_of_other_settings_is_refused(small_splits: Splits, tmp_path: Path) -> None:
    train_small(small_splits, tmp_path / "run")
    with pytest.raises(ValueError, match="other settings"):
        runs.enter(replace(SMALL, lr=0.5), tmp_path / "run", tmp_path / "results", tmp_path / "weights")


def test_weights_of_another_run_are_refused(small_splits: Splits, tmp_path: Path) -> None:
    train_small(small_splits, tmp_path / "a")
    train_small(small_splits, tmp_path / "b", seed=1)
    (tmp_path / "b" / "weights.safetensors").replace(tmp_path / "a" / "weights.safetensors")
    with pytest.raises(ValueError, match=r"is not the file that run\.json speaks of"):
        runs.enter(SMALL, tmp_path / "a", tmp_path / "results", tmp_path / "weights")


def test_disagreement_of_recipe_ledger_and_weights_is_found(small_splits: Splits, tmp_path: Path) -> None:
    results, store = tmp_path / "results", tmp_path / "weights"
    train_small(small_splits, tmp_path / "run")
    runs.enter(SMALL, tmp_path / "run", results, store)
    changed = replace(SMALL, steps=7)
    assert any("changed after it was run" in text for text in ledger.defects(changed, results, store))
    file = store / f"{SMALL.name}.safetensors"
    weights.write_weights(SMALL, builders.build(SMALL), 0, file)
    assert [*ledger.defects(SMALL, results, store)] == [f"{SMALL.name}: the weights are those of no run in the ledger"]
    file.unlink()
    assert [*ledger.defects(SMALL, results, store)] == [f"{SMALL.name}: the weights are missing"]
    (results / "unheard-of.json").write_text("{}")
    assert "unheard-of.json belongs to no recipe" in ledger.all_defects(results, store)


def test_the_ledger_of_the_book_agrees_with_recipes_and_weights() -> None:
    assert ledger.all_defects() == []


@pytest.mark.slow
@pytest.mark.skipif(not has_omniglot(), reason="needs Omniglot")
@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if ledger.read(recipe)])
def test_the_weights_do_what_the_ledger_says(name: str) -> None:
    recipe, episodes = RECIPES[name], 60
    run = ledger.read(recipe).runs[0]["all_at_once"]
    tasks = runs.test_tasks(recipe, fslbook.omniglot(recipe.split))
    again = fslbook.evaluate(fslbook.load(name), tasks, episodes)
    standard_error = run["ci95"] / 1.96 * (run["episodes"] / episodes) ** 0.5
    assert abs(again.mean - run["accuracy"]) < 4 * standard_error


def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / f"{SMALL.name}.json").write_text("{")
    with pytest.raises(ValueError, match=r"\.json is damaged"):
        ledger.read(SMALL, tmp_path)
