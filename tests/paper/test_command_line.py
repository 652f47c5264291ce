"""The command line of the recipes."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import SMALL

from fslbook.data import Splits
from fslbook.paper import builders, runs, weights
from fslbook.paper.command_line import main
from fslbook.paper.recipes import RECIPES


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
    assert all((tmp_path / "quick" / name / "seed0" / runs.RUN).exists() for name in names)
    assert main(["train", names[0], "nonsense", "--quick", "--runs", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "none").exists()


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "nonsense"]) == 2
    assert capsys.readouterr().err.startswith("fslbook: unknown recipe 'nonsense'")


def test_evaluate_tests_the_trained_weights_again(
    small_splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = RECIPES["anil-omniglot-5w1s"]
    weights.write_weights(recipe, builders.build(recipe), 0, tmp_path / f"{recipe.name}.safetensors")
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr("fslbook.paper.command_line.omniglot", lambda split: small_splits)
    assert main(["evaluate", recipe.name, "--episodes", "4", "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    assert "all at once" in printed
    assert "one at a time" in printed
    assert "(4 episodes)" in printed


def test_a_folder_without_a_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enter", SMALL.name, str(tmp_path)]) == 2
    assert "run.json" in capsys.readouterr().err
