"""Write book/package.md, the reference of the package: every public name of every room, found by itself.

python tools/reference.py          write it
python tools/reference.py check    fail if it is not what the package gives

The page holds names only; Sphinx takes signatures and texts from the code when it builds the page.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import sys
import tomllib
from itertools import pairwise
from types import ModuleType
from typing import NamedTuple

from guard import BOOK, ROOT

from fslbook.exercises.engine.exercise import Exercise

PAGE = BOOK / "package.md"
HEAD = """# The package

Every public name of `fslbook`, room by room, with shapes, units and errors. Signatures and texts on this page are those
of the code itself. A room uses only rooms that stand before it here.
"""


class Name(NamedTuple):
    """A public name: its directive for Sphinx, its shortest address, and whether a package lists it in `__all__`."""

    directive: str
    address: str
    exported: bool


def main(arguments: list[str]) -> int:
    """The command line; returns the exit status."""
    text = page()
    if arguments == ["check"]:
        in_step = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
        print("in step" if in_step else "book/package.md is out of step with the package; run tools/reference.py")
        return 0 if in_step else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


def page() -> str:
    """The whole text of book/package.md."""
    return "\n".join([HEAD, *map(section, rooms())])


def rooms() -> list[str]:
    """The rooms and the modules beside them, each after those that it may import."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(one for one in project["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
    layers = [name for layer in contract["layers"] for name in layer.split(" | ")]
    return [name for name in reversed(layers) if name != "__main__"]


def section(room: str) -> str:
    """What the page says about a room: what it exports, in a table and in full; then the rest, folded, by module."""
    modules = modules_of(importlib.import_module(f"fslbook.{room}"))
    names = {module: names_of(module) for module in modules}
    front = [name for found in names.values() for name in found if name.exported]
    parts = [f"## {room}\n\n{inspect.getdoc(modules[0])}\n", *_table(front), *_in_full(front)]
    for module, found in names.items():
        if rest := [name for name in found if not name.exported]:
            parts += [_folded(module, rest)]
    return "\n".join(parts + checks(modules))


def modules_of(head: ModuleType) -> list[ModuleType]:
    """A module and all below it."""
    below = pkgutil.walk_packages(getattr(head, "__path__", []), f"{head.__name__}.")
    return [head, *(importlib.import_module(found.name) for found in below)]


def names_of(module: ModuleType) -> list[Name]:
    """The functions, classes and documented constants that a module defines, in the order of its text."""
    body = ast.parse(inspect.getsource(module)).body
    found = []
    for node, after in pairwise([*body, ast.Pass()]):
        if isinstance(node, ast.FunctionDef):
            found.append((node.name, "autofunction"))
        elif isinstance(node, ast.ClassDef):
            found.append((node.name, "autoclass"))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_text(after):
            found.append((node.targets[0].id, "autodata"))
    return [Name(kind, *_address(module, name)) for name, kind in found if not name.startswith("_")]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _address(module: ModuleType, name: str) -> tuple[str, bool]:
    """Where a reader finds it, and whether some package exports it there."""
    parts = module.__name__.split(".")
    for package in (sys.modules[".".join(parts[:n])] for n in range(1, len(parts))):
        if name in getattr(package, "__all__", []) and getattr(package, name) is getattr(module, name):
            return f"{package.__name__}.{name}", True
    return f"{module.__name__}.{name}", len(parts) == 2


def _table(names: list[Name]) -> list[str]:
    if not names:
        return []
    return [_rst([".. autosummary::", "   :nosignatures:", "", *(f"   {name.address}" for name in names)])]


def _in_full(names: list[Name]) -> list[str]:
    return [_rst([line for name in names for line in _entry(name)])] if names else []


def _folded(module: ModuleType, names: list[Name]) -> str:
    inner = _in_full(names)[0]
    title = (inspect.getdoc(module) or "").partition("\n")[0].rstrip(".")
    return f":::{{dropdown}} `{module.__name__}`: {title}\n{inner}:::\n"


def _entry(name: Name) -> list[str]:
    if name.directive == "autodata":
        return [f".. autodata:: {name.address}", "   :no-value:"]
    if name.directive == "autofunction":
        return [f".. autofunction:: {name.address}"]
    special = [f"   :special-members: {', '.join(found)}"] if (found := _operators(name.address)) else []
    return [f".. autoclass:: {name.address}", "   :members:", *special]


def _operators(address: str) -> list[str]:
    """The methods with two underscores that a class documents, such as `__sub__`."""
    module, _, name = address.rpartition(".")
    methods = vars(getattr(sys.modules[module], name)).items()
    return [key for key, value in methods if key[:2] == "__" and inspect.isfunction(value) and _documents(value)]


def _documents(function: object) -> bool:
    return bool(getattr(function, "__doc__", None)) and getattr(function, "__name__", "") != "__init__"


def _rst(lines: list[str]) -> str:
    return "\n".join(["```{eval-rst}", *lines, "```", ""])


def checks(modules: list[ModuleType]) -> list[str]:
    """The exercises among what the modules define, by chapter, each with the properties that its check tries."""
    chapters = {
        exercise.name: (module.__name__.split(".")[2], exercise)
        for module in modules
        for exercise in vars(module).values()
        if isinstance(exercise, Exercise) and not module.__name__.endswith(".check")
    }
    rows = [f"| `check.{name}` | {where} | {'; '.join(one.cases)} |" for name, (where, one) in chapters.items()]
    return ["\n".join(["| check | chapter | what must hold |", "|---|---|---|", *rows, ""])] if rows else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
