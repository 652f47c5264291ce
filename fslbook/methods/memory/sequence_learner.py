"""A recurrent network as a few-shot learner: it reads images and labels one after the other (chapter 15).

Santoro et al. (2016), "Meta-Learning with Memory-Augmented Neural Networks", section 2: at step t it gets image x_t and
the label y_{t-1} of the image before, so it must bind the two and keep them until the class comes again.
"""

from __future__ import annotations

from random import Random
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_module, check_whole_number
from fslbook.methods.base import EmbeddingMethod
from fslbook.networks.readers import State
from fslbook.tasks.episode import Episode
from fslbook.tasks.sequences import LabelledSequence


def reading_order(n_support: int) -> list[int]:
    """The order in which a support set is read: 0..S-1, shuffled, and the same each time.

    Args:
        n_support: number of support images S.

    Raises:
        ValueError: no whole number, or below 0.

    Example:
        >>> sorted(reading_order(4))
        [0, 1, 2, 3]
    """
    n_support = check_whole_number("n_support", n_support, least=0)
    return Random(0).sample(range(n_support), n_support)


class SequenceLearner(EmbeddingMethod):
    """Reads features and labels one step late, and guesses the label of each image before it is told.

    Nothing is fitted to a new task: what the reader has seen is in its state. An episode is read as its support images
    in a shuffled order, and then each query by itself, from the state after the support. The order is the same for all
    episodes of one size, so that an answer repeats; it is shuffled because episodes lie class by class, which a reader
    of shuffled sequences has never met. `fit` trains it on sequences (`SequenceSampler`) or on episodes.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; `torch.nn.Identity()` where the features are there already.
        reader: such as `MemoryReader(n_features + n_labels)`.
        n_labels: labels that the network has, at least 2; sequences and episodes may have fewer.

    Raises:
        TypeError: encoder or reader are no modules, or the reader does not read step by step.
        ValueError: fewer than two labels.

    Example:
        >>> from fslbook.networks.readers import LSTMReader
        >>> learner = SequenceLearner(nn.Identity(), LSTMReader(8 + 5), n_labels=5)
        >>> x, y = torch.rand(1, 5, 8), torch.arange(5)[None]
        >>> learner(Episode(x, y, x[:, :2], None, n_way=5)).shape
        torch.Size([1, 2, 5])
        >>> learner.answers(LabelledSequence(x, y, n_way=5)).shape
        torch.Size([1, 5, 5])
    """

    def __init__(self, encoder: nn.Module, reader: nn.Module, n_labels: int = 5) -> None:
        super().__init__(encoder)
        check_module("reader", reader)
        if not all(hasattr(reader, part) for part in ("n_inputs", "n_outputs", "start")):
            raise TypeError(f"reader must read step by step, as LSTMReader does, got {type(reader).__name__}")
        self.reader = cast(Any, reader)
        self.n_labels = check_whole_number("n_labels", n_labels, least=2)
        self.output = nn.Linear(self.reader.n_outputs, self.n_labels)

    def answers(self, sequence: LabelledSequence) -> Tensor:
        """Logits [B, T, N] of each image, from the images up to it and the labels of those before it.

        Args:
            sequence: B sequences of T images, or features.

        Raises:
            TypeError: it is no sequence.
            ValueError: more classes than the network has labels, or features of another length than the reader's.
        """
        if not isinstance(sequence, LabelledSequence):
            raise TypeError(f"{type(self).__name__} takes a LabelledSequence, got {type(sequence).__name__}")
        features = self.embed(sequence.x.flatten(0, 1)).flatten(1).unflatten(0, sequence.y.shape)  # [B, T, D]
        return self._read(features, sequence.y, sequence.n_way)[0]

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] of an embedded episode: each query is the step after the support.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].

        Raises:
            ValueError: more classes than the network has labels, or features of another length than the reader's.
        """
        support, labels = _shuffled(embedded.support_x.flatten(2)), _shuffled(embedded.support_y)  # [B, S, D], [B, S]
        _, state = self._read(support, labels, embedded.n_way)
        query = embedded.query_x.flatten(2)  # [B, Q, D]
        n_query = query.shape[1]
        last = self._one_hot(labels[:, -1], query).repeat_interleave(n_query, dim=0)  # [B*Q, L]
        copies = tuple(part.repeat_interleave(n_query, dim=0) for part in state)
        output, _ = self.reader(torch.cat([query.flatten(0, 1), last], dim=1), copies)  # [B*Q, n_outputs]
        return self.output(output)[:, : embedded.n_way].unflatten(0, query.shape[:2])

    def loss(self, batch: Episode | LabelledSequence) -> Tensor:
        """Mean cross-entropy, in nats: of all steps of sequences, or of the queries of episodes.

        Args:
            batch: B sequences, or B tasks with query labels.
        """
        if isinstance(batch, LabelledSequence):
            return F.cross_entropy(self.answers(batch).flatten(0, 1), batch.y.flatten())
        return super().loss(batch)

    def _read(self, features: Tensor, labels: Tensor, n_way: int) -> tuple[Tensor, State]:
        """Logits [B, T, N] at each step and the state after the last; a label is seen one step late."""
        if n_way > self.n_labels:
            raise ValueError(f"this network has {self.n_labels} labels, the task has {n_way} classes")
        length, n_inputs = features.shape[2], self.reader.n_inputs
        if length + self.n_labels != n_inputs:
            said = f"features of {length} and {self.n_labels} labels"
            raise ValueError(f"{said} do not fit a reader of {n_inputs} inputs")
        late = F.pad(self._one_hot(labels, features)[:, :-1], (0, 0, 1, 0))  # [B, T, L], zeros at the first step
        state, outputs = self.reader.start(len(features), features), []
        for inputs in torch.cat([features, late], dim=2).unbind(dim=1):  # [B, D + L]
            output, state = self.reader(inputs, state)
            outputs.append(output)
        return self.output(torch.stack(outputs, dim=1))[..., :n_way], state

    def _one_hot(self, labels: Tensor, like: Tensor) -> Tensor:
        return F.one_hot(labels, self.n_labels).to(like.dtype)


def _shuffled(support: Tensor) -> Tensor:
    """[B, S, ...] in reading order; picked one by one, for an index tensor would have to travel to the device."""
    parts = support.unbind(dim=1)
    return torch.stack([parts[image] for image in reading_order(len(parts))], dim=1)
