"""Where things lie: in a checkout, in an installed package, and what is never written to."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import SMALL
from paper.made_up import run_of

from fslbook.paper import ledger, places
from fslbook.paper.recipes import RECIPES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the package, as if it were installed."""
    package = tmp_path / "site-packages" / "fslbook" / "paper"
    package.mkdir(parents=True)
    monkeypatch.setattr(places, "PACKAGE", package)
    monkeypatch.setattr(places, "INSTALLED", True)
    monkeypatch.setattr(places, "RESULTS", package / "results")
    monkeypatch.setattr(places, "TRAINED", package / "trained")
    monkeypatch.chdir(tmp_path)
    return package


def test_in_a_checkout_the_ledger_stands_at_the_top() -> None:
    assert not places.INSTALLED
    assert places.own_results() == places.RESULTS == ROOT / "results"
    assert places.weights_of(places.RESULTS) == places.TRAINED == ROOT / "fslbook" / "paper" / "trained"
    assert places.weights_of(Path("results").absolute().parent / "elsewhere").name == "trained"


@pytest.mark.parametrize("text", [None, '[project]\nname = "theirs"\n'])
def test_only_the_project_of_the_package_is_its_checkout(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert places._in_checkout()
    if text:
        (tmp_path / "pyproject.toml").write_text(text)
    monkeypatch.setattr(places, "CHECKOUT", tmp_path)
    assert not places._in_checkout()


def test_an_installed_package_writes_to_the_folder_where_you_are(installed: Path, tmp_path: Path) -> None:
    assert places.own_results() == tmp_path / "results"
    file = ledger.add(SMALL, run_of(SMALL))
    assert file.parent == tmp_path / "results"
    assert places.weights_of(file.parent) == tmp_path / "results" / "trained"
    assert not [*installed.iterdir()]


def test_the_ledger_of_an_installed_package_is_never_written_to(installed: Path) -> None:
    for folder in (installed / "results", installed, installed / "trained" / "mine"):
        with pytest.raises(ValueError, match="belongs to the installed package and is not written to; name another"):
            ledger.add(SMALL, run_of(SMALL), folder)
    assert not [*installed.iterdir()]


@pytest.mark.parametrize("place", ["results", "results/trained"])
def test_a_ledger_that_cannot_be_written_is_named_before_the_run(place: str, tmp_path: Path) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("a file, no folder")
    with pytest.raises(OSError, match=place):
        places.check_writable(tmp_path / "results")


def test_a_try_to_write_leaves_nothing_behind(tmp_path: Path) -> None:
    places.check_writable(tmp_path / "results")
    assert [path.name for path in (tmp_path / "results").rglob("*")] == ["trained"]


def test_a_ledger_that_is_lost_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    assert ledger.read(RECIPES[SMALL.name], tmp_path) is None
    for folder in (tmp_path / "lost", Path(__file__)):
        with pytest.raises(FileNotFoundError, match=f"there is no ledger at {folder}"):
            ledger.read(RECIPES[SMALL.name], folder)
