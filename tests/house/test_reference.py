"""The reference page names whatever the package defines, without an entry by hand."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import docstrings
import pytest
import reference

import fslbook
from fslbook.exercises import check

PAGE = reference.page()


def test_the_page_is_what_the_package_gives(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["check"]) == 0, capsys.readouterr().out


def test_a_page_out_of_step_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference, "PAGE", tmp_path / "package.md")
    assert reference.main(["check"]) == 1
    (tmp_path / "package.md").write_text(PAGE.replace("fslbook.fit\n", ""))
    assert reference.main(["check"]) == 1
    assert "out of step" in capsys.readouterr().out
    assert reference.main([]) == reference.main(["check"]) == 0


def test_every_function_and_class_stands_on_the_page_once() -> None:
    shown = [line.split(":: ")[1] for line in PAGE.splitlines() if line.startswith(".. auto") and ":: " in line]
    assert len(shown) == len(set(shown))
    objects = {id(found(address)) for address in shown}
    public = [one.name for one in docstrings.public_names() if not isinstance(one.node, docstrings.ast.Module)]
    top = [name for name in public if isinstance(sys.modules.get(name.rpartition(".")[0]), ModuleType)]
    assert len(top) > 100
    assert [name for name in top if id(found(name)) not in objects] == []


def found(address: str) -> object:
    """What stands behind a name with its modules."""
    module, _, name = address.rpartition(".")
    return getattr(sys.modules[module], name)


def test_names_that_a_package_exports_stand_under_their_short_address() -> None:
    assert [name for name in fslbook.__all__ if f":: fslbook.{name}\n" not in PAGE] == []


def test_every_check_says_what_must_hold() -> None:
    assert [name for name in check.__all__ if f"| `check.{name}` |" not in PAGE] == []


TOY = '''"""A toy."""

LIMIT = 3
"""How many."""

hidden = 4


class Toy:
    """Counts."""

    def __add__(self, other: int) -> int:
        """Their sum."""


def toy() -> None:
    """Nothing."""


def _own() -> None:
    """Not shown."""
'''


def test_a_new_module_needs_no_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = tmp_path / "toys" / "room"
    room.mkdir(parents=True)
    (room.parent / "__init__.py").touch()
    (room / "__init__.py").write_text('"""Toys."""\n\nfrom toys.room.one import toy\n\n__all__ = ["toy"]\n')
    (room / "one.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    _, one = reference.modules_of(importlib.import_module("toys.room"))
    names = reference.names_of(one)
    assert names == [
        ("autodata", "toys.room.one.LIMIT", False),
        ("autoclass", "toys.room.one.Toy", False),
        ("autofunction", "toys.room.toy", True),
    ]
    assert reference._entry(names[1])[-1] == "   :special-members: __add__"
