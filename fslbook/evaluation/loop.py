"""Scores over many tasks, with their 95 % confidence intervals (chapter 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from fslbook.common.arguments import check_same_device, check_whole_number
from fslbook.evaluation.embedding import embed_classes, embeds_images_alone, splits_in_two
from fslbook.evaluation.modes import evaluation_mode
from fslbook.evaluation.results import Evaluation, RegressionEvaluation
from fslbook.evaluation.scores import (
    Score,
    accuracy,
    check_rows_are_queries,
    checked_answers,
    checked_score,
    name_of,
    squared_error,
)
from fslbook.tasks.episode import Episode, joined
from fslbook.tasks.sampler import EpisodeSampler, TaskSampler

Answer = Callable[[Episode], Tensor]


class TestTasks(TaskSampler, Protocol):
    """What `evaluate` needs of a source of tasks: it can begin again at its first task.

    Example:
        >>> from fslbook.tasks.sinusoids import SinusoidTasks
        >>> tasks: TestTasks = SinusoidTasks()
        >>> first, second, again = tasks.sample(), tasks.sample(), tasks.restarted().sample()
        >>> torch.equal(again.query_x, first.query_x), torch.equal(again.query_x, second.query_x)
        (True, False)
    """

    @property
    def device(self) -> torch.device:
        """Where the tasks lie."""

    def restarted(self) -> TaskSampler:
        """A new sampler that begins again at the first task."""


@torch.no_grad()
def evaluate(
    method: nn.Module,
    sampler: TestTasks,
    n_episodes: int = 600,
    *,
    score: Score | None = None,
    embed_once: bool | None = None,
    batch_size: int | None = None,
    progress: bool = False,
) -> Evaluation:
    """Score of `method` in evaluation mode on the first `n_episodes` episodes of `sampler`.

    The sampler itself is left untouched: each call starts from its seed, so that every method meets the same
    episodes. The method gets them without their query labels.

    Args:
        method: any module with `method(episode) -> logits [B, Q, N, ...]`, in regression predictions [B, Q, D].
        sampler: where the episodes come from, on the device of the method.
        n_episodes: at least 2, since one episode has no spread.
        score: `score(answers, targets) -> [B]`; None takes the accuracy of labels and the squared error of numbers.
        embed_once: embed each image of the data set once, then only index. None does so where the method
            embeds each image by itself and it saves work; False never does; True insists.
        batch_size: episodes at a time; None chooses by memory, and 1 where the method mixes the images of a batch.
        progress: show a progress bar.

    Returns:
        an `Evaluation`; for targets that are numbers a `RegressionEvaluation`.

    Raises:
        ValueError: fewer than 2 episodes, a batch size below 1, method and images on different devices, answers of
            another shape or not finite, or `embed_once=True` for a method that looks at several images at once.

    Example:
        >>> from fslbook.data import ImageClasses
        >>> from fslbook.methods import NearestNeighbour
        >>> images = torch.eye(4).repeat_interleave(3, dim=0)[:, None, None]  # four classes of equal images
        >>> classes = ImageClasses(images, torch.full((4,), 3), tuple("abcd"))
        >>> print(evaluate(NearestNeighbour(), EpisodeSampler(classes, n_way=4, n_query=2), 10))
        100.00 % ± 0.00 (10 episodes)
    """
    n_episodes = check_whole_number("n_episodes", n_episodes, least=2)
    batch_size = None if batch_size is None else check_whole_number("batch_size", batch_size, least=1)
    _check_parts(method, sampler)
    with evaluation_mode(method):
        tasks, answer = _embedded(method, sampler, n_episodes, embed_once) or (sampler.restarted(), method)
        size = batch_size or (
            1 if answer is method and _mixes_tasks(method, sampler) else tasks_that_fit(tasks, method)
        )
        parts: list[Tensor] = []
        with tqdm(total=n_episodes, disable=not progress, desc="evaluate") as bar:
            for episode in _batches(tasks, n_episodes, size):
                score = score or (squared_error if episode.targets.is_floating_point() else accuracy)
                answers = checked_answers(method, _asked(answer, episode), episode)
                if not parts:
                    check_rows_are_queries(method, answer, episode)
                parts.append(checked_score(score, answers, episode.targets))
                bar.update(episode.batch_size)
    kind = RegressionEvaluation if episode.targets.is_floating_point() else Evaluation
    return kind(torch.cat(parts), getattr(sampler, "identity", str(sampler)), name_of(score or accuracy))


def _check_parts(method: nn.Module, sampler: TestTasks) -> None:
    if not isinstance(method, nn.Module):
        raise ValueError(f"method must be a module that answers episodes, got {type(method).__name__}")
    if not callable(getattr(sampler, "restarted", None)):
        raise ValueError(f"sampler must draw episodes and have restarted(), got {type(sampler).__name__}")
    check_same_device(method, sampler.device)


def _batches(tasks: Any, n_episodes: int, size: int) -> Iterator[Episode]:
    """The next tasks in batches; a sampler that does not batch them itself is asked for one at a time."""
    if hasattr(tasks, "batches"):
        yield from tasks.batches(n_episodes, size)
        return
    for start in range(0, n_episodes, size):
        yield joined([tasks.sample(1) for _ in range(min(size, n_episodes - start))])


def _asked(answer: Answer, episode: Episode) -> Tensor:
    try:
        return answer(episode.without_labels())
    except (TypeError, AttributeError) as error:
        if "NoneType" in str(error):
            error.add_note("evaluate takes the query labels away (query_y is None): an answer must not depend on them")
        raise


def _embedded(
    method: Any, sampler: Any, n_episodes: int, embed_once: bool | None
) -> tuple[EpisodeSampler, Answer] | None:
    """Tasks over features, and how to answer them; None where each episode has to be embedded by itself."""
    possible = splits_in_two(method) and isinstance(sampler, EpisodeSampler)
    if embed_once is not False and possible:
        images_needed = n_episodes * sampler.n_way * (sampler.k_shot + sampler.n_query)
        worth_it = embed_once or images_needed > len(sampler.classes.images)
        if worth_it and embeds_images_alone(method, sampler.classes):
            return sampler.restarted(embed_classes(method, sampler.classes)), method.classify
    if embed_once:
        raise ValueError(f"{type(method).__name__} does not embed each image by itself: embed_once must be False")
    return None


def _mixes_tasks(method: nn.Module, sampler: Any) -> bool:
    """Whether several episodes at a time would share batch statistics, so that their number changed the result."""
    if not splits_in_two(method) or not isinstance(sampler, EpisodeSampler) or tasks_that_fit(sampler, method) == 1:
        return False
    return not embeds_images_alone(method, sampler.classes)


def tasks_that_fit(sampler: Any, method: nn.Module, numbers: int = 2_500_000) -> int:
    """How many tasks to take at once, so that queries × classes × features stay below `numbers`.

    One at a time where a CPU has to embed them, since larger batches leave its cache and run at half the speed. On a
    GPU, tasks that are adapted to together hold at most 2,000 images.

    Args:
        sampler: where the tasks come from.
        method: who answers them.
        numbers: how many may be in memory at once.

    Example:
        >>> from fslbook.data import ImageClasses
        >>> features = ImageClasses(torch.rand(16, 64), torch.tensor([8, 8]), ("a", "b"))
        >>> sampler = EpisodeSampler(features, n_way=2, k_shot=1, n_query=5)  # 10 queries × 2 classes × 64 features
        >>> tasks_that_fit(sampler, nn.Flatten(), numbers=12_800)
        10
    """
    if not hasattr(sampler, "classes"):
        return 500
    images = sampler.classes.images
    if images.dtype == torch.uint8 and images.device.type == "cpu":
        return 1
    features = images[0].numel()
    n_support, n_queries = sampler.n_way * sampler.k_shot, sampler.n_way * sampler.n_query
    if images.device.type != "cpu" and any(getattr(part, "adapts", False) for part in method.modules()):
        return max(1, 2000 // (n_support + n_queries))
    return max(1, min(500, numbers // (n_queries * n_support * features)))
