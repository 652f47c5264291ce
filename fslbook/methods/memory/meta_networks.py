"""Meta Networks: Munkhdalai and Yu (2017), a network that writes fast weights for another, on feature vectors.

The paper leaves much open. What is our choice: the networks work on feature vectors; the embedding's loss is the
cross-entropy of a linear head; the messages of the task are averaged, where the paper has an LSTM, so that the order of
the support images plays no part; nothing is differentiated through a message, so that the embedding's linear head stays
as it was drawn; keys pass a ReLU. A public program for the paper's experiments (chenyaxian/metanet) has this loss and
these messages too, but the LSTM, no ReLU behind the keys, and fast weights for its convolutions.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, einsum, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_whole_number
from fslbook.methods.base import EmbeddingMethod
from fslbook.networks.fast_weights import WeightWriter, augmented
from fslbook.tasks.episode import Episode

PARTS = ("task weights", "example weights", "slow weights", "attention", "augmentation", "preprocessing")
"""What can be taken out of a Meta Network, by name."""


class MetaNetwork(EmbeddingMethod):
    """Read each support example's loss gradients, write fast weights, look them up for each query.

    Two small networks share the work. The *embedding*, one layer, gives the keys by which the memory is read; its fast
    weights belong to the task. The *base learner*, two layers, gives the logits; its fast weights belong to one support
    example, lie in the memory, and are mixed anew for each query. Each query is answered alone.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        n_features: length D of a feature vector.
        n_way: number of classes N of every task: the base learner's last layer has as many rows.
        hidden: width of both networks' hidden layer.
        without: names of `PARTS` to take out. Without "attention" all examples weigh the same; without
            "augmentation" the branches are added before their ReLU, as if the weights were added. A network that
            then has no say in the answers is frozen.

    Raises:
        TypeError: the encoder is no module, or `without` holds no names.
        ValueError: a size is too small, a part is unknown, or neither slow weights nor example weights are left.

    Example:
        >>> x, y = torch.rand(1, 2, 4), torch.tensor([[0, 1]])
        >>> MetaNetwork(nn.Identity(), n_features=4, n_way=2)(Episode(x, y, x, None, n_way=2)).shape
        torch.Size([1, 2, 2])
    """

    def __init__(
        self, encoder: nn.Module, n_features: int = 64, n_way: int = 5, hidden: int = 64, without: Collection[str] = ()
    ) -> None:
        super().__init__(encoder)
        self.n_features = check_whole_number("n_features", n_features, least=1)
        self.n_way = check_whole_number("n_way", n_way, least=2)
        hidden = check_whole_number("hidden", hidden, least=1)
        self.without = _known_parts(without)
        self.norm = nn.LayerNorm(n_features, elementwise_affine=False)
        self.embedding, self.embedding_head = nn.Linear(n_features, hidden), nn.Linear(hidden, n_way)
        self.first, self.last = nn.Linear(n_features, hidden), nn.Linear(hidden, n_way)
        preprocess = "preprocessing" not in self.without
        self.write_embedding, self.write_first, self.write_last = (
            WeightWriter(preprocess=preprocess) for _ in range(3)
        )
        for network in self._silent():  # processes of a team wait for the gradients of all that can be trained
            network.requires_grad_(False)

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N].

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].

        Raises:
            ValueError: the task has another number of classes, or the features another length.
        """
        support, query = self._vectors(embedded)  # [B, S, D], [B, Q, D]
        fast_first, fast_last = self.memory(support, embedded.support_y)  # [B, S, H, D], [B, S, N, H]
        attention = self.attention(support, embedded.support_y, query)  # [B, Q, S]
        by_memory = einsum("bqs,bshd,bqd->bqh", attention, fast_first, query)
        h = self._both(self.first(query), by_memory)  # [B, Q, H]
        by_memory = einsum("bqs,bsnh,bqh->bqn", attention, fast_last, h)
        return by_memory if "slow weights" in self.without else self.last(h) + by_memory

    def memory(self, support: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Fast weights of the base learner for each support example, [B, S, H, D] and [B, S, N, H].

        Args:
            support: normalised features [B, S, D].
            labels: int64 [B, S].
        """
        of_first, of_last = layer_gradients(support, labels, self.first, self.last)
        if "example weights" in self.without:
            return torch.zeros_like(of_first), torch.zeros_like(of_last)
        return self.write_first(of_first), self.write_last(of_last)

    def attention(self, support: Tensor, labels: Tensor, query: Tensor) -> Tensor:
        """How much each query reads of each example's weights [B, Q, S]: a softmax over cosines of embeddings.

        Args:
            support: normalised features [B, S, D].
            labels: int64 [B, S].
            query: normalised features [B, Q, D].
        """
        if "attention" in self.without:
            return query.new_full((*query.shape[:2], support.shape[1]), 1 / support.shape[1])
        fast = self.task_weights(support, labels)  # [B, H, D]
        keys, asked = (F.normalize(self._embedded(x, fast), dim=-1) for x in (support, query))
        return (asked @ keys.mT).softmax(dim=-1)

    def task_weights(self, support: Tensor, labels: Tensor) -> Tensor:
        """Fast weights of the embedding [B, H, D]: one for the task, the mean of what its examples give.

        Args:
            support: normalised features [B, S, D].
            labels: int64 [B, S].
        """
        gradients, _ = layer_gradients(support, labels, self.embedding, self.embedding_head)  # [B, S, H, D]
        return self.write_embedding(gradients).mean(dim=1)

    def _silent(self) -> list[nn.Module]:
        """The networks that no answer depends on but through messages, which nothing is differentiated through."""
        silent: list[nn.Module] = [self.embedding_head]
        if "example weights" in self.without:
            silent += [self.write_first, self.write_last]
        if "slow weights" in self.without:
            silent += [self.first, self.last]
        no_keys = not self.without.isdisjoint(("attention", "example weights"))  # nothing is looked up
        if no_keys or "task weights" in self.without:
            silent.append(self.write_embedding)
        if no_keys or ("slow weights" in self.without and "task weights" not in self.without):
            silent.append(self.embedding)
        return silent

    def _embedded(self, x: Tensor, fast: Tensor) -> Tensor:
        slow = self.embedding(x)  # [B, M, H]
        return slow.relu() if "task weights" in self.without else self._both(slow, x @ fast.mT)

    def _both(self, slow: Tensor, fast: Tensor) -> Tensor:
        if "slow weights" in self.without:
            return fast.relu()
        return (slow + fast).relu() if "augmentation" in self.without else augmented(slow, fast)

    def _vectors(self, embedded: Episode) -> tuple[Tensor, Tensor]:
        support, query = embedded.support_x.flatten(2), embedded.query_x.flatten(2)  # [B, S, D], [B, Q, D]
        if embedded.n_way != self.n_way:
            raise ValueError(f"this MetaNetwork knows {self.n_way}-way tasks, got {embedded.n_way}-way; say n_way=...")
        if support.shape[-1] != self.n_features:
            raise ValueError(f"features of length {support.shape[-1]}, not {self.n_features}; say n_features=...")
        return self.norm(support), self.norm(query)


def layer_gradients(x: Tensor, labels: Tensor, first: nn.Linear, last: nn.Linear) -> tuple[Tensor, Tensor]:
    """Each example's gradients of its own cross-entropy in a network linear, ReLU, linear.

    Written out, ∂L/∂W₂ = (p - y) hᵀ and ∂L/∂W₁ = (W₂ᵀ(p - y) · [h > 0]) xᵀ, which gives all examples at once.

    Args:
        x: [B, S, D].
        labels: int64 [B, S].
        first: D to H.
        last: H to N.

    Returns:
        By the weights of `first` [B, S, H, D] and of `last` [B, S, N, H].

    Raises:
        ValueError: examples and labels do not fit.

    Example:
        >>> x, labels = torch.rand(1, 5, 3), torch.zeros(1, 5).long()
        >>> first, last = layer_gradients(x, labels, nn.Linear(3, 4), nn.Linear(4, 2))
        >>> first.shape, last.shape
        (torch.Size([1, 5, 4, 3]), torch.Size([1, 5, 2, 4]))
    """
    if x.ndim != 3 or labels.shape != x.shape[:2]:
        raise ValueError(f"examples [B, S, D] need labels [B, S], got {[*x.shape]} and {[*labels.shape]}")
    h = first(x).relu()  # [B, S, H]
    p = last(h).softmax(dim=-1)
    error = p - F.one_hot(labels, p.shape[-1])  # [B, S, N]
    back = (error @ last.weight) * (h > 0)  # [B, S, H]
    return back[..., None] * x[:, :, None], error[..., None] * h[:, :, None]


def _known_parts(without: Collection[str]) -> frozenset[str]:
    if not isinstance(without, Collection) or not all(isinstance(name, str) for name in without):
        raise TypeError(f"without must hold names of parts, got {without!r}")
    names = {without} if isinstance(without, str) else {*without}
    if unknown := sorted(names - {*PARTS}):
        raise ValueError(f"no part of a Meta Network: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if {"slow weights", "example weights"} <= names:
        raise ValueError("without slow and example weights nothing is left to answer with; take out one of them")
    return frozenset(names)
