"""Which public names the package defines, and what their docstrings say; read from the text, nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[2] / "fslbook"
Node = ast.Module | ast.ClassDef | ast.FunctionDef
TENSORS = re.compile(r"\b(Tensor|Episode|ndarray)\b")
SHAPE = re.compile(r"\[(\.\.\.?|…|\*\w+|[A-Z]\w{0,2}|\d+)(\W[^\]\n]*)?\]")


class Public(NamedTuple):
    """A public module, class, function, method or property."""

    name: str
    node: Node
    text: str


def public_names(package: Path = PACKAGE) -> Iterator[Public]:
    """All of them; a name is public if no part of it begins with an underscore."""
    for file in sorted(package.rglob("*.py")):
        parts = [package.name, *file.relative_to(package).with_suffix("").parts]
        if not any(part.startswith("_") and part != "__init__" for part in parts):
            yield from within(ast.parse(file.read_text(encoding="utf-8")), ".".join(parts).removesuffix(".__init__"))


def within(node: Node, name: str) -> Iterator[Public]:
    """`node` itself, and in a module or a class what it defines; overloads of a function are one."""
    yield Public(name, node, ast.get_docstring(node) or "")
    for inner in [] if isinstance(node, ast.FunctionDef) else node.body:
        public = isinstance(inner, ast.ClassDef | ast.FunctionDef) and not inner.name.startswith("_")
        if public and not any("overload" in ast.unparse(one) for one in inner.decorator_list):
            yield from within(inner, f"{name}.{inner.name}")


def parameters(node: Node) -> list[str]:
    """What a function or the construction of a class takes."""
    if isinstance(node, ast.ClassDef):
        fields = [ast.unparse(one.target) for one in node.body if isinstance(one, ast.AnnAssign)]
        return fields + [name for one in node.body if is_init(one) for name in parameters(one)]  # type: ignore[arg-type]
    if not isinstance(node, ast.FunctionDef):
        return []
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [one.arg for one in named if one is not None and one.arg not in ("self", "cls")]


def names_a_shape(text: str) -> bool:
    """Whether a docstring says a shape such as [B, Q, N]; its example does not count."""
    return bool(SHAPE.search(re.sub(r"^\s*(>>>|\.\.\.) .*(\n.+)*", "", text, flags=re.M)))


def inherits_arguments(node: Node) -> bool:
    """Whether a class leaves its construction to another one."""
    return isinstance(node, ast.ClassDef) and bool(node.bases) and not any(map(is_init, node.body))


def is_init(node: ast.AST) -> bool:
    """Whether this is the method `__init__`."""
    return isinstance(node, ast.FunctionDef) and node.name == "__init__"


def meets_tensors(node: Node) -> bool:
    """Whether a signature, or a field of a class, mentions tensors, arrays or episodes."""
    if isinstance(node, ast.ClassDef):
        return any(meets_tensors(one) for one in node.body if is_init(one)) or any(
            bool(TENSORS.search(ast.unparse(one.annotation))) for one in node.body if isinstance(one, ast.AnnAssign)
        )
    if not isinstance(node, ast.FunctionDef):
        return False
    types = ast.unparse(node.args) + (ast.unparse(node.returns) if node.returns else "")
    return bool(TENSORS.search(types))


def entries(text: str) -> list[str]:
    """The entries of the section Args of a docstring, each joined to one line."""
    section = re.search(r"^Args:\n((?:[ ]{4}.*\n?|\n)+)", text, re.M)
    lines = section[1].splitlines() if section else []
    joined: list[str] = []
    for line in filter(str.strip, lines):
        deeper = line.startswith(" " * 5) and joined
        joined[-1:] = [f"{joined[-1]} {line.strip()}"] if deeper else [*joined[-1:], line.strip()]
    return joined


def crowded(entry: str, known: list[str]) -> bool:
    """Whether an entry explains more than one of the arguments `known`: "a, b: ..." or "a: .... b: ..."."""
    names = [name for group in re.findall(r"(?:^|[.;] )([\w*, ]+):(?= )", entry) for name in re.split(r", ?", group)]
    return sum(name.lstrip("*") in known for name in names) > 1
