"""All checks by name: `from fslbook.exercises import check`, then `check.prototypes(my_function)`.

No list is kept: each `Exercise` in a module of this folder is a check, under the name that it has there.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from fslbook.exercises.engine.exercise import Exercise
from fslbook.exercises.engine.finding import exercises_below

_EXERCISES = exercises_below("fslbook.exercises", [str(Path(__file__).parent)], skip=__name__)
globals().update(_EXERCISES)

__all__ = sorted(_EXERCISES)


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Exercise:
    near = get_close_matches(name, __all__, n=3, cutoff=0.5)
    advice = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(__all__)}"
    raise AttributeError(f"there is no check named {name}: {advice}")
