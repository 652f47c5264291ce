"""Which files of the package the code of a notebook rests on, read from the text; nothing is imported.

`import fslbook` executes the whole package, so the question is another one: which files define the names that the code
uses, and which files do those import in turn? Names that a package only passes on are followed to where they are
defined. A module that looks for other modules at run time rests on all of them in its folder.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

SEARCHES = {"iter_modules", "walk_packages", "import_module"}


class Package:
    """The text of the package `name` in the folder `root`."""

    def __init__(self, root: Path, name: str = "fslbook") -> None:
        self.root, self.name = root, name

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """The syntax tree of every module, by name, without docstrings."""
        files = sorted((self.root / self.name).rglob("*.py"))
        return {self._name(file): _bare(ast.parse(file.read_text(encoding="utf-8"))) for file in files}

    def _name(self, file: Path) -> str:
        return ".".join(file.relative_to(self.root).with_suffix("").parts).removesuffix(".__init__")

    def used_by(self, code: str) -> set[str]:
        """Names of the modules that `code` rests on, directly or through others."""
        found: set[str] = set()
        todo = set(self._homes(ast.parse(code), follow=True))
        while todo:
            module = todo.pop()
            found.add(module)
            todo |= self._imports[module] - found
        return found

    @cached_property
    def _passed_on(self) -> dict[str, dict[str, tuple[str, str]]]:
        return {
            name: {alias: where for alias, where in _imported(tree) if where[1]} for name, tree in self.trees.items()
        }

    @cached_property
    def _imports(self) -> dict[str, set[str]]:
        return {name: {*self._homes(tree), *self._searched(name)} for name, tree in self.trees.items()}

    def home(self, module: str, name: str) -> str:
        """The module that defines what `from module import name` gives, or is it."""
        if name in _defined(self.trees[module]):
            return module
        passed_on = self._passed_on[module].get(name, ("", ""))
        if passed_on[0] in self.trees and passed_on != (module, name):
            return self.home(*passed_on)
        if f"{module}.{name}" in self.trees:
            return f"{module}.{name}"
        found = [other for other in self._beneath(self._folder(module)) if name in _defined(self.trees[other])]
        return found[0] if len(found) == 1 else module  # as in check.prototypes, which check finds by itself

    def _homes(self, tree: ast.Module, follow: bool = False) -> Iterator[str]:
        """Where the names come from that a tree imports; `follow` the attributes of modules, as in `fsl.fit`."""
        for alias, (module, name) in dict(_imported(tree)).items():
            if module in self.trees:
                home = self.home(module, name) if name else module
                whole = home in (module, f"{module}.{name}") and name not in _defined(self.trees[home])
                yield from self._attributes(tree, alias, home) if follow and whole else [home]

    def _attributes(self, tree: ast.Module, alias: str, module: str) -> set[str]:
        """The homes of all that is taken from a module; the module itself where it is used as a whole."""
        chains = [chain[1:] for chain in _chains(tree) if chain[0] == alias]
        return {self._home_of_chain(module, names) for names in chains or [[]]}

    def _home_of_chain(self, module: str, names: list[str]) -> str:
        for name in names:
            home = self.home(module, name)
            if home != f"{module}.{name}":
                return home
            module = home
        return module

    def _folder(self, module: str) -> str:
        is_package = any(other.startswith(f"{module}.") for other in self.trees)
        return module if is_package else module.rpartition(".")[0]

    def _beneath(self, folder: str) -> set[str]:
        return {other for other in self.trees if other.startswith(f"{folder}.")}

    def _searched(self, module: str) -> set[str]:
        """What a module may find at run time: in its folder if it searches, in other folders if it names them."""
        nodes = list(ast.walk(self.trees[module]))
        named = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        own = {self._folder(module)} if any(_last_name(node) in SEARCHES for node in nodes) else set()
        rooms = named & self.trees.keys() - {self.name}  # the name of the package alone stands for a folder of data
        return {other for folder in own | rooms for other in self._beneath(folder)}


def _bare(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    return tree


def _imported(tree: ast.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each name that is bound to something imported: (module, name), or (module, "") for a module."""
    for node in _without_type_checking(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((one.asname or one.name, (node.module, one.name)) for one in node.names)
        elif isinstance(node, ast.Import):
            for one in node.names:
                yield (one.asname, (one.name, "")) if one.asname else (one.name.partition(".")[0], (one.name, ""))


def _without_type_checking(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING"):
            yield node
            yield from _without_type_checking(node)


def _defined(tree: ast.Module) -> set[str]:
    """The names that a module binds at its top level, other than by an import."""
    targets: list[ast.AST] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            targets.append(ast.Name(node.name))
        elif isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AnnAssign):
            targets.append(node.target)
    return {inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)}


def _chains(tree: ast.AST) -> Iterator[list[str]]:
    """Every `a.b.c` of a tree as ["a", "b", "c"], and every bare `a` as ["a"]."""
    for node in ast.iter_child_nodes(tree):
        if chain := _chain(node):
            yield chain
        else:
            yield from _chains(node)


def _chain(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    inner = _chain(node.value) if isinstance(node, ast.Attribute) else []
    return [*inner, node.attr] if inner and isinstance(node, ast.Attribute) else []


def _last_name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def sources(cells: Iterable[str]) -> str:
    """The code of a notebook as one text, without the lines that are meant for IPython."""
    lines = [line for cell in cells for line in cell.splitlines()]
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))
