"""The contract of all methods: an episode goes in, query logits come out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.networks.statistics import normalises_by_batch
from fslbook.tasks.episode import Episode


class FewShotMethod(nn.Module):
    """Base of all methods. A subclass says how an episode becomes logits.

    `method(episode)` gives logits [B, Q, N], larger = more likely, and never looks at the query labels.
    `method.loss(episode)` gives the scalar that meta-training minimises.
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
        """Logits [B, Q, N] of the queries."""
        raise NotImplementedError

    def loss(self, episode: Episode) -> Tensor:
        """Mean cross-entropy over all queries of all tasks (in nats); where targets are numbers, the squared error."""
        answers, targets = self(episode).flatten(0, 1), episode.targets.flatten(0, 1)  # [B*Q, N, ...], [B*Q, ...]
        return F.mse_loss(answers, targets) if targets.is_floating_point() else F.cross_entropy(answers, targets)


class EmbeddingMethod(FewShotMethod):
    """A method that embeds each image and then classifies by the embeddings alone.

    Splitting the two lets `evaluate` embed every image of a data set once.

    Args:
        encoder: images [M, C, H, W] to features [M, ...].
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def embed(self, images: Tensor) -> Tensor:
        """Features [M, ...] of images [M, C, H, W], in float32 at least: distances need the precision."""
        features = self.encoder(images)
        return features.to(torch.promote_types(features.dtype, torch.float32))

    def classify(self, features: Episode) -> Tensor:
        """Logits [B, Q, N] from an episode whose images have been replaced by their features."""
        raise NotImplementedError

    def forward(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N]: embed support and query in one batch, then classify."""
        features = episode.map(self.embed)
        with torch.autocast(features.query_x.device.type, enabled=False):
            return self.classify(features)
