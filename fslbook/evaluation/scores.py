"""Scores of a method's answers: one number per task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from fslbook.tasks.episode import Episode

Score = Callable[[Tensor, Tensor], Tensor]
"""`score(answers, targets)`: answers [B, Q, N, ...] (regression [B, Q, D]) and targets [B, Q, ...] to float [B]."""


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of right answers in each task, float64 [B]; of pixels where each has a label.

    Args:
        logits: [B, Q, N, ...], larger is more likely.
        labels: int64 [B, Q, ...].

    Example:
        >>> import torch
        >>> accuracy(torch.tensor([[[0.1, 0.9], [0.8, 0.2]]]), torch.tensor([[1, 1]]))
        tensor([0.5000], dtype=torch.float64)
    """
    return (logits.argmax(dim=2) == labels).double().flatten(1).mean(dim=1)


def squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error in each task, float64 [B], in the squared unit of the targets.

    Args:
        predictions: float [B, Q, D].
        targets: float [B, Q, D].

    Example:
        >>> import torch
        >>> squared_error(torch.ones(1, 4, 1), torch.zeros(1, 4, 1))
        tensor([1.], dtype=torch.float64)
    """
    return (predictions - targets).square().flatten(1).mean(dim=1).double()


def name_of(score: Score) -> str:
    """A score's name in words.

    Args:
        score: a function, or any callable object.

    Example:
        >>> name_of(squared_error)
        'squared error'
    """
    return getattr(score, "__name__", type(score).__name__).replace("_", " ")


def checked_answers(method: nn.Module, answers: Tensor, episode: Episode) -> Tensor:
    """The answers, if they can be scored: of the right shape, and finite where the largest one is looked for.

    Args:
        method: who answered.
        answers: logits [B, Q, N, ...], in regression predictions [B, Q, D].
        episode: with its targets.

    Raises:
        ValueError: says the method, the shape that is wanted and the one that came; or that numbers are not finite.

    Example:
        >>> import torch
        >>> x, y = torch.rand(1, 2, 3), torch.tensor([[0, 1]])
        >>> checked_answers(nn.Flatten(), torch.zeros(1, 2, 5), Episode(x, y, x, y, n_way=2))
        Traceback (most recent call last):
        ValueError: Flatten must give floating-point logits [B, Q, N, ...] = [1, 2, 2], got torch.float32 [1, 2, 5]
    """
    name, targets = type(method).__name__, episode.targets
    numbers = targets.is_floating_point()
    wanted = targets.shape if numbers else (*targets.shape[:2], episode.n_way, *targets.shape[2:])
    if not isinstance(answers, Tensor) or answers.shape != wanted or not answers.is_floating_point():
        got = f"{answers.dtype} {[*answers.shape]}" if isinstance(answers, Tensor) else type(answers).__name__
        kind = "predictions [B, Q, D]" if numbers else "logits [B, Q, N, ...]"
        raise ValueError(f"{name} must give floating-point {kind} = {[*wanted]}, got {got}")
    largest = answers if numbers else answers.amax(dim=2)  # an impossible class may have -inf
    if not largest.isfinite().all():
        what = "predictions" if numbers else "logits"
        raise ValueError(f"{name} gave {what} that are not finite (NaN or infinity); are its weights finite?")
    return answers


def check_rows_are_queries(method: nn.Module, answer: Callable[[Episode], Tensor], episode: Episode) -> None:
    """With as many queries as classes, logits that lie the wrong way round have the right shape: ask once more.

    Each query of the first task stands twice then. With any other number their shape has told it already.

    Args:
        method: who answers.
        answer: how it answers an episode without query labels.
        episode: the first tasks.

    Raises:
        ValueError: the logits are [B, N, Q].

    Example:
        >>> x, y = torch.rand(1, 2, 3), torch.tensor([[0, 1]])
        >>> turned = lambda episode: torch.zeros(1, 2, episode.query_x.shape[1])
        >>> check_rows_are_queries(nn.Flatten(), turned, Episode(x, y, x, y, n_way=2))
        Traceback (most recent call last):
        ValueError: Flatten gives logits [B, N, Q]; they must be [B, Q, N]: swap the last two axes
    """
    first = episode.tasks()[0].without_labels()
    n_queries, twice = first.query_x.shape[1], torch.cat([first.query_x] * 2, dim=1)
    if episode.targets.is_floating_point() or n_queries != episode.n_way:
        return
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        shape = answer(replace(first, query_x=twice, check=False)).shape
    if shape[1:3] == (episode.n_way, 2 * n_queries):
        name = type(method).__name__
        raise ValueError(f"{name} gives logits [B, N, Q]; they must be [B, Q, N]: swap the last two axes")


def checked_score(score: Score, answers: Tensor, targets: Tensor) -> Tensor:
    """The score of each task, float64 [B] on the CPU.

    Args:
        score: as `Score`.
        answers: what the method said [B, Q, ...].
        targets: what was right [B, Q, ...].

    Raises:
        ValueError: the score is not one number per task.

    Example:
        >>> import torch
        >>> checked_score(accuracy, torch.tensor([[[0.1, 0.9]], [[0.8, 0.2]]]), torch.tensor([[1], [1]]))  # two tasks
        tensor([1., 0.], dtype=torch.float64)
    """
    values = score(answers, targets)
    if not isinstance(values, Tensor) or values.shape != targets.shape[:1]:
        got = [*values.shape] if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"score {name_of(score)} must give one number per task, [B] = {[len(targets)]}, got {got}")
    return values.double().cpu()
