"""The rooms of the package: short files, nothing loose at the root, imports that point downwards."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "fslbook"
FRONT = {"__init__.py", "__main__.py", "classifier.py", "claims.py", "py.typed"}
FILES = [path.relative_to(PACKAGE).as_posix() for path in sorted(PACKAGE.rglob("*.py"))]


def functions(text: str) -> list[tuple[str, int]]:
    """Name and number of lines of each function in the source `text`, docstrings apart."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    return [(node.name, span(node) - (span(node.body[0]) if ast.get_docstring(node) else 0)) for node in nodes]


def span(node: ast.stmt) -> int:
    """On how many lines a statement stands."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_at_most_200_lines(name: str) -> None:
    lines = len((PACKAGE / name).read_text(encoding="utf-8").splitlines())
    assert lines <= 200, f"{name} has {lines} lines: split it by topic"


@pytest.mark.parametrize("name", FILES)
def test_a_function_has_at_most_50_lines(name: str) -> None:
    assert [found for found in functions((PACKAGE / name).read_text(encoding="utf-8")) if found[1] > 50] == []


def test_nothing_lies_loose_at_the_root_of_the_package() -> None:
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} == FRONT


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, to break."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(PACKAGE, folder / "fslbook", ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    return folder


def broken_contracts(folder: Path) -> set[str]:
    """The names of the contracts in pyproject.toml that the package in `folder` breaks."""
    code = "from importlinter.cli import lint_imports_command as main; main(['--no-cache', '--no-logo'])"
    run = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert "Contracts:" in run.stdout, run.stdout + run.stderr
    return {line.split(" BROKEN")[0] for line in run.stdout.splitlines() if " BROKEN" in line}


DOWN = "Imports point downwards"
FRONT_DOOR = "Nothing imports the front door"
ENGINE = "The engine of the exercises knows no chapter"
CHAPTERS = "The exercises of a chapter know no other chapter"


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("networks/encoders.py", "from fslbook.methods.base import FewShotMethod", DOWN),
        ("common/files.py", "from fslbook.data import omniglot", DOWN),
        ("new_room/__init__.py", "", DOWN),
        ("data/folder.py", "from fslbook import ImageClasses", FRONT_DOOR),
        ("claims.py", "from fslbook.common.devices import pick_device", DOWN),
        ("plots/tasks.py", "from fslbook.tasks.episode import Episode", DOWN),
        ("exercises/engine/steps.py", "from fslbook.exercises.relation.pairs import stacked_pairs", ENGINE),
        ("exercises/siamese/pairs.py", "from fslbook.exercises.relation.pairs import stacked_pairs", CHAPTERS),
    ],
)
def test_the_linter_sees_an_import_that_points_upwards(copy: Path, file: str, line: str, contract: str) -> None:
    path = copy / "fslbook" / file
    before = path.read_text() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_text((before or "") + f"\n\n{line}\n")
    try:
        assert contract in broken_contracts(copy)
    finally:
        path.write_text(before) if before is not None else shutil.rmtree(path.parent)


def test_no_import_of_the_package_points_upwards(copy: Path) -> None:
    assert broken_contracts(copy) == set()
