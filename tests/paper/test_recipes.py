"""Recipes: one for every method and task, what they build, and what they share."""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields, replace
from itertools import pairwise

import pytest
import torch
from helpers import SMALL
from torch import nn

import fslbook
from fslbook.data import Splits
from fslbook.paper import builders
from fslbook.paper.published import PAPERS, REPRODUCTIONS, published
from fslbook.paper.recipes import RECIPES, Recipe, quick, recipe_named


def test_there_is_a_recipe_for_every_method_and_task() -> None:
    assert len([recipe for recipe in RECIPES.values() if not recipe.validation_too]) == 4 * len(builders.BUILDERS) == 36
    assert {recipe.label for recipe in RECIPES.values()} == {
        *builders.BUILDERS,
        "matching, trainval",
        "prototypical, trainval",
    }
    assert all(name == recipe.name for name, recipe in RECIPES.items())
    assert {recipe.method for recipe in RECIPES.values()} == {*builders.BUILDERS}


def test_every_field_has_a_docstring() -> None:
    body = ast.parse(inspect.getsource(Recipe)).body[0].body  # type: ignore[attr-defined]
    after = {
        node.target.id: isinstance(next_node, ast.Expr)
        for node, next_node in pairwise(body)
        if isinstance(node, ast.AnnAssign)
    }
    assert after == {field.name: True for field in fields(Recipe)}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_builds_a_method_that_learns_from_its_episodes(name: str, small_splits: Splits) -> None:
    recipe = quick(RECIPES[name])
    method = builders.build(recipe)
    optimizer, schedule = builders.optimiser(recipe, method)
    sampler = fslbook.EpisodeSampler(small_splits.base, recipe.train_way, recipe.train_shot, 2)
    before = [p.clone() for p in method.parameters()]
    fslbook.fit(method, sampler, 2, optimizer=optimizer, scheduler=schedule, progress=False)
    assert any(not torch.equal(a, b) for a, b in zip(before, method.parameters(), strict=True))


@pytest.mark.parametrize("name", RECIPES)
def test_weights_are_at_most_a_megabyte(name: str) -> None:
    state = builders.build(RECIPES[name]).state_dict().values()
    assert sum(x.numel() * x.element_size() for x in state) <= 1e6


def test_recipes_share_a_training_where_nothing_but_their_tests_differs() -> None:
    trainings = {recipe.training for recipe in RECIPES.values()}
    assert len(trainings) == 1 + 6 * 2 + 4 * 4  # siamese; two of six; every task of the MAML family
    assert RECIPES["matching-omniglot-5w1s"].training == RECIPES["matching-omniglot-20w1s"].training
    assert SMALL.training == replace(SMALL, n_way=20, k_shot=5, test_query=1, test_episodes=2).training
    assert SMALL.training != replace(SMALL, options={"scale": 2.0}).training


def test_unknown_recipes_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown recipe 'nonsense'.*prototypical-omniglot-5w1s"):
        recipe_named("nonsense")


def test_published_figures_stand_in_the_right_column() -> None:
    assert published(RECIPES["prototypical-omniglot-20w1s"]).accuracy == 96.0
    assert published(RECIPES["anil-omniglot-5w1s"]) is None
    assert published(RECIPES["siamese-omniglot-5w1s"], REPRODUCTIONS) is None
    assert published(RECIPES["matching-omniglot-20w1s"], REPRODUCTIONS).accuracy == 75.6
    assert PAPERS.keys() == {*builders.BUILDERS}


def test_unscaled_cosines_fall_furthest_behind_in_20_ways_as_chapter_5_says() -> None:
    recipes = [RECIPES[f"matching-omniglot-{task}"] for task in ("5w1s", "5w5s", "20w1s", "20w5s")]
    behind = [published(recipe).accuracy - published(recipe, REPRODUCTIONS).accuracy for recipe in recipes]
    assert min(behind[2:]) > max(behind[:2])


def test_the_schedules_end_where_they_should() -> None:
    for schedule, last in (("halve", 1e-3 / 8), ("one-cycle", 0.0), ("linear", 0.0)):
        recipe = replace(SMALL, steps=40, schedule=schedule)
        optimizer, scheduler = builders.optimiser(recipe, nn.Linear(1, 1))
        for _ in range(39):
            optimizer.step()
            scheduler.step()
        assert optimizer.param_groups[0]["lr"] == pytest.approx(last, abs=3e-5)
