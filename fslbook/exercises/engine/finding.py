"""Finds the exercises of the chapters, so that nobody keeps a list of them."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType

from fslbook.exercises.engine.exercise import Exercise


def exercises_below(package: str, folders: Iterable[str], *, skip: str = "") -> dict[str, Exercise]:
    """Each `Exercise` in the modules of a package, by name.

    Args:
        package: name of the package, such as "fslbook.exercises".
        folders: where its modules lie, as in its `__path__`.
        skip: name of a module that is left out.

    Raises:
        ValueError: two exercises have the same name, or one stands under another name than its own.
        Exception: whatever a module raises when it is imported.

    Example:
        >>> from fslbook.exercises import relation
        >>> sorted(exercises_below("fslbook.exercises.relation", relation.__path__))[:2]
        ['answer_or_none', 'class_sums']
    """
    found: dict[str, tuple[str, Exercise]] = {}
    for module in _modules(package, folders, skip):
        for name, exercise in vars(module).items():
            if isinstance(exercise, Exercise):
                _add(found, module.__name__, name, exercise)
    return {name: exercise for name, (_, exercise) in found.items()}


def _modules(package: str, folders: Iterable[str], skip: str) -> Iterator[ModuleType]:
    for module in pkgutil.walk_packages(folders, package + "."):
        if module.name != skip:
            yield import_module(module.name)


def _add(found: dict[str, tuple[str, Exercise]], module: str, name: str, exercise: Exercise) -> None:
    if name != exercise.name:
        raise ValueError(f"{module}.{name} is named {exercise.name!r}: give the exercise and its variable one name")
    other, first = found.setdefault(name, (module, exercise))
    if first is not exercise:
        raise ValueError(f"two exercises are named {name!r}, in {other} and in {module}: rename one of them")
