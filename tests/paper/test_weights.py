"""Trained weights by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers import SMALL
from paper.made_up import run_of, shipped
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import fslbook
from fslbook.common.files import sha256
from fslbook.paper import builders, ledger, weights
from fslbook.paper.places import weights_of
from fslbook.paper.recipe import same_settings, same_training, settings_of, training_settings
from fslbook.paper.recipes import RECIPES

SMALL_NAMED = RECIPES[SMALL.name]
"""The recipe that `fslbook.load` knows by the name of SMALL."""


def packed(method: nn.Module) -> dict[str, Tensor]:
    """Its state as safetensors takes it."""
    return {name: x.contiguous() for name, x in method.state_dict().items()}


def test_weights_come_back_by_name(tmp_path: Path) -> None:
    recipe = RECIPES["maml-omniglot-5w1s"]
    path = shipped(recipe, tmp_path)
    loaded = fslbook.load(recipe.name, results=tmp_path)
    assert loaded.adapts
    assert not loaded.training
    pairs = zip(weights.read_weights(recipe, path).parameters(), loaded.parameters(), strict=True)
    assert all(torch.equal(a, b) and b.dtype == torch.float32 for a, b in pairs)


def test_what_was_not_run_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has not been run yet"):
        fslbook.load("maml-omniglot-5w1s", results=tmp_path)


def test_weights_that_no_ledger_vouches_for_are_refused(tmp_path: Path) -> None:
    shipped(SMALL_NAMED, tmp_path)
    (tmp_path / f"{SMALL_NAMED.name}.json").unlink()
    with pytest.raises(FileNotFoundError, match="has not been run yet"):
        fslbook.load(SMALL_NAMED.name, results=tmp_path)


@pytest.mark.parametrize("device", ["abacus", "cuda:99", "meta", torch.device("meta")])
def test_a_device_that_is_not_there_is_refused_before_the_file_is_read(device: object) -> None:
    with pytest.raises((RuntimeError, ValueError), match=r"'?(abacus|cuda:99|meta)'?"):
        fslbook.load("prototypical-omniglot-5w1s", device)  # type: ignore[arg-type]


def test_weights_in_single_precision_of_earlier_runs_are_loaded_unchanged(tmp_path: Path) -> None:
    """Runs of version 0.1 wrote all numbers in single precision; the ledger names the sha256 of such files."""
    recipe, path = SMALL_NAMED, weights_of(tmp_path) / f"{SMALL_NAMED.name}.safetensors"
    state = packed(builders.build(recipe))
    path.parent.mkdir()
    save_file(state, path, {"recipe": recipe.name, "settings": settings_of(recipe), "seed": "0"})
    ledger.add(recipe, run_of(recipe, weights_sha256=sha256(path)), tmp_path)
    loaded = fslbook.load(recipe.name, results=tmp_path).state_dict()
    assert all(torch.equal(state[name], loaded[name]) for name in state)


def test_parameters_are_kept_in_half_precision_and_statistics_in_full(tmp_path: Path) -> None:
    method = builders.build(SMALL)
    weights.write_weights(SMALL, method, 0, tmp_path / "x.safetensors")
    kept = load_file(tmp_path / "x.safetensors")
    parameters = {name for name, _ in method.named_parameters()}
    assert {name for name, x in kept.items() if x.dtype == torch.float16} == parameters
    assert {x.dtype for name, x in kept.items() if name not in parameters} == {torch.float32, torch.int64}
    state = method.state_dict()
    assert all(torch.equal(kept[name], state[name]) for name in state.keys() - parameters)
    for name in parameters:
        assert (kept[name].float() - state[name]).abs().max() <= 2**-11 * state[name].abs().max()


def test_the_same_weights_always_make_the_same_file(tmp_path: Path) -> None:
    method = builders.build(SMALL)
    digests = {weights.write_weights(SMALL, method, 0, tmp_path / f"{place}.safetensors") for place in range(12)}
    assert len(digests) == 1
    with safe_open(tmp_path / "0.safetensors", framework="pt") as file:
        assert file.metadata() == {"training": SMALL.training, "settings": training_settings(SMALL), "seed": "0"}


@pytest.mark.parametrize("numbers", [[7e4, 1.0], [1e-9, 2e-9], [-1e38, 0.0], [3e-6, 5e-6]])
def test_what_half_precision_cannot_hold_keeps_its_own(numbers: list[float], tmp_path: Path) -> None:
    method = builders.build(SMALL)
    parameter = next(p for p in method.parameters() if p.dim() == 1)
    with torch.no_grad():
        parameter[:2] = torch.tensor(numbers)
        parameter[2:] = 0
    weights.write_weights(SMALL, method, 0, tmp_path / "x.safetensors")
    again = weights.read_weights(SMALL, tmp_path / "x.safetensors").state_dict()
    state = method.state_dict()
    name = next(name for name, p in method.named_parameters() if p is parameter)
    assert torch.equal(again[name], state[name])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_network_that_diverged_is_neither_written_nor_read(value: float, tmp_path: Path) -> None:
    method = builders.build(SMALL)
    first = next(iter(method.state_dict()))
    method.state_dict()[first].view(-1)[0] = value
    path = tmp_path / "x.safetensors"
    with pytest.raises(ValueError, match=rf"{SMALL.name}, seed 3: {first} holds NaN or infinity"):
        weights.write_weights(SMALL, method, 3, path)
    assert not [*tmp_path.iterdir()]
    save_file(packed(method), path, {"recipe": SMALL.name, "settings": settings_of(SMALL)})
    with pytest.raises(ValueError, match=rf"x\.safetensors: {first} holds NaN or infinity"):
        weights.read_weights(SMALL, path)


@pytest.mark.parametrize("settings", ["", "{", "null", "[]", "5", '{"lr": NaN}'])
@pytest.mark.parametrize("kind", ["recipe", "training"])
def test_settings_in_a_file_that_are_no_json_are_named(settings: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file(packed(builders.build(SMALL)), path, {kind: SMALL.name, "settings": settings})
    with pytest.raises(ValueError, match=r"x\.safetensors is damaged: its settings are no JSON"):
        weights.read_weights(SMALL, path)


def test_weights_that_are_lost_are_named(tmp_path: Path) -> None:
    path = shipped(SMALL_NAMED, tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f"{path} is missing, though {SMALL_NAMED.name} is in the ledger"):
        fslbook.load(SMALL_NAMED.name, results=tmp_path)


def test_settings_that_came_later_count_as_their_default() -> None:
    older = json.loads(settings_of(SMALL))
    del older["validation_too"]
    assert same_settings(json.dumps(older), SMALL)
    assert not same_settings(json.dumps(older), replace(SMALL, validation_too=True))
    assert not same_settings(json.dumps(older | {"steps": 7}), SMALL)


def test_settings_of_a_training_that_came_later_count_as_their_default() -> None:
    older = json.loads(training_settings(SMALL))
    del older["validation_too"]
    assert same_training(json.dumps(older), replace(SMALL, n_way=20, test_query=7))
    assert not same_training(json.dumps(older), replace(SMALL, validation_too=True))
    assert not same_training(json.dumps(older | {"steps": 7}), SMALL)


def test_damaged_or_foreign_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    weights.write_weights(SMALL, builders.build(SMALL), 0, path)
    with pytest.raises(
        ValueError,
        match=r"x\.safetensors holds prototypical-5w1s-\w+, not the training matching-60w1s-\w+ of matching-omni",
    ):
        weights.read_weights(RECIPES["matching-omniglot-5w1s"], path)
    whole = path.read_bytes()
    for broken in (b"", b"nonsense", whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="damaged"):
            weights.read_weights(SMALL, path)
