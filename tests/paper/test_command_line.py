"""The command line of the recipes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import SMALL
from paper.made_up import run_of, shipped

from fslbook.data import Splits
from fslbook.paper import ledger
from fslbook.paper.command_line import main
from fslbook.paper.places import RESULTS, RUN, TRAINED
from fslbook.paper.recipes import RECIPES
from fslbook.paper.report import NOT_RUN


def test_list_results_and_jobs_name_every_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("list", "results", "jobs"):
        assert main([command]) == 0
        printed = capsys.readouterr().out
        assert all(name in printed for name in RECIPES)
    main(["jobs", "--seeds", "3"])
    lines = capsys.readouterr().out.splitlines()
    narrow = {recipe.training for recipe in RECIPES.values() if (recipe.n_way, recipe.k_shot) == (5, 1)}
    assert len(lines) == len({recipe.training for recipe in RECIPES.values()}) + 2 * len(narrow)  # two further seeds
    assert "python -m fslbook train maml-omniglot-5w1s --seed 2" in lines
    assert "python -m fslbook train matching-omniglot-5w1s matching-omniglot-20w1s --seed 0" in lines


def test_several_recipes_are_trained_one_after_the_other(
    small_splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fslbook.paper.command_line.course_dataset", lambda: small_splits)
    names = ["siamese-omniglot-5w1s", "siamese-omniglot-5w5s"]
    command = ["train", *names, "--quick", "--device", "cpu", "--runs", str(tmp_path)]
    assert main(command) == 0
    assert capsys.readouterr().out.count("ran to its end") == 2
    assert len([*(tmp_path / "quick" / "trainings").iterdir()]) == 1
    assert all((tmp_path / "quick" / name / "seed0" / RUN).exists() for name in names)
    assert main(["train", names[0], "nonsense", "--quick", "--runs", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "none").exists()


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "nonsense"]) == 2
    assert capsys.readouterr().err.startswith("fslbook: unknown recipe 'nonsense'")


@pytest.mark.slow
def test_evaluate_tests_the_trained_weights_again(
    small_splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = RECIPES["anil-omniglot-5w1s"]
    shipped(recipe, tmp_path)
    monkeypatch.setattr("fslbook.paper.command_line.omniglot", lambda split: small_splits)
    assert main(["evaluate", recipe.name, "--episodes", "4", "--device", "cpu", "--results", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "all at once" in printed
    assert "one at a time" in printed
    assert "(4 episodes)" in printed


def test_another_ledger_is_shown_where_it_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = RECIPES["anil-omniglot-5w1s"]
    ledger.add(recipe, run_of(recipe, accuracy=0.123), tmp_path)
    for command in ("list", "results"):
        assert main([command, "--results", str(tmp_path)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line for line in lines if NOT_RUN not in line] == [line for line in lines if recipe.name in line]
        assert "12.30 ± 0.20, 1 seed" in next(line for line in lines if recipe.name in line)


def test_train_and_enter_write_where_they_are_told_and_nowhere_else(
    small_splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {file: file.stat().st_mtime_ns for folder in (TRAINED, RESULTS) for file in folder.iterdir()}
    recipe = replace(SMALL, test_episodes=1000)
    monkeypatch.setitem(RECIPES, SMALL.name, recipe)
    monkeypatch.setattr("fslbook.paper.command_line.omniglot", lambda split: small_splits)
    mine, other = tmp_path / "mine", tmp_path / "other"
    command = ["train", recipe.name, "--device", "cpu", "--runs", str(tmp_path / "runs"), "--results", str(mine)]
    assert main(command) == 0
    assert capsys.readouterr().out.endswith(f"{recipe.name}: {mine / recipe.name}.json\n")
    run = tmp_path / "runs" / recipe.name / "seed0"
    assert main(["enter", recipe.name, str(run), "--results", str(other)]) == 0
    for folder in (mine, other):
        assert ledger.all_defects(folder) == []
        assert ledger.read(recipe, folder).runs[0]["all_at_once"]["episodes"] == 1000
    assert {file: file.stat().st_mtime_ns for folder in (TRAINED, RESULTS) for file in folder.iterdir()} == before


def test_a_folder_without_a_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enter", SMALL.name, str(tmp_path)]) == 2
    assert "run.json" in capsys.readouterr().err
