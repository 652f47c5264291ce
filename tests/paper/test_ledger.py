"""The ledger: what enters it, what is refused, and whether recipe, entry and weights agree."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import SMALL, train_small
from paper.made_up import run_of, score, shipped

import fslbook
from fslbook.common.files import sha256
from fslbook.data import Splits
from fslbook.data.omniglot import has_omniglot
from fslbook.paper import builders, ledger, tasks, weights
from fslbook.paper.entering import enter
from fslbook.paper.entry import weights_file
from fslbook.paper.recipe import settings_of
from fslbook.paper.recipes import RECIPES


def test_a_run_enters_the_ledger_and_further_seeds_add_to_it(small_splits: Splits, tmp_path: Path) -> None:
    results = tmp_path / "results"
    accuracies = []
    for seed in (1, 0, 2):
        run = train_small(small_splits, tmp_path / str(seed), seed=seed)
        enter(SMALL, tmp_path / str(seed), results)
        accuracies.append(run["all_at_once"]["accuracy"])
    entry = ledger.read(SMALL, results)
    assert [run["seed"] for run in entry.runs] == [0, 1, 2]
    assert entry.accuracy == pytest.approx(statistics.fmean(accuracies))
    assert entry.spread == pytest.approx(statistics.stdev(accuracies))
    assert [*ledger.defects(SMALL, results)] == []
    assert sha256(weights_file(entry, results)) == entry.runs[0]["weights_sha256"]


def test_entering_a_seed_again_replaces_it(tmp_path: Path) -> None:
    for hardware in ("an abacus", "a slide rule"):
        ledger.add(SMALL, run_of(SMALL, hardware=hardware), tmp_path)
    assert [run["hardware"] for run in ledger.read(SMALL, tmp_path).runs] == ["a slide rule"]


def test_the_entry_names_paper_and_deviations_whose_words_are_no_settings(tmp_path: Path) -> None:
    path = shipped(SMALL, tmp_path)
    saved = json.loads((tmp_path / f"{SMALL.name}.json").read_text())
    assert saved["paper"] == {"accuracy": 98.8, "ci95": None, "source": "Snell et al. 2017, table 1"}
    assert saved["deviations"] == list(SMALL.deviations)
    reworded = replace(SMALL, deviations=("said otherwise",))
    weights.read_weights(reworded, path)
    assert [run["seed"] for run in ledger.read(reworded, tmp_path).runs] == [0]
    assert ledger.read(reworded, tmp_path).settings == settings_of(reworded)


def test_runs_of_older_settings_are_dropped(tmp_path: Path) -> None:
    ledger.add(SMALL, run_of(SMALL), tmp_path)
    newer = replace(SMALL, lr=2e-3)
    ledger.add(newer, run_of(newer, 1), tmp_path)
    assert [run["seed"] for run in ledger.read(newer, tmp_path).runs] == [1]


SHIPPED = {"seed": 0, "weights_sha256": "1" * 64, "all_at_once": score(0.9, 10)}


@pytest.mark.parametrize(("seed", "kept"), [(0, None), (1, SHIPPED)])
def test_the_rounded_copy_of_a_run_is_noted_as_long_as_the_run_is_the_first(
    seed: int, kept: dict | None, tmp_path: Path
) -> None:
    ledger.write(ledger.Entry(SMALL, settings_of(SMALL), [run_of(SMALL)], SHIPPED), tmp_path)
    assert ledger.read(SMALL, tmp_path).digests == {"0" * 64, "1" * 64}
    ledger.add(SMALL, run_of(SMALL, seed, weights_sha256="2" * 64), tmp_path)
    assert ledger.read(SMALL, tmp_path).shipped == kept
    assert ledger.read(SMALL, tmp_path).runs[0]["weights_sha256"] == ("2" if seed == 0 else "0") * 64


def test_weights_of_another_run_are_refused(small_splits: Splits, tmp_path: Path) -> None:
    train_small(small_splits, tmp_path / "a")
    train_small(small_splits, tmp_path / "b", seed=1)
    (tmp_path / "b" / "weights.safetensors").replace(tmp_path / "a" / "weights.safetensors")
    with pytest.raises(ValueError, match=r"is not the file that run\.json speaks of"):
        enter(SMALL, tmp_path / "a", tmp_path / "results")


def test_disagreement_of_recipe_ledger_and_weights_is_found(small_splits: Splits, tmp_path: Path) -> None:
    results = tmp_path / "results"
    train_small(small_splits, tmp_path / "run")
    enter(SMALL, tmp_path / "run", results)
    changed = replace(SMALL, steps=7)
    assert any("changed after it was run" in text for text in ledger.defects(changed, results))
    file = weights_file(ledger.read(SMALL, results), results)
    weights.write_weights(SMALL, builders.build(SMALL), 0, file)
    assert [*ledger.defects(SMALL, results)] == [f"{SMALL.name}: the weights are those of no run in the ledger"]
    file.unlink()
    assert [*ledger.defects(SMALL, results)] == [f"{SMALL.name}: the weights are missing"]
    (results / "unheard-of.json").write_text("{}")
    assert "unheard-of.json belongs to no recipe" in ledger.all_defects(results)


def test_the_ledger_of_the_book_agrees_with_recipes_and_weights() -> None:
    assert ledger.all_defects() == []


@pytest.mark.slow
@pytest.mark.skipif(not has_omniglot(), reason="needs Omniglot")
@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if ledger.read(recipe)])
def test_the_weights_do_what_the_ledger_says(name: str) -> None:
    entry, episodes = ledger.read(RECIPES[name]), 60
    recipe, run = entry.recipe, (entry.shipped or entry.runs[0])["all_at_once"]
    sampler = tasks.test_tasks(recipe, fslbook.omniglot(recipe.split))
    again = fslbook.evaluate(fslbook.load(name), sampler, episodes)
    standard_error = run["ci95"] / 1.96 * (run["episodes"] / episodes) ** 0.5
    assert abs(again.mean - run["accuracy"]) < 4 * standard_error
