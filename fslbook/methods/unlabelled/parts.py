"""What the methods of chapter 13 take of an episode, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from fslbook.common.arguments import check_module, readable
from fslbook.methods.base import EmbeddingMethod
from fslbook.tasks.episode import Episode


def three_parts(method: nn.Module, embedded: Episode) -> tuple[Tensor, Tensor, Tensor]:
    """Support [B, S, D], queries [B, Q, D] and unlabelled features [B, U, D] of an embedded episode.

    Args:
        method: that asks, for the message.
        embedded: an episode of features, with unlabelled ones.

    Raises:
        ValueError: there is no unlabelled image, there are fewer than two classes, or a feature is not finite.

    Example:
        >>> import torch
        >>> x, y = torch.rand(1, 2, 3), torch.tensor([[0, 1]])
        >>> three_parts(nn.Identity(), Episode(x, y, x, None, n_way=2))
        Traceback (most recent call last):
        ValueError: Identity needs unlabelled images, the episode has none: draw it with UnlabelledSampler, or ask \
Transductive(method)
    """
    name, unlabelled = type(method).__name__, embedded.unlabelled_x
    if unlabelled is None or not unlabelled.shape[1]:
        raise ValueError(
            f"{name} needs unlabelled images, the episode has none: draw it with UnlabelledSampler, "
            "or ask Transductive(method)"
        )
    parts = (embedded.support_x.flatten(2), embedded.query_x.flatten(2), unlabelled.flatten(2))
    check_task(method, embedded.n_way, *parts)
    return parts


def check_task(method: nn.Module, n_way: int, *parts: Tensor) -> None:
    """Refuse a task of one class, and features that are not finite.

    Args:
        method: that asks, for the message.
        n_way: number of classes.
        *parts: features, any shapes [..., D].

    Raises:
        ValueError: says which.

    Example:
        >>> import torch
        >>> check_task(nn.Identity(), 1, torch.zeros(1, 2, 3))
        Traceback (most recent call last):
        ValueError: Identity needs at least 2 classes, the episode has 1
    """
    name = type(method).__name__
    if n_way < 2:
        raise ValueError(f"{name} needs at least 2 classes, the episode has {n_way}")
    if any(readable(x) and not x.isfinite().all() for x in parts):
        raise ValueError(f"{name} got features that are not finite (NaN or infinity)")


class Transductive(EmbeddingMethod):
    """Gives the queries to a method as its unlabelled images: from semi-supervised to transductive.

    Unlabelled images that the episode has besides are not used.

    Args:
        method: with `encoder` and `classify`, that uses `unlabelled_x`.

    Raises:
        TypeError: the method is no module, or does not embed first and classify then.

    Example:
        >>> import torch
        >>> from fslbook.methods.unlabelled.soft_k_means import SoftKMeans
        >>> x, y = torch.tensor([[[0.0], [4.0]]]), torch.tensor([[0, 1]])
        >>> query = torch.tensor([[[1.0], [1.9], [3.0]]])
        >>> Transductive(SoftKMeans(nn.Identity()))(Episode(x, y, query, None, n_way=2)).argmax(dim=-1)
        tensor([[0, 0, 1]])
    """

    def __init__(self, method: EmbeddingMethod) -> None:
        check_module("method", method)
        if not isinstance(method, EmbeddingMethod):
            raise TypeError(f"method must embed and then classify, as SoftKMeans does, got {type(method).__name__}")
        super().__init__(method.encoder)
        self.method = method

    @property
    def queries_see_each_other(self) -> bool:
        """True: that is its purpose."""
        return True

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] of the method, which takes the queries for its unlabelled images.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].
        """
        return self.method.classify(replace(embedded, unlabelled_x=embedded.query_x, check=False))
