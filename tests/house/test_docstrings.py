"""What a public docstring owes its reader: it is there, names shapes, one argument per entry, and it renders."""

from __future__ import annotations

import ast

import pytest
from docstrings import (
    Public,
    crowded,
    entries,
    inherits_arguments,
    meets_tensors,
    names_a_shape,
    parameters,
    public_names,
    within,
)
from docutils.core import publish_doctree
from docutils.nodes import system_message
from sphinx.ext.napoleon import GoogleDocstring

PUBLIC = list(public_names())
WITH_TENSORS = [one for one in PUBLIC if meets_tensors(one.node)]


def without_text(names: list[Public]) -> list[str]:
    """Those that say nothing."""
    return [one.name for one in names if not one.text]


def with_crowded_entries(names: list[Public]) -> list[str]:
    """Those with an entry that explains several arguments."""
    known = {one.name: parameters(one.node) for one in names}
    return [f"{one.name}: {e}" for one in names for e in entries(one.text) if crowded(e, known[one.name])]


def about_no_argument(names: list[Public]) -> list[str]:
    """Entries for something that is no argument."""
    own = [one for one in names if not inherits_arguments(one.node)]
    found = [(one.name, entry.partition(":")[0], parameters(one.node)) for one in own for entry in entries(one.text)]
    return [f"{name}: {entry}" for name, entry, known in found if entry.lstrip("*") not in known]


def badly_marked_up(names: list[Public]) -> list[str]:
    """Those whose text Sphinx would warn about."""
    return [f"{one.name}: {fault}" for one in names for fault in faults_of(one.text)]


def faults_of(text: str) -> list[str]:
    """What docutils says about a docstring in Google's style."""
    tree = publish_doctree(str(GoogleDocstring(text)), settings_overrides={"report_level": 5, "halt_level": 5})
    return [message.astext() for message in tree.findall(system_message)]


def without_example(names: list[Public]) -> list[str]:
    """The functions and classes of a module without an example; that of a class may stand in one of its methods."""
    shown = [one.name for one in names if ">>> " in one.text]
    outer = [one.name for one in names if isinstance(one.node, ast.ClassDef | ast.FunctionDef)]
    inside = {name for name in outer if any(name.startswith(f"{other}.") for other in outer)}
    return [n for n in outer if n not in inside and not any(f"{one}.".startswith(f"{n}.") for one in shown)]


def share_with_shapes(names: list[Public]) -> float:
    """Which part of them names the shape of a tensor, such as [B, Q, N]."""
    return sum(names_a_shape(one.text) for one in names) / len(names)


# Each rule fails where it should


MODULE = '''"""A module."""


def scores(queries: Tensor, prototypes: Tensor, scale: float = 1.0) -> Tensor:
    """Similarities.

    Args:
        queries: features [B, Q, D], a note: in any order.
        prototypes: one per class, [B, N, D],
            on the same device.
        scale: larger is sharper.

    Returns:
        float [B, Q, N].

    Example:
        >>> scores(torch.ones(1, 2, 3), torch.ones(1, 4, 3)).shape
        torch.Size([1, 2, 4])
    """
'''
RULES = (without_text, with_crowded_entries, about_no_argument, badly_marked_up, without_example)


def found_in(source: str) -> list[str]:
    """The rules that a module breaks, by name."""
    names = list(within(ast.parse(source), "module"))
    found = [rule.__name__ for rule in RULES if rule(names)]
    shapes = share_with_shapes([one for one in names if meets_tensors(one.node)])
    return found + (["share_with_shapes"] if shapes < 1 else [])


def test_a_sound_docstring_breaks_no_rule() -> None:
    assert found_in(MODULE) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('"""A module."""', "", "without_text"),
        ("sharper.", "sharper. queries: again.", "with_crowded_entries"),
        ("        queries: features", "        queries, scale: features", "with_crowded_entries"),
        ("on the same device.", "on a device. scale: 1.", "with_crowded_entries"),
        ("scale: larger", "factor: larger", "about_no_argument"),
        ("Similarities.", "Similarities *of all.", "badly_marked_up"),
        ("Similarities.", "Similarities::\n    and\nmore.", "badly_marked_up"),
        (">>> ", "", "without_example"),
        ("[B, ", "(B, ", "share_with_shapes"),
    ],
)
def test_a_poor_docstring_breaks_its_rule(old: str, new: str, rule: str) -> None:
    assert old in MODULE
    assert rule in found_in(MODULE.replace(old, new))


# The package


def test_every_public_name_has_a_docstring() -> None:
    assert len(PUBLIC) > 300
    assert without_text(PUBLIC) == []


def test_an_entry_explains_one_argument() -> None:
    """Two in an entry are merged into one by the renderer."""
    assert with_crowded_entries(PUBLIC) == []


def test_what_is_explained_is_an_argument() -> None:
    assert about_no_argument(PUBLIC) == []


def test_docstrings_render_without_a_warning() -> None:
    assert badly_marked_up(PUBLIC) == []


def test_shapes_stand_in_three_of_five_docstrings_that_meet_tensors() -> None:
    silent = [one.name for one in WITH_TENSORS if not names_a_shape(one.text)]
    assert share_with_shapes(WITH_TENSORS) >= 0.6, f"no shape in {silent}"


def test_every_class_and_function_shows_an_example() -> None:
    assert without_example(PUBLIC) == []
