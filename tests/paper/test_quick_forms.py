"""Every recipe, from the command line to its evidence, in its quick form."""

import json
from pathlib import Path

import pytest

from fslbook.paper.command_line import main
from fslbook.paper.evidence import defects_of_run
from fslbook.paper.places import RUN
from fslbook.paper.recipes import RECIPES, quick

SMALLEST_AND_LARGEST = [name for name, recipe in RECIPES.items() if (recipe.n_way, recipe.k_shot) in ((5, 1), (20, 5))]
"""The two tasks between them differ in nothing but these numbers."""


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALLEST_AND_LARGEST)
def test_the_quick_form_ends_and_leaves_the_ledger_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", name, "--quick", "--device", "cpu", "--results", str(tmp_path / "results")]) == 0
    assert "its accuracy says nothing" in capsys.readouterr().out
    assert not (tmp_path / "results").exists()
    run = json.loads((tmp_path / "runs" / "quick" / name / "seed0" / RUN).read_text())
    assert [*defects_of_run(quick(RECIPES[name]), run)] == []
