"""What stands behind `check.<exercise>(my_function)`: fresh inputs, an oracle, and words for what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from fslbook.exercises.engine.calling import TOO_LONG, NotAttempted, call, cut, first_line, lost_gradient
from fslbook.exercises.engine.case import Arguments, Case, Mistake
from fslbook.exercises.engine.comparing import difference, kind_of
from fslbook.exercises.engine.naming import Seen, named, seen
from fslbook.exercises.engine.report import Report, in_lines
from fslbook.exercises.engine.structures import has_floats, has_nan, map_tensors, readable
from fslbook.exercises.engine.watching import Work, watched


@dataclass(frozen=True)
class Exercise:
    """A task with its check; call it with your function.

    A module of a chapter keeps it in a variable of the same name, and so it is found as `check.<name>`.

    Args:
        name: as in `check.<name>`.
        oracle: the right answer, computed in another way than the solution does. Also where judges decide, for it
            shows that they work.
        cases: the properties, in the order in which they are tried.
        mistakes: wrong versions that are recognised and named.
        tolerance: relative and absolute, for floating-point numbers.

    Example:
        >>> case = Case(lambda generator: (torch.rand(5, generator=generator),))
        >>> twice = Exercise("twice", lambda x: x + x, {"five numbers": case})
        >>> report = twice(lambda x: 2 * x)
        ✓ twice: all 2 properties hold
          ✓ five numbers
          ✓ 64-bit numbers
    """

    name: str
    oracle: Callable[..., Any]
    cases: dict[str, Case]
    mistakes: list[Mistake] = field(default_factory=list)
    tolerance: float = 1e-4

    def __call__(self, function: Callable[..., Any], *, device: str | torch.device = "cpu") -> Report:
        """Try `function` on every property, print what passed and what failed, and return the report.

        Args:
            function: yours, itself and not its result. It gets copies, so it cannot spoil the inputs.
            device: where the inputs lie.

        Raises:
            RuntimeError: the check itself failed, which is no fault of yours.

        Example:
            >>> from fslbook.exercises import check
            >>> check.lucky_guesses(3).passed
            ✗ lucky_guesses: not yet
              ✗ this is an int; hand over the function itself, without calling it
            False
        """
        with _usual_modes():
            report = self._try(function, torch.device(device))
        print("\n".join(report.lines))
        return report

    def _try(self, function: Callable[..., Any], device: torch.device) -> Report:
        if not callable(function):
            return self._failed(f"this is {kind_of(function)}; hand over the function itself, without calling it")
        found: dict[str, Seen | str | None] = {}
        for name, case in self._all_cases().items():
            try:
                found[name] = self._examine(function, name, case, device)
            except NotAttempted:
                return Report(
                    False, [f"○ {self.name}: not attempted yet. Write your version, then run this cell again."]
                )
            if found[name] == TOO_LONG:
                break
        passed = not any(found.values())
        head = f"✓ {self.name}: all {len(found)} properties hold" if passed else f"✗ {self.name}: not yet"
        return Report(passed, [head, *in_lines(named(found))])

    def _failed(self, why: str) -> Report:
        return Report(False, [f"✗ {self.name}: not yet", f"  ✗ {why}"])

    def _all_cases(self) -> dict[str, Case]:
        name, first = next(iter(self.cases.items()))
        doubled = replace(first, draw=lambda generator: map_tensors(_double, first.draw(generator)))
        with self._taking_the_blame(name):
            floats = has_floats(first.draw(torch.Generator()))
        return {**self.cases, "64-bit numbers": doubled} if floats else self.cases

    def _examine(self, function: Callable[..., Any], name: str, case: Case, device: torch.device) -> Seen | str | None:
        generator = torch.Generator()
        generator.seed()
        with self._taking_the_blame(name):
            arguments = map_tensors(lambda x: x.to(device), case.draw(generator))
            right = self._right_answer(arguments, case)  # first, so that what it loads is not on the learner's clock
            work = Work()
            version = watched(function, work) if case.watch else function
            answer, copies, trouble = call(version, arguments, gradients=case.gradient or case.probe is not None)
            if trouble:
                return trouble
            lost = lost_gradient(answer, copies) if case.gradient else None
            answer, trouble = self._probed(answer, copies, case) if case.probe else cut(answer)
            forbidden = case.watch(work, *arguments) if case.watch else None
            wrong = trouble or self._judged(answer, right, arguments, case) or lost or forbidden
            return wrong or (self._once_more(version, answer, arguments, case) if case.again else None)

    @contextmanager
    def _taking_the_blame(self, place: str) -> Iterator[None]:
        """Whatever the learner's function does wrong is caught where it happens; what arrives here is our own fault."""
        try:
            yield
        except NotAttempted:
            raise
        except Exception as error:
            raise RuntimeError(_OURS.format(self.name, place, type(error).__name__, first_line(error))) from error

    def _right_answer(self, arguments: Arguments, case: Case) -> Any:
        answer = case.answer(self.oracle, arguments)
        if has_nan(answer):
            raise ValueError("the expected answer is not a number")
        return answer

    def _probed(self, answer: Any, copies: Arguments, case: Case) -> tuple[Any, str | None]:
        assert case.probe is not None
        try:
            return cut(case.probe(answer, *copies))
        except Exception as error:  # on the right answer the probe has just worked
            return None, f"{_not_asked_for(answer)}: {first_line(error)}"

    def _judged(self, answer: Any, right: Any, arguments: Arguments, case: Case) -> Seen | str | None:
        if case.judge is None:
            wrong = difference(answer, right, self.tolerance)
            return wrong and seen(wrong, answer, right, arguments, case, self.mistakes, self.tolerance)
        if not readable(answer):
            return _not_asked_for(answer)
        return case.judge(answer, *arguments)  # what it raises is our fault, whatever the answer is

    def _once_more(
        self, version: Callable[..., Any], first: Any, arguments: Arguments, case: Case
    ) -> Seen | str | None:
        assert case.again is not None
        second, _, trouble = call(version, arguments)
        if not trouble:
            second, trouble = cut(second)
        return trouble or self._judged(second, first, arguments, case) or case.again(first, second, *arguments)


_OURS = (
    "check.{} itself failed on “{}” with {}: {}. This is a fault of the check and says nothing about your function; "
    "please report it."
)


@contextmanager
def _usual_modes() -> Iterator[None]:
    """Whatever the reader's cell has switched: the oracle computes as the function does, in a thread of its own."""
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast("cpu", enabled=False), torch.device("cpu"):
        yield


def _not_asked_for(answer: Any) -> str:
    return f"what came back, {kind_of(answer)}, is not what the task asks for"


def _double(x: Tensor) -> Tensor:
    return x.double() if x.is_floating_point() else x
