"""Damage: one bit of a file of weights, of the ledger or of run.json is another, and nobody is told a wrong number."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest
from helpers import SMALL
from paper.made_up import run_of, shipped

import fslbook
from fslbook.common.files import sha256
from fslbook.paper import builders, ledger, weights
from fslbook.paper.entering import enter
from fslbook.paper.entry import weights_file
from fslbook.paper.places import RESULTS, RUN, TRAINED, weights_of
from fslbook.paper.recipes import RECIPES

NAME = "prototypical-omniglot-5w1s"
SHIPPED = weights_file(ledger.read(RECIPES[NAME]), RESULTS)


def positions(length: int, number: int, head: int = 0) -> list[int]:
    """Bits of a file of `length` bytes, the same at each run: the first bytes, the header, then anywhere."""
    choose = random.Random(0)
    first = [8 * place for place in range(9)]
    header = [choose.randrange(8 * head) for _ in range(number // 2)] if head else []
    return first + header + [choose.randrange(8 * length) for _ in range(number)]


def flipped(content: bytes, bit: int) -> bytes:
    spoilt = bytearray(content)
    spoilt[bit // 8] ^= 1 << bit % 8
    return bytes(spoilt)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger and the weights of one recipe, as they come with the package."""
    folder = tmp_path_factory.mktemp("results")
    weights_of(folder).mkdir()
    shutil.copy(RESULTS / f"{NAME}.json", folder)
    shutil.copy(SHIPPED, weights_of(folder))
    return folder


WEIGHTS = SHIPPED.read_bytes()
HEADER = 8 + int.from_bytes(WEIGHTS[:8], "little")


@pytest.mark.parametrize("bit", positions(len(WEIGHTS), 60, HEADER))
def test_no_bit_of_the_weights_may_change(bit: int, copy: Path) -> None:
    file = weights_of(copy) / SHIPPED.name
    file.write_bytes(flipped(WEIGHTS, bit))
    with pytest.raises(ValueError, match=f"{file.name} is damaged or not the file of the ledger"):
        fslbook.load(NAME, results=copy)
    file.write_bytes(WEIGHTS)


def test_the_copy_itself_is_sound(copy: Path) -> None:
    assert not fslbook.load(NAME, results=copy).training


LEDGER = (RESULTS / f"{NAME}.json").read_bytes()


@pytest.mark.parametrize("bit", positions(len(LEDGER), 150, 1500))
def test_a_bit_of_the_ledger_is_refused_or_changes_nothing(bit: int, copy: Path) -> None:
    (copy / f"{NAME}.json").write_bytes(flipped(LEDGER, bit))
    whole = ledger.read(RECIPES[NAME])
    try:
        entry = ledger.read(RECIPES[NAME], copy)
    except ValueError as error:
        assert f"{NAME}.json is damaged: " in str(error)
        return
    assert entry == whole


def test_a_number_that_was_changed_by_hand_is_refused(tmp_path: Path) -> None:
    file = ledger.add(SMALL, run_of(SMALL), tmp_path)
    file.write_text(file.read_text().replace('"accuracy": 0.9,', '"accuracy": 0.99,'))
    with pytest.raises(ValueError, match="its numbers do not go with its sha256"):
        ledger.read(SMALL, tmp_path)


def test_an_entry_of_version_0_1_has_no_digest_and_is_read(tmp_path: Path) -> None:
    file = ledger.add(SMALL, run_of(SMALL), tmp_path)
    content = json.loads(file.read_text())
    del content["sha256"]
    file.write_text(json.dumps(content))
    assert ledger.read(SMALL, tmp_path).runs == [run_of(SMALL)]


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A folder with a run that nobody made, ready to be entered."""
    folder = tmp_path / "run"
    digest = weights.write_weights(SMALL, builders.build(SMALL), 0, folder / "weights.safetensors")
    (folder / RUN).write_text(json.dumps(run_of(SMALL, weights_sha256=digest), indent=1))
    return folder


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "NaN", '{"seed": NaN}', '{"seed": 0}', "\x00", "[" * 99999])
def test_a_run_that_is_no_run_is_named(text: str, finished: Path, tmp_path: Path) -> None:
    (finished / RUN).write_text(text)
    with pytest.raises(ValueError, match=r"run\.json is damaged|not the file that run\.json speaks of"):
        enter(SMALL, finished, tmp_path / "results")
    assert not [*tmp_path.glob("results/*.json")]


@pytest.mark.parametrize("name", [RUN, "weights.safetensors"])
def test_a_run_that_is_not_finished_is_named(name: str, finished: Path, tmp_path: Path) -> None:
    (finished / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"there is no finished run in .*: {name} is missing"):
        enter(SMALL, finished, tmp_path / "results")


@pytest.mark.parametrize("bit", range(7, 8000, 131))
def test_a_bit_of_the_weights_of_a_run_is_refused(bit: int, finished: Path, tmp_path: Path) -> None:
    file = finished / "weights.safetensors"
    file.write_bytes(flipped(file.read_bytes(), bit))
    with pytest.raises(ValueError, match=r"weights\.safetensors is not the file that run\.json speaks of"):
        enter(SMALL, finished, tmp_path / "results")


def test_entering_into_another_folder_leaves_the_weights_of_the_package_alone(finished: Path, tmp_path: Path) -> None:
    before = {file.name: sha256(file) for file in TRAINED.iterdir()}
    results = tmp_path / "results"
    enter(SMALL, finished, results)
    assert {file.name: sha256(file) for file in TRAINED.iterdir()} == before
    assert sha256(weights_file(ledger.read(SMALL, results), results)) == sha256(finished / "weights.safetensors")


def test_a_later_seed_leaves_the_weights_of_the_lowest(tmp_path: Path) -> None:
    path = shipped(SMALL, tmp_path)
    ledger.add(SMALL, run_of(SMALL, 1), tmp_path)
    assert sha256(path) in ledger.read(SMALL, tmp_path).digests
