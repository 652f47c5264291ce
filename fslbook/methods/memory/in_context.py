"""Learning in context: a transformer reads the support as pairs of image and label, and answers (chapter 18).

Nothing is fitted to a new task: the forward pass is the learner. Chan et al. (2022) train such networks on sequences of
Omniglot images with the images and labels as tokens in turn; here a pair is one token, which learns in seconds.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_whole_number
from fslbook.methods.base import EmbeddingMethod
from fslbook.networks.attention import PairTransformer
from fslbook.tasks.episode import Episode


class InContextLearner(EmbeddingMethod):
    """A transformer over the pairs (features, label) of the support; each query is asked alone.

    The order of the support images changes nothing. Which class has which label must change from episode to episode in
    training, as `EpisodeSampler` has it, or the network learns the labels by heart.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; `torch.nn.Identity()` where the features are there already.
        n_features: length D of the features.
        n_labels: the largest number of classes in an episode, at least 2.
        width: length of a token inside the transformer.
        n_heads: heads of each layer; they divide `width`.
        n_layers: layers, at least 1.

    Raises:
        TypeError: the encoder is no module.
        ValueError: a number is too small, or the heads do not divide the width.

    Example:
        >>> import torch
        >>> x, y = torch.rand(1, 5, 8), torch.arange(5)[None]
        >>> InContextLearner(nn.Identity(), n_features=8)(Episode(x, y, x[:, :2], None, n_way=5)).shape
        torch.Size([1, 2, 5])
    """

    def __init__(
        self,
        encoder: nn.Module,
        n_features: int = 64,
        n_labels: int = 5,
        width: int = 64,
        n_heads: int = 4,
        n_layers: int = 2,
    ) -> None:
        super().__init__(encoder)
        check_whole_number("n_labels", n_labels, least=2)
        self.transformer = PairTransformer(n_features, n_labels, width, n_heads, n_layers)

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] of an embedded episode.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...] with at most `n_labels` classes.

        Raises:
            ValueError: there are more classes than labels, or the features are not `n_features` long.
        """
        n_labels = self.transformer.n_labels
        if embedded.n_way > n_labels:
            raise ValueError(f"this network has {n_labels} labels, the episode has {embedded.n_way} classes")
        support, query = embedded.support_x.flatten(2), embedded.query_x.flatten(2)  # [B, S, D], [B, Q, D]
        labels = F.one_hot(embedded.support_y, n_labels).to(support.dtype)  # [B, S, L]
        return self.transformer(support, labels, query)[..., : embedded.n_way]
