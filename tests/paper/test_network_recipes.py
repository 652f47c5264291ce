"""Recipes of methods that are networks themselves: what they draw, what they share, and how a run of one ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import train_small

from fslbook.data import Splits
from fslbook.paper import builders
from fslbook.paper.recipe import quick
from fslbook.paper.recipes import METHODS, RECIPES
from fslbook.paper.tasks import training_tasks, validation_tasks
from fslbook.tasks import Episode
from fslbook.tasks.sequences import LabelledSequence


@pytest.mark.parametrize(("task", "length"), [("5w1s", 50), ("5w5s", 50), ("20w1s", 120)])
def test_a_memory_learns_from_sequences_of_the_base_classes_and_their_rotations(
    task: str, length: int, small_splits: Splits
) -> None:
    recipe = RECIPES[f"mann-omniglot-{task}"]
    sampler = training_tasks(recipe, small_splits, seed=3)
    batch = sampler.sample(2)
    assert isinstance(batch, LabelledSequence)
    assert batch.y.shape == (2, length)
    assert (batch.y[0].bincount() == length // recipe.n_way).all()
    assert "seed 3" in repr(sampler) and f"from {4 * len(small_splits.base)} classes" in repr(sampler)
    assert isinstance(validation_tasks(recipe, small_splits).sample(1), Episode)


@pytest.mark.parametrize(("name", "trainings"), [("mann", 2), ("meta-networks", 2), ("in-context", 2)])
def test_five_shots_are_asked_of_the_training_with_one(name: str, trainings: int) -> None:
    of = {task: RECIPES[f"{name}-omniglot-{task}"].training for task in ("5w1s", "5w5s", "20w1s", "20w5s")}
    assert len({*of.values()}) == trainings
    assert of["5w1s"] == of["5w5s"] != of["20w1s"] == of["20w5s"]


def test_the_learned_optimiser_takes_the_papers_number_of_updates() -> None:
    steps = [builders.build(RECIPES[f"lstm-meta-learner-omniglot-{task}"]).inner_steps for task in ("5w1s", "20w5s")]
    assert steps == [12, 8]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mann", "meta-networks", "in-context"])
def test_a_small_run_leaves_its_evidence(name: str, small_splits: Splits, tmp_path: Path) -> None:
    recipe = replace(quick(RECIPES[f"{name}-omniglot-5w1s"]), steps=4, validate_every=4, test_query=2)
    run = train_small(small_splits, tmp_path, recipe)
    assert run["all_at_once"]["episodes"] == run["untrained"]["episodes"] == 10
    assert len(run["curve"]["validation_accuracy"]) == 1
    assert METHODS[name].learns_from == ("sequences" if name == "mann" else "episodes")
