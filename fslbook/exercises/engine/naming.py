"""Finds the name of a slip: of the known ones, one that explains all that was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fslbook.exercises.engine.case import Arguments, Case, Mistake
from fslbook.exercises.engine.comparing import difference


@dataclass
class Seen:
    """What is wrong on one property, and which known slips would have done the same there.

    Args:
        wrong: the difference in words.
        explains: number of the slip to its words.
        contradicts: numbers of the slips that would have gone wrong here in another way.

    Example:
        >>> Seen("the number is wrong", {0: "this is the sum"}).explains
        {0: 'this is the sum'}
    """

    wrong: str
    explains: dict[int, str] = field(default_factory=dict)
    contradicts: set[int] = field(default_factory=set)


def seen(
    wrong: str, answer: Any, right: Any, arguments: Arguments, case: Case, known: Sequence[Mistake], tolerance: float
) -> Seen:
    """Compare a wrong answer with those of the known slips.

    Args:
        wrong: how it differs from the right one, in words.
        answer: the wrong one.
        right: the right one.
        arguments: what the answer belongs to.
        case: the property.
        known: slips.
        tolerance: relative and absolute.

    Example:
        >>> slip = Mistake(lambda x: 3 * x, "three times")
        >>> seen("wrong", 6, 4, (2,), Case(lambda generator: (2,)), [slip], 0.0).explains
        {0: 'three times'}
    """
    found = Seen(wrong)
    for number, mistake in enumerate(known):
        try:
            theirs = case.answer(mistake.wrong, arguments)
        except Exception:
            continue  # this slip does not even run on these inputs
        if difference(answer, theirs, tolerance, explain=False) is None:
            found.explains[number] = mistake.says if isinstance(mistake.says, str) else mistake.says(*arguments)
        elif difference(theirs, right, tolerance, explain=False) is not None:
            found.contradicts.add(number)
    return found


def named(found: dict[str, Seen | str | None]) -> dict[str, str | None]:
    """For each property what is said: the words of a slip that no other property contradicts, or the difference.

    With one image, say, a sum is a mean: a slip that explains this property alone is not the learner's.

    Args:
        found: by property what was seen, or words that are final, or None.

    Example:
        >>> one, two = Seen("wrong", {0: "a sum", 1: "too small"}, set()), Seen("wrong", {1: "too small"}, {0})
        >>> named({"one image": one, "two images": two})
        {'one image': 'too small', 'two images': 'too small'}
    """
    every = [x for x in found.values() if isinstance(x, Seen)]
    contradicted = {number for x in every for number in x.contradicts}
    votes = [number for x in every for number in x.explains if number not in contradicted]

    def words(x: Seen) -> str:
        possible = [number for number in x.explains if number not in contradicted]
        return x.explains[max(possible, key=votes.count)] if possible else x.wrong

    return {name: words(x) if isinstance(x, Seen) else x for name, x in found.items()}
