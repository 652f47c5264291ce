"""A hypernetwork writes the last layer: the weights of each class are computed from that class's support images.

Ha, Dai and Le (2017), "HyperNetworks", gave the name. Here the network that writes reads a class mean.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fslbook.common.arguments import check_whole_number
from fslbook.methods.base import EmbeddingMethod
from fslbook.methods.metric.prototypical import prototypes
from fslbook.tasks.episode import Episode


class HyperNetwork(EmbeddingMethod):
    """Class mean in, weights and bias of that class out: logits = w(c_n)ᵀx + b(c_n).

    The same network serves every class, so that the order of the classes plays no part.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        n_features: length D of a feature vector.
        hidden: width of the hidden layer of the network that writes.
        constant: the ablation. The network reads one learned vector in place of every class mean, so what it writes
            cannot depend on the task: all classes get the same logit, and the answer is a guess.

    Raises:
        TypeError: the encoder is no module.
        ValueError: a size is below 1.

    Example:
        >>> x, y = torch.rand(1, 2, 4), torch.tensor([[0, 1]])
        >>> HyperNetwork(nn.Identity(), n_features=4)(Episode(x, y, x, None, n_way=2)).shape
        torch.Size([1, 2, 2])
    """

    def __init__(self, encoder: nn.Module, n_features: int = 64, hidden: int = 128, *, constant: bool = False) -> None:
        super().__init__(encoder)
        self.n_features = check_whole_number("n_features", n_features, least=1)
        hidden = check_whole_number("hidden", hidden, least=1)
        self.norm = nn.LayerNorm(n_features, elementwise_affine=False)
        self.write = nn.Sequential(nn.Linear(n_features, hidden), nn.ReLU(), nn.Linear(hidden, n_features + 1))
        self.always = nn.Parameter(torch.zeros(n_features)) if constant else None

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N].

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].

        Raises:
            ValueError: the features have another length.
        """
        support, query = embedded.support_x.flatten(2), embedded.query_x.flatten(2)  # [B, S, D], [B, Q, D]
        if support.shape[-1] != self.n_features:
            raise ValueError(f"features of length {support.shape[-1]}, not {self.n_features}; say n_features=...")
        means = prototypes(self.norm(support), embedded.support_y, embedded.n_way)  # [B, N, D]
        read = means if self.always is None else self.always.expand_as(means)
        weights, bias = self.write(read).split([self.n_features, 1], dim=-1)  # [B, N, D], [B, N, 1]
        return self.norm(query) @ weights.mT / self.n_features**0.5 + bias.mT
