"""Ask for labels in rounds, and see what each round is worth (chapter 14)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Generator, Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.data.image_classes import ImageClasses
from fslbook.methods.active.pool import Pool


@dataclass(frozen=True)
class LabellingCurve:
    """What was reached after each round.

    Args:
        budgets: labels asked for so far.
        accuracy: share of the test images that the nearest class mean gets right, 0..1; a class without a label is
            never answered.
        coverage: share of the classes that have a label.

    Example:
        >>> LabellingCurve([20], [0.7], [0.9]).accuracy
        [0.7]
    """

    budgets: list[int]
    accuracy: list[float]
    coverage: list[float]


def label_in_rounds(
    strategy: Callable[[Pool, int, Generator], Tensor],
    pool: ImageClasses,
    test: ImageClasses,
    budgets: Sequence[int],
    *,
    seed: int = 0,
    wrong: float = 0.0,
) -> LabellingCurve:
    """Let a strategy ask for labels until each budget is spent, and test the nearest class mean there.

    Args:
        strategy: says which images to label next, such as those in `STRATEGIES`.
        pool: features [M, D] in place of images, with the true labels, which the strategy gets one by one.
        test: features of other images of the same classes.
        budgets: rising numbers of labels, at most M.
        seed: of the strategy's randomness and of wrong labels.
        wrong: probability that an answer is another class, each as likely as the others, 0..1.

    Raises:
        ValueError: the classes of pool and test differ, the budgets do not rise or go beyond the pool, or `wrong` is no
            probability.

    Example:
        >>> from fslbook.methods.active.strategies import by_chance
        >>> classes = ImageClasses(torch.tensor([[0.0], [0.1], [9.0], [9.1]]), torch.tensor([2, 2]), ("a", "b"))
        >>> label_in_rounds(by_chance, classes, classes, [4]).accuracy
        [1.0]
    """
    _check(pool, test, budgets, wrong)
    generator = Generator().manual_seed(check_whole_number("seed", seed, least=0))
    answers = _answers(pool.labels, len(pool), wrong, generator)
    none = torch.empty(0, dtype=torch.int64, device=pool.labels.device)
    state, accuracy, coverage = Pool(pool.images.flatten(1), none, none, len(pool)), list[float](), list[float]()
    for budget in budgets:
        chosen = strategy(state, budget - len(state.labelled), generator)
        state = state.with_labels(chosen, answers[chosen])
        right = state.logits(test.images.flatten(1)).argmax(dim=1) == test.labels
        accuracy.append(right.float().mean().item())
        coverage.append(len(state.labels.unique()) / len(pool))
    return LabellingCurve([*budgets], accuracy, coverage)


def _answers(labels: Tensor, n_way: int, wrong: float, generator: Generator) -> Tensor:
    """What the expert says of each image: its label, or with probability `wrong` another one."""
    slips = torch.rand(len(labels), generator=generator) < wrong
    shift = torch.randint(1, n_way, (len(labels),), generator=generator) * slips
    return (labels + shift.to(labels.device)) % n_way


def _check(pool: ImageClasses, test: ImageClasses, budgets: Sequence[int], wrong: float) -> None:
    if pool.names != test.names:
        raise ValueError("pool and test must hold the same classes in the same order")
    if len(pool) < 2:
        raise ValueError(f"there is nothing to choose among with {len(pool)} class")
    numbers = [check_whole_number("a budget", budget, least=1) for budget in budgets]
    if not numbers or any(a >= b for a, b in pairwise(numbers)):
        raise ValueError(f"budgets must rise, got {numbers}")
    if numbers[-1] > len(pool.images):
        raise ValueError(f"a budget of {numbers[-1]} labels is beyond the pool of {len(pool.images)} images")
    if not 0 <= wrong <= 1:
        raise ValueError(f"wrong must be a probability, 0 to 1, got {wrong}")
