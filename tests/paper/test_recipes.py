"""Recipes: one for every method and task, what they build, and what they share."""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from helpers import SMALL
from torch import nn

import fslbook
from fslbook.data import Splits
from fslbook.paper import builders, recipes
from fslbook.paper.method import Figures
from fslbook.paper.published import published, reproduced
from fslbook.paper.recipe import Recipe, quick, settings_of
from fslbook.paper.recipes import METHODS, RECIPES, TASKS, recipe_named
from fslbook.paper.tasks import training_tasks


def test_there_is_a_recipe_for_every_method_and_task() -> None:
    own = [(recipe.method, recipe.n_way, recipe.k_shot) for recipe in RECIPES.values() if not recipe.validation_too]
    assert sorted(own) == sorted((name, *task) for name in METHODS for task in TASKS)
    assert all(name == recipe.name for name, recipe in RECIPES.items())


def test_lists_begin_with_the_oldest_method() -> None:
    years = [method.year for method in METHODS.values()]
    assert years == sorted(years)
    assert set(years) > {2015, 2020}


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", TypeError, r"paper/recipes/one_more\.py has no METHOD"),
        ("METHOD = 'one-more'", TypeError, "has no METHOD that is a PaperMethod"),
        ("from fslbook.paper.recipes.maml import METHOD", ValueError, r"one_more\.py is called 'maml'"),
    ],
)
def test_a_file_without_its_method_is_named(
    text: str, error: type[Exception], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one_more.py").write_text(text)
    monkeypatch.setattr(recipes, "__path__", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "fslbook.paper.recipes.one_more", raising=False)
    with pytest.raises(error, match=words):
        recipes._found()


def test_a_recipe_under_another_methods_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "relation", replace(METHODS["relation"], recipes=METHODS["maml"].recipes))
    with pytest.raises(ValueError, match="relation has a recipe of another method or task among its 5-way 1-shot"):
        recipes._of_task(5, 1)


@pytest.mark.parametrize(
    ("accuracy", "ci95", "words"),
    [
        ((98.8, 99.7, 96.0), (None,) * 4, r"accuracy of 'here' needs 4 figures, one a task; got 3"),
        ((98.8,) * 4, (0.1,), r"ci95 of 'here' needs 4 figures, one a task; got 1"),
        ((988.0, None, None, None), (None,) * 4, "accuracy of 'here' is in percent, 0 to 100; got 988.0"),
        ((98.8,) * 4, (-0.1, None, None, None), "ci95 of 'here' is in percent, 0 to 100; got -0.1"),
        ((float("nan"), None, None, None), (None,) * 4, "accuracy of 'here' is in percent, 0 to 100; got nan"),
    ],
)
def test_figures_are_four_percentages(accuracy: tuple, ci95: tuple, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Figures("here", accuracy, ci95)


def test_every_paper_that_is_cited_is_in_the_bibliography() -> None:
    references = (Path(__file__).resolve().parents[2] / "book" / "references.bib").read_text(encoding="utf-8")
    known = set(re.findall(r"^@\w+\{(\w+),", references, re.MULTILINE))
    cited = {row.cite for method in METHODS.values() for row in (method.paper, method.others) if row and row.cite}
    assert len(cited) > 5
    assert cited <= known
    assert all(method.paper.cite for method in METHODS.values())


def test_no_recipe_has_changed_since_it_was_first_run() -> None:
    """Its settings and its training are keys: of the ledger, of weights and of checkpoints."""
    first = json.loads((Path(__file__).parent / "recipes_of_0_1.json").read_text())
    now = {name: {"settings": settings_of(RECIPES[name]), "training": RECIPES[name].training} for name in first}
    assert now == first


def test_every_field_has_a_docstring() -> None:
    body = ast.parse(inspect.getsource(Recipe)).body[0].body  # type: ignore[attr-defined]
    after = {
        node.target.id: isinstance(next_node, ast.Expr)
        for node, next_node in pairwise(body)
        if isinstance(node, ast.AnnAssign)
    }
    assert after == {field.name: True for field in fields(Recipe)}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_builds_a_method_that_learns_from_its_tasks(name: str, small_splits: Splits) -> None:
    recipe = quick(RECIPES[name])
    method = builders.build(recipe)
    optimizer, schedule = builders.optimiser(recipe, method)
    sampler = training_tasks(replace(recipe, train_query=min(2, recipe.train_query)), small_splits, seed=0)
    before = [p.clone() for p in method.parameters()]
    fslbook.fit(method, sampler, 2, batch_size=2, optimizer=optimizer, scheduler=schedule, progress=False)
    assert any(not torch.equal(a, b) for a, b in zip(before, method.parameters(), strict=True))


@pytest.mark.parametrize("name", RECIPES)
def test_weights_are_at_most_a_megabyte(name: str) -> None:
    method = builders.build(RECIPES[name])
    halved = 2 * sum(x.numel() for x in method.parameters())  # buffers keep their precision
    assert halved + sum(x.numel() * x.element_size() for x in method.buffers()) <= 1e6


def test_recipes_share_a_training_where_nothing_but_their_tests_differs() -> None:
    assert len({recipe.training for recipe in RECIPES.values() if recipe.method == "siamese"}) == 1
    assert len({recipe.training for recipe in RECIPES.values() if recipe.label == "relation"}) == 2
    assert len({recipe.training for recipe in RECIPES.values() if recipe.method == "maml"}) == 4
    assert RECIPES["matching-omniglot-5w1s"].training == RECIPES["matching-omniglot-20w1s"].training
    assert SMALL.training == replace(SMALL, n_way=20, k_shot=5, test_query=1, test_episodes=2).training
    assert SMALL.training != replace(SMALL, options={"scale": 2.0}).training


def test_unknown_recipes_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown recipe 'nonsense'.*prototypical-omniglot-5w1s"):
        recipe_named("nonsense")


def test_published_figures_stand_in_the_right_column() -> None:
    assert published(RECIPES["prototypical-omniglot-20w1s"]).accuracy == 96.0
    assert published(RECIPES["anil-omniglot-5w1s"]) is None
    assert reproduced(RECIPES["siamese-omniglot-5w1s"]) is None
    assert reproduced(RECIPES["matching-omniglot-20w1s"]).accuracy == 75.6


def test_unscaled_cosines_fall_furthest_behind_in_20_ways_as_chapter_5_says() -> None:
    recipes = [RECIPES[f"matching-omniglot-{task}"] for task in ("5w1s", "5w5s", "20w1s", "20w5s")]
    behind = [published(recipe).accuracy - reproduced(recipe).accuracy for recipe in recipes]
    assert min(behind[2:]) > max(behind[:2])


def test_the_schedules_end_where_they_should() -> None:
    for schedule, last in (("halve", 1e-3 / 8), ("one-cycle", 0.0), ("linear", 0.0)):
        recipe = replace(SMALL, steps=40, schedule=schedule)
        optimizer, scheduler = builders.optimiser(recipe, nn.Linear(1, 1))
        for _ in range(39):
            optimizer.step()
            scheduler.step()
        assert optimizer.param_groups[0]["lr"] == pytest.approx(last, abs=3e-5)
