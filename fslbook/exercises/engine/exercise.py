"""What stands behind `check.<exercise>(my_function)`: fresh inputs, an oracle, and words for what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from fslbook.exercises.engine.calling import TOO_LONG, NotAttempted, call, has_floats, map_tensors, require_gradients
from fslbook.exercises.engine.comparing import difference

Draw = Callable[[torch.Generator], tuple[Any, ...]]
Judge = Callable[..., str | None]


@dataclass(frozen=True)
class Mistake:
    """A wrong version that people write, and what to tell them.

    Args:
        wrong: takes what the learner's function takes, and answers wrongly.
        says: the words, or a function of the inputs that gives them; never the right answer itself.
    """

    wrong: Callable[..., Any]
    says: str | Callable[..., str]


@dataclass(frozen=True)
class Case:
    """One property, on inputs drawn anew for each check.

    Args:
        draw: gives the arguments for the learner's function.
        judge: `judge(answer, *arguments)` gives what is wrong in words, or None; by default the oracle decides.
        gradient: the answer must pass the gradient on to every argument that requires it.
        probe: `probe(answer, *arguments)` is compared in place of the answer, for instance a gradient through it;
            the floating-point tensors among the arguments then require gradients.
    """

    draw: Draw
    judge: Judge | None = None
    gradient: bool = False
    probe: Callable[..., Any] | None = None

    def answer(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """What is compared, for a function of our own."""
        if self.probe is None:
            return function(*arguments)
        copies = deepcopy(arguments)
        require_gradients(copies)
        return map_tensors(Tensor.detach, self.probe(function(*copies), *copies))


@dataclass(frozen=True)
class Report:
    """What a check found: `passed`, which is also its truth value, and the printed `lines`."""

    passed: bool
    lines: list[str]

    def __bool__(self) -> bool:
        return self.passed

    def _ipython_display_(self) -> None:
        """Show nothing as the value of a cell: the lines are printed already."""


@dataclass(frozen=True)
class Exercise:
    """A task with its check; call it with your function.

    Args:
        name: as in `check.<name>`.
        oracle: the right answer, computed in another way than the solution does, or None if every case has a judge.
        cases: the properties, in the order in which they are tried.
        mistakes: wrong versions that are recognised and named.
        tolerance: relative and absolute, for 32-bit numbers.
    """

    name: str
    oracle: Callable[..., Any] | None
    cases: dict[str, Case]
    mistakes: list[Mistake] = field(default_factory=list)
    tolerance: float = 1e-4

    def __call__(self, function: Callable[..., Any], *, device: str | torch.device = "cpu") -> Report:
        """Try `function` on every property, print what passed and what failed, and return the report.

        Args:
            function: yours, itself and not its result. It gets copies, so it cannot spoil the inputs.
            device: where the inputs lie.
        """
        report = self._try(function, torch.device(device))
        print("\n".join(report.lines))
        return report

    def _try(self, function: Callable[..., Any], device: torch.device) -> Report:
        if not callable(function):
            return self._failed(
                f"this is a {type(function).__name__}; hand over the function itself, without calling it"
            )
        found: dict[str, str | None] = {}
        for name, case in self._all_cases().items():
            try:
                found[name] = self._examine(function, case, device)
            except NotAttempted:
                return Report(
                    False, [f"○ {self.name}: not attempted yet. Write your version, then run this cell again."]
                )
            if found[name] == TOO_LONG:
                break
        passed = not any(found.values())
        head = f"✓ {self.name}: all {len(found)} properties hold" if passed else f"✗ {self.name}: not yet"
        return Report(passed, [head, *_in_lines(found)])

    def _failed(self, why: str) -> Report:
        return Report(False, [f"✗ {self.name}: not yet", f"  ✗ {why}"])

    def _all_cases(self) -> dict[str, Case]:
        first = next(iter(self.cases.values()))
        doubled = replace(first, draw=lambda generator: map_tensors(_double, first.draw(generator)))
        return {**self.cases, "64-bit numbers": doubled} if has_floats(first.draw(torch.Generator())) else self.cases

    def _examine(self, function: Callable[..., Any], case: Case, device: torch.device) -> str | None:
        generator = torch.Generator()
        generator.seed()
        arguments = map_tensors(lambda x: x.to(device), case.draw(generator))
        answer, trouble = None, None
        try:
            answer, trouble = call(function, arguments, case.gradient or case.probe is not None, case.probe)
            return trouble if answer is None else self._judged(answer, arguments, case) or trouble
        except NotAttempted:
            raise
        except Exception:  # an answer so odd that it cannot even be compared is wrong, and no crash of ours
            return f"what came back, a {type(answer).__name__}, is not what the task asks for"

    def _judged(self, answer: Any, arguments: tuple[Any, ...], case: Case) -> str | None:
        if case.judge:
            return case.judge(answer, *arguments)
        assert self.oracle is not None
        wrong = difference(answer, case.answer(self.oracle, arguments), self.tolerance)
        return wrong and (self._recognised(answer, arguments, case) or wrong)

    def _recognised(self, answer: Any, arguments: tuple[Any, ...], case: Case) -> str | None:
        for mistake in self.mistakes:
            try:
                same = difference(answer, case.answer(mistake.wrong, arguments), self.tolerance) is None
            except Exception:
                continue  # this wrong version does not even run on these inputs
            if same:
                return mistake.says if isinstance(mistake.says, str) else mistake.says(*arguments)
        return None


def _in_lines(found: dict[str, str | None]) -> list[str]:
    """One line for each property; what was said once is not said again."""
    said: dict[str, str] = {}
    lines = []
    for name, wrong in found.items():
        text = f"{name}: as for “{said[wrong]}”" if wrong in said else f"{name}: {wrong}"
        lines.append(f"  ✗ {text}" if wrong else f"  ✓ {name}")
        said.setdefault(wrong or "", name)
    return lines


def _double(x: Tensor) -> Tensor:
    return x.double() if x.is_floating_point() else x
