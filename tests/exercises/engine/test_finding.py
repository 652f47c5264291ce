"""`check` finds the exercises by itself, and says so where two of them quarrel about a name."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from rlcompleter import Completer

import pytest

from fslbook.exercises import check
from fslbook.exercises.engine.exercise import Exercise
from fslbook.exercises.engine.finding import exercises_below

PROMISED = re.findall(
    r"\w+",
    """
    adapted anil_step answer_or_none as_linear_layer back_through_steps best_start centred class_probabilities
    class_sums confidence_caps contrastive contrastive_gradient cosine_similarities count_leaks draw_episode
    episodes_needed epsilon_at equal_error fomaml_gradient gradient_step hessian_share hessian_vector_product
    images_attended images_for_bound inner_lr_for_the_mean inner_step inner_step_for_all interval
    leave_one_out_accuracy linear_cka listens lucky_guesses maml_loss matching_loss nearest_image one_at_a_time pairs
    prototypes rate_gradient recalibrated relabelled relation_cost relation_loss reptile_gradient scale_for_confidence
    semi_hard_negatives siamese_logits split_by_class squared_distances squared_error_slope stacked_pairs
    updated_prototype valley_steps
    """,
)
"""The names of version 0.1; new chapters bring more and need no entry here."""

EXERCISE = """
from fslbook.exercises.engine.exercise import Case, Exercise
{variable} = Exercise("{name}", lambda n: n, {{"a number": Case(lambda generator: (3,))}})
"""


def test_every_name_that_was_promised_is_there() -> None:
    assert len(PROMISED) == 53
    assert set(PROMISED) <= set(check.__all__)


def test_dir_and_star_give_the_exercises_and_nothing_else() -> None:
    space: dict[str, object] = {}
    exec("from fslbook.exercises.check import *", space)
    del space["__builtins__"]
    assert dir(check) == check.__all__ == sorted(space)
    assert all(isinstance(x, Exercise) and x.name == name for name, x in space.items())


def test_the_tab_key_completes_the_names() -> None:
    completer = Completer({"check": check})
    found = [completer.complete("check.squared_", n) for n in range(3)]
    assert found[2] is None
    assert [str(name).rstrip("(") for name in found[:2]] == ["check.squared_distances", "check.squared_error_slope"]


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ("prototype", "there is no check named prototype: did you mean prototypes or"),
        ("squareddistances", "did you mean squared_distances"),
        ("xyz", f"there is no check named xyz: there are {', '.join(sorted(dir(check))[:2])}, "),
    ],
)
def test_a_wrong_name_gets_the_nearest_ones(wrong: str, advice: str) -> None:
    with pytest.raises(AttributeError, match=advice):
        getattr(check, wrong)


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package `toys`, still empty."""
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    others = {name: module for name, module in sys.modules.items() if name.partition(".")[0] != "toys"}
    monkeypatch.setattr(sys, "modules", others)
    return tmp_path / "toys"


def put(file: Path, name: str, variable: str = "") -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(EXERCISE.format(name=name, variable=variable or name))


def found(folder: Path) -> list[str]:
    return sorted(exercises_below("toys", [str(folder)]))


def test_files_and_folders_are_searched_and_an_import_is_no_second_exercise(toys: Path) -> None:
    put(toys / "one.py", "first")
    put(toys / "two" / "deep.py", "second")
    (toys / "two" / "__init__.py").write_text("from toys.one import first")
    assert found(toys) == ["first", "second"]


def test_two_exercises_of_one_name_are_refused(toys: Path) -> None:
    put(toys / "one.py", "first")
    put(toys / "two.py", "first")
    with pytest.raises(ValueError, match=r"named 'first', in toys\.one and in toys\.two: rename one"):
        found(toys)


def test_an_exercise_in_a_variable_of_another_name_is_refused(toys: Path) -> None:
    put(toys / "one.py", "first", variable="firts")
    with pytest.raises(ValueError, match=r"toys\.one\.firts is named 'first'"):
        found(toys)


@pytest.mark.parametrize("place", ["one.py", "one/__init__.py"])
def test_a_chapter_that_cannot_be_imported_is_not_left_out_silently(toys: Path, place: str) -> None:
    (toys / place).parent.mkdir(exist_ok=True)
    (toys / place).write_text("import no_such_library")
    with pytest.raises(ImportError, match="no_such_library"):
        found(toys)
