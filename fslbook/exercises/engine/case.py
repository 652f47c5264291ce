"""What an exercise is made of: properties to try on fresh inputs, and wrong versions that people write."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fslbook.exercises.engine.structures import map_tensors, require_gradients

Arguments = tuple[Any, ...]
Draw = Callable[[torch.Generator], Arguments]
Judge = Callable[..., str | None]
Watch = Callable[..., str | None]


@dataclass(frozen=True)
class Mistake:
    """A wrong version that people write, and what to tell them.

    Args:
        wrong: takes what the learner's function takes, and answers wrongly.
        says: the words, or a function of the inputs that gives them; never the right answer itself.

    Example:
        >>> Mistake(lambda x: x.sum(), "this is the sum; take the mean").says
        'this is the sum; take the mean'
    """

    wrong: Callable[..., Any]
    says: str | Callable[..., str]


@dataclass(frozen=True)
class Case:
    """One property, on inputs drawn anew for each check.

    Args:
        draw: gives the arguments for the learner's function; takes the random generator.
        judge: `judge(answer, *arguments)` gives what is wrong in words, or None; by default the oracle decides. It
            must not raise, whatever the answer is.
        gradient: the answer must pass the gradient on to each floating-point argument.
        probe: `probe(answer, *arguments)` is compared in place of the answer, for instance a gradient through it;
            the floating-point tensors among the arguments then require gradients.
        watch: `watch(work, *arguments)` says what was done in a way that the task forbids, or None; `work` is a
            `Work` with each operation on tensors.
        again: the function is called a second time on the same inputs, and `again(first, second, *arguments)` says what
            is wrong with two right answers, for instance that they are the same although chance should decide.

    Example:
        >>> case = Case(lambda generator: (torch.rand(5, generator=generator), 2))
        >>> [x.shape if isinstance(x, Tensor) else x for x in case.draw(torch.Generator())]
        [torch.Size([5]), 2]
    """

    draw: Draw
    judge: Judge | None = None
    gradient: bool = False
    probe: Callable[..., Any] | None = None
    watch: Watch | None = None
    again: Judge | None = None

    def answer(self, function: Callable[..., Any], arguments: Arguments) -> Any:
        """What is compared, for a function of our own.

        Args:
            function: an oracle or a wrong version.
            arguments: as drawn. It gets copies.

        Example:
            >>> Case(lambda generator: (3,)).answer(lambda n: n + 1, (3,))
            4
        """
        copies = deepcopy(arguments)
        if self.probe is None:
            return function(*copies)
        require_gradients(copies)
        return map_tensors(Tensor.detach, self.probe(function(*copies), *copies))
