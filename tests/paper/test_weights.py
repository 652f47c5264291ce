"""Trained weights by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers import SMALL

import fslbook
from fslbook.methods.optimisation.adaptation import AdaptingMethod
from fslbook.paper import builders, weights
from fslbook.paper.recipe import same_settings, settings_of
from fslbook.paper.recipes import RECIPES


def test_weights_come_back_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = RECIPES["maml-omniglot-5w1s"]
    method = builders.build(recipe)
    weights.write_weights(recipe, method, 0, tmp_path / f"{recipe.name}.safetensors")
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    loaded = fslbook.load(recipe.name)
    assert isinstance(loaded, AdaptingMethod)
    assert not loaded.training
    pairs = zip(method.parameters(), loaded.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_what_was_not_run_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="has not been run yet"):
        fslbook.load("maml-omniglot-5w1s")


def test_settings_that_came_later_count_as_their_default() -> None:
    older = json.loads(settings_of(SMALL))
    del older["validation_too"]
    assert same_settings(json.dumps(older), SMALL)
    assert not same_settings(json.dumps(older), replace(SMALL, validation_too=True))
    assert not same_settings(json.dumps(older | {"steps": 7}), SMALL)


def test_damaged_or_foreign_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    weights.write_weights(SMALL, builders.build(SMALL), 0, path)
    with pytest.raises(ValueError, match="holds prototypical-omniglot-5w1s, not matching-omniglot-5w1s"):
        weights.read_weights(RECIPES["matching-omniglot-5w1s"], path)
    whole = path.read_bytes()
    for broken in (b"", b"nonsense", whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="damaged"):
            weights.read_weights(SMALL, path)
