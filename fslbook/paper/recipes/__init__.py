"""Paper-scale settings: one file per method, found by itself. A recipe is data; `runs.py` carries it out.

A further method is a further file with a `METHOD`; see prototypical.py for an example.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from fslbook.paper.method import PaperMethod
from fslbook.paper.recipe import TASKS, Recipe, quick

__all__ = ["METHODS", "RECIPES", "TASKS", "Recipe", "quick", "recipe_named"]


def _found() -> dict[str, PaperMethod]:
    """The METHOD of every file of this folder, the oldest first."""
    methods = [_method_of(module.name) for module in pkgutil.iter_modules(__path__)]
    return {method.name: method for method in sorted(methods, key=lambda method: (method.year, method.name))}


def _method_of(file: str) -> PaperMethod:
    method = getattr(import_module(f"{__name__}.{file}"), "METHOD", None)
    if not isinstance(method, PaperMethod):
        raise TypeError(f"paper/recipes/{file}.py has no METHOD that is a PaperMethod")
    if method.name.replace("-", "_") != file:
        raise ValueError(f"the METHOD of paper/recipes/{file}.py is called {method.name!r}; call both the same")
    return method


def _of_task(n_way: int, k_shot: int) -> list[Recipe]:
    recipes = [(method.name, recipe) for method in METHODS.values() for recipe in method.recipes(n_way, k_shot)]
    if wrong := [
        name for name, recipe in recipes if (name, n_way, k_shot) != (recipe.method, recipe.n_way, recipe.k_shot)
    ]:
        raise ValueError(f"{wrong[0]} has a recipe of another method or task among its {n_way}-way {k_shot}-shot ones")
    return [recipe for _, recipe in recipes]


METHODS: dict[str, PaperMethod] = _found()
"""All methods by name."""

RECIPES: dict[str, Recipe] = {recipe.name: recipe for task in TASKS for recipe in _of_task(*task)}
"""All recipes by name."""


def recipe_named(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        ValueError: there is none; says which there are.

    Example:
        >>> recipe_named("prototypical-omniglot-20w1s").n_way
        20
    """
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; known are {', '.join(RECIPES)}")
    return RECIPES[name]
