"""The contract of all methods: an episode goes in, query logits come out."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_module
from fslbook.networks.statistics import normalises_by_batch
from fslbook.tasks.episode import Episode


class FewShotMethod(nn.Module):
    """Base of all methods. A subclass says how an episode becomes logits.

    `method(episode)` gives logits [B, Q, N], larger = more likely, and never looks at the query labels.
    `method.loss(episode)` gives the scalar that meta-training minimises.

    Example:
        >>> import torch
        >>> class Guess(FewShotMethod):
        ...     def forward(self, episode):
        ...         return torch.zeros(*episode.query_x.shape[:2], episode.n_way)
        >>> x, y = torch.rand(1, 2, 3), torch.tensor([[0, 1]])
        >>> round(Guess().loss(Episode(x, y, x, y, n_way=2)).item(), 3)  # log 2 nats
        0.693
    """

    adapts: bool = False
    """Whether it changes weights for each task by gradient steps, so that it differentiates inside its forward pass."""

    @property
    def queries_see_each_other(self) -> bool:
        """Whether, in evaluation mode, the answer to one query depends on the other queries (*transductive*).

        Read off the batch norms: those without running statistics normalise by the batch at hand.
        """
        return normalises_by_batch(self)

    def forward(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N] of the queries; the query labels play no part.

        Args:
            episode: B tasks of Q queries each.
        """
        raise NotImplementedError

    def one_at_a_time(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N] if each query came alone; `OneQueryAtATime` asks for them.

        Args:
            episode: B tasks of Q queries each.
        """
        return query_by_query(self, episode)

    def with_support(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N] if each query came in one batch with the support; `QueryWithSupport` asks for them.

        Args:
            episode: B tasks of Q queries each.
        """
        return query_by_query(self, episode)

    def loss(self, episode: Episode) -> Tensor:
        """Mean cross-entropy over all queries of all tasks, in nats; where targets are numbers, their squared error.

        Args:
            episode: B tasks of Q queries each, with query targets.

        Raises:
            ValueError: the episode has no query targets.
        """
        answers, targets = self(episode).flatten(0, 1), episode.targets.flatten(0, 1)  # [B*Q, N, ...], [B*Q, ...]
        return F.mse_loss(answers, targets) if targets.is_floating_point() else F.cross_entropy(answers, targets)


class EmbeddingMethod(FewShotMethod):
    """A method that embeds each image and then classifies by the embeddings alone.

    Splitting the two lets `evaluate` embed every image of a data set once.

    Args:
        encoder: images [M, C, H, W] to features [M, ...].

    Raises:
        TypeError: the encoder is no module.

    Example:
        >>> import torch
        >>> EmbeddingMethod(torch.nn.Flatten()).embed(torch.rand(2, 1, 3, 3)).shape
        torch.Size([2, 9])
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        check_module("encoder", encoder)
        self.encoder = encoder

    def embed(self, images: Tensor) -> Tensor:
        """Features [M, ...] of images [M, C, H, W], in float32 at least: distances need the precision.

        Args:
            images: float [M, C, H, W].

        Raises:
            ValueError: the encoder does not give one feature vector or map per image.
        """
        features = self.encoder(images)
        if not isinstance(features, Tensor) or features.shape[:1] != images.shape[:1]:
            given = [*features.shape] if isinstance(features, Tensor) else type(features).__name__
            raise ValueError(f"{type(self.encoder).__name__} must give features [{len(images)}, ...], got {given}")
        return features.to(torch.promote_types(features.dtype, torch.float32))

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] of an embedded episode.

        Args:
            embedded: an episode whose images have been replaced by their features, as `episode.map(self.embed)` does.
        """
        raise NotImplementedError

    def forward(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N]: embed support and query in one batch, then classify.

        Args:
            episode: B tasks of images.
        """
        check_episode(self, episode)
        embedded = episode.map(self.embed)
        with torch.autocast(embedded.query_x.device.type, enabled=False):
            return self.classify(embedded)


def check_episode(method: nn.Module, episode: object) -> None:
    """Refuse what is no episode, such as a batch of images.

    Args:
        method: that was asked, for the message.
        episode: what was given.

    Raises:
        TypeError: says both.

    Example:
        >>> check_episode(nn.Identity(), torch.zeros(2, 1, 28, 28))
        Traceback (most recent call last):
        TypeError: Identity takes an Episode, got Tensor; for images by themselves there is FewShotClassifier
    """
    if not isinstance(episode, Episode):
        name, given = type(method).__name__, type(episode).__name__
        raise TypeError(f"{name} takes an Episode, got {given}; for images by themselves there is FewShotClassifier")


def query_by_query(method: nn.Module, episode: Episode) -> Tensor:
    """Logits [B, Q, N] from B·Q calls with one task and one query each.

    Args:
        method: any module with `method(episode) -> logits`.
        episode: B tasks of Q queries each.

    Example:
        >>> class Centred(FewShotMethod):  # like a batch norm: the mean of the queries is taken away
        ...     def forward(self, episode):
        ...         return episode.query_x - episode.query_x.mean(dim=1, keepdim=True)
        >>> x, y = torch.tensor([[[4.0, 0.0], [2.0, 2.0]]]), torch.tensor([[0, 1]])
        >>> episode = Episode(x, y, x, y, n_way=2)
        >>> Centred()(episode).tolist(), query_by_query(Centred(), episode).tolist()
        ([[[1.0, -1.0], [-1.0, 1.0]]], [[[0.0, 0.0], [0.0, 0.0]]])
    """
    return torch.stack([_one_by_one(method, task) for task in episode.tasks()])


def _one_by_one(method: nn.Module, task: Episode) -> Tensor:
    queries = task.without_labels()
    if not task.query_x.shape[1]:
        return method(queries)[0]  # [0, N]
    alone = [method(replace(queries, query_x=x, check=False)) for x in task.query_x.split(1, dim=1)]  # [1, 1, N] each
    return torch.cat(alone, dim=1)[0]  # [Q, N]
