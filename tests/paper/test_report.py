"""The ledger in words: what was run is said, what was not run is never given a number."""

from __future__ import annotations

from pathlib import Path

import pytest
from paper.made_up import run_of

from fslbook.paper import ledger
from fslbook.paper.recipe import Recipe
from fslbook.paper.recipes import METHODS, RECIPES
from fslbook.paper.report import NOT_RUN, deviations_table, difference_in_words, results_table

ROOT = Path(__file__).resolve().parents[2]
MAML = RECIPES["maml-omniglot-5w1s"]
PROTOTYPICAL = RECIPES["prototypical-omniglot-5w1s"]


def _ledger(folder: Path, recipe: Recipe, *accuracies: float) -> Path:
    for seed, accuracy in enumerate(accuracies):
        ledger.add(recipe, run_of(recipe, seed, accuracy), folder)
    return folder


def _row(table: str, recipe: Recipe) -> list[str]:
    line = next(line for line in table.splitlines() if f"`{recipe.name}`" in line)
    return [cell.strip().replace("\u00a0", " ") for cell in line.strip("|").split("|")]


def test_what_was_not_run_has_no_number_of_ours(tmp_path: Path) -> None:
    table = results_table(folder=_ledger(tmp_path, MAML, 0.984))
    assert _row(table, MAML)[1] == "98.40 ± 0.20"
    for recipe in (other for other in RECIPES.values() if other != MAML):
        assert _row(table, recipe)[1:5] == [NOT_RUN, "", "", ""]
        assert difference_in_words(recipe, tmp_path) == f"{recipe.name}: {NOT_RUN}."


def test_a_run_is_shown_beside_paper_control_and_time(tmp_path: Path) -> None:
    table = results_table("maml", _ledger(tmp_path, MAML, 0.984))
    row = _row(table, MAML)
    assert row[1:6] == ["98.40 ± 0.20", "75.0 ± 0.2", "50.0 ± 0.2", "25.0 ± 0.2", "98.7 ± 0.4"]
    assert row[7] == "1.5 min"
    assert table.splitlines()[-2:] == ["", "Training time of one seed on: an abacus."]


def test_figures_of_the_papers_keep_their_decimals(tmp_path: Path) -> None:
    table = results_table(folder=tmp_path)
    assert _row(table, RECIPES["prototypical-omniglot-20w1s"])[1] == "96.0"
    assert _row(table, RECIPES["reptile-omniglot-20w5s"])[1] == "97.12 ± 0.32"


def test_columns_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    assert results_table("maml", tmp_path).splitlines()[0] == "| recipe | paper | others |"
    ledger.add(PROTOTYPICAL, run_of(PROTOTYPICAL, with_support=None, one_at_a_time=None), tmp_path)
    head = results_table("prototypical", tmp_path).splitlines()[0]
    assert head == "| recipe | ours | untrained | paper | others | time |"


def test_several_seeds_show_their_spread(tmp_path: Path) -> None:
    row = _row(results_table("maml", _ledger(tmp_path, MAML, 0.98, 0.99)), MAML)
    assert row[1] == "98.50 ± 0.20 (2 seeds, spread 0.71)"


@pytest.mark.parametrize(
    ("recipe", "accuracy", "words"),
    [
        (MAML, 0.985, "0.2 points below the paper, and the intervals overlap."),
        (MAML, 0.995, "0.8 points above the paper, and the intervals do not overlap."),
        (PROTOTYPICAL, 0.9882, "within a tenth of a point of the paper, inside our interval."),
        (PROTOTYPICAL, 0.9858, "0.2 points below the paper, outside our interval."),
        (RECIPES["anil-omniglot-5w1s"], 0.9, "the paper has no figure for this task."),
    ],
)
def test_the_difference_is_put_in_words(recipe: Recipe, accuracy: float, words: str, tmp_path: Path) -> None:
    assert difference_in_words(recipe, _ledger(tmp_path, recipe, accuracy)) == f"{recipe.name}: {words}"


def test_a_table_of_one_method_has_its_four_tasks(tmp_path: Path) -> None:
    assert len(results_table("relation", tmp_path).splitlines()) == 2 + 4
    assert len(results_table("prototypical", tmp_path).splitlines()) == 2 + 4 + 4
    with pytest.raises(ValueError, match="unknown method 'cnn'"):
        results_table("cnn")


def test_every_method_says_how_it_deviates() -> None:
    labels = {recipe.label for recipe in RECIPES.values()}
    assert len(deviations_table().splitlines()) == 2 + len(labels)
    assert "| – |" not in deviations_table()


def test_the_tables_in_the_book_are_those_of_the_ledger() -> None:
    for name in METHODS:
        assert (ROOT / "book" / "_results" / f"{name}.md").read_text() == results_table(name) + "\n"
