"""Accuracy over many episodes, with its 95 % confidence interval (chapter 2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from fslbook.common.arguments import check_same_device, check_whole_number
from fslbook.data.image_classes import ImageClasses, to_unit_range
from fslbook.methods.base import EmbeddingMethod
from fslbook.methods.optimisation.adaptation import AdaptingMethod
from fslbook.tasks.episode import Episode
from fslbook.tasks.sampler import EpisodeSampler


@dataclass(frozen=True)
class Evaluation:
    """Accuracy of one method on each of E episodes, or the paired difference between two methods.

    Args:
        per_episode: float64 [E], in 0..1 (differences: -1..1).
        episodes: says which episodes these were; only equal ones can be compared in pairs.
    """

    per_episode: Tensor
    episodes: str

    @property
    def mean(self) -> float:
        """Mean over the episodes."""
        return float(self.per_episode.mean())

    @property
    def ci95(self) -> float:
        """Half width of the 95 % confidence interval of the mean: 1.96·s/√E, s the sample standard deviation."""
        return 1.96 * float(self.per_episode.std(correction=1)) / math.sqrt(len(self.per_episode))

    def __str__(self) -> str:
        return f"{100 * self.mean:.2f} % ± {100 * self.ci95:.2f} ({len(self.per_episode):,} episodes)"

    def __sub__(self, other: Evaluation) -> Evaluation:
        """Paired difference, episode by episode; its interval is usually far narrower than either interval.

        Raises:
            ValueError: the two were not measured on the same episodes.
        """
        if self.episodes != other.episodes or len(self.per_episode) != len(other.per_episode):
            raise ValueError(
                "a paired difference needs the same episodes; "
                f"got {len(self.per_episode)} of ({self.episodes}) and {len(other.per_episode)} of ({other.episodes})"
            )
        return replace(self, per_episode=self.per_episode - other.per_episode)


@torch.no_grad()
def evaluate(
    method: nn.Module,
    sampler: EpisodeSampler,
    n_episodes: int = 600,
    *,
    embed_once: bool | None = None,
    batch_size: int | None = None,
    progress: bool = False,
) -> Evaluation:
    """Accuracy of `method` in evaluation mode on the first `n_episodes` episodes of `sampler`.

    The sampler itself is left untouched: each call starts from its seed, so that every method meets the same
    episodes.

    Args:
        method: any module with `method(episode) -> logits [B, Q, N]`.
        sampler: where the episodes come from, on the device of the method.
        n_episodes: at least 2, since one episode has no spread.
        embed_once: embed each image of the data set once, then only index. None does so where the method
            embeds each image by itself and it saves work; False never does; True insists.
        batch_size: episodes at a time; None chooses by memory, and 1 where the method mixes the images of a batch.
        progress: show a progress bar.

    Raises:
        ValueError: fewer than 2 episodes, a batch size below 1, method and images on different devices, or
            `embed_once=True` for a method that looks at several images at once.
    """
    check_whole_number("n_episodes", n_episodes, least=2)
    if batch_size is not None:
        check_whole_number("batch_size", batch_size, least=1)
    check_same_device(method, sampler.device)
    episodes = sampler.restarted()
    classify: Callable[[Episode], Tensor] = method
    with evaluation_mode(method):
        if isinstance(method, EmbeddingMethod) and _should_embed_once(method, sampler, n_episodes, embed_once):
            episodes, classify = sampler.restarted(embed_classes(method, sampler.classes)), method.classify
        elif embed_once:
            raise ValueError(f"{type(method).__name__} does not embed each image by itself: embed_once must be False")
        size = batch_size or (
            1 if classify is method and _mixes_tasks(method, episodes) else _episodes_that_fit(episodes, method)
        )
        starts = tqdm(range(0, n_episodes, size), disable=not progress, desc="evaluate")
        scores = [_accuracies(classify, episodes.sample(min(size, n_episodes - start))) for start in starts]
    return Evaluation(torch.cat(scores), str(sampler))


@torch.no_grad()
def embed_classes(method: EmbeddingMethod, classes: ImageClasses) -> ImageClasses:
    """The same classes with every image replaced by its features [M, ...]; in the mode that `method` is in."""
    # Small batches stay in a CPU's cache, large ones keep a GPU busy.
    batch_size = 80 if classes.images.device.type == "cpu" else 2048
    features = [method.embed(to_unit_range(images)) for images in classes.images.split(batch_size)]
    return replace(classes, images=torch.cat(features))


@contextmanager
def evaluation_mode(method: nn.Module) -> Iterator[None]:
    """Put `method` into evaluation mode, and every part of it back as it was afterwards."""
    modes = [(module, module.training) for module in method.modules()]
    method.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _accuracies(classify: Callable[[Episode], Tensor], episode: Episode) -> Tensor:
    """Share of correct queries in each task, float64 [B]."""
    right = classify(episode).argmax(dim=-1) == episode.query_y  # [B, Q]
    return right.double().mean(dim=1).cpu()


def _should_embed_once(
    method: EmbeddingMethod, sampler: EpisodeSampler, n_episodes: int, embed_once: bool | None
) -> bool:
    if embed_once is False:
        return False
    images_needed = n_episodes * sampler.n_way * (sampler.k_shot + sampler.n_query)
    worth_it = embed_once or images_needed > len(sampler.classes.images)
    return worth_it and _embeds_images_alone(method, sampler.classes)


def _embeds_images_alone(method: EmbeddingMethod, classes: ImageClasses) -> bool:
    """Try it: an image must have the same features in any company (batch statistics break this)."""
    images = to_unit_range(classes.images[:8])
    together = method.embed(images)
    # Halves, not single images: some batch norms refuse a batch of one.
    in_halves = torch.cat([method.embed(half) for half in images.chunk(2)])
    return torch.allclose(together, in_halves, rtol=1e-3, atol=1e-4 * float(together.abs().max()))


def _mixes_tasks(method: nn.Module, episodes: EpisodeSampler) -> bool:
    """Whether several episodes at a time would share batch statistics, so that their number changed the result."""
    if not isinstance(method, EmbeddingMethod) or _episodes_that_fit(episodes, method) == 1:
        return False
    return not _embeds_images_alone(method, episodes.classes)


def _episodes_that_fit(sampler: EpisodeSampler, method: nn.Module, numbers: int = 2_500_000) -> int:
    """How many episodes to take at once, so that queries × classes × features stay below `numbers`.

    One at a time where a CPU has to embed them, since larger batches leave its cache and run at half the speed. On a
    GPU, tasks that are adapted to together hold at most 2,000 images.
    """
    images = sampler.classes.images
    if images.dtype == torch.uint8 and images.device.type == "cpu":
        return 1
    features = images[0].numel()
    n_support, n_queries = sampler.n_way * sampler.k_shot, sampler.n_way * sampler.n_query
    if images.device.type != "cpu" and any(isinstance(part, AdaptingMethod) for part in method.modules()):
        return max(1, 2000 // (n_support + n_queries))
    return max(1, min(500, numbers // (n_queries * n_support * features)))
