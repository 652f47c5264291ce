"""What the tests of the metric methods share: the methods over bare features, and loops in NumPy."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import nn

from fslbook import Episode, NearestNeighbour, PrototypicalNetwork
from fslbook.methods import (
    EmbeddingMethod,
    MatchingNetwork,
    SiameseNetwork,
)

DISTANCE_METHODS = [PrototypicalNetwork, NearestNeighbour]
METHODS = [*DISTANCE_METHODS, MatchingNetwork, SiameseNetwork]


def on_features(method: type[EmbeddingMethod]) -> EmbeddingMethod:
    """The method with an encoder that leaves feature vectors as they are."""
    return method(nn.Identity())


def loop_prototypes(support_x: np.ndarray, support_y: np.ndarray, n_way: int) -> np.ndarray:
    centres = np.zeros((len(support_x), n_way, support_x.shape[-1]))
    for task in range(len(support_x)):
        for label in range(n_way):
            members = [x for x, y in zip(support_x[task], support_y[task], strict=True) if y == label]
            centres[task, label] = sum(members) / len(members)
    return centres


def loop_prototype_logits(episode: Episode) -> np.ndarray:
    centres = loop_prototypes(episode.support_x.numpy(), episode.support_y.numpy(), episode.n_way)
    queries = episode.query_x.numpy()
    logits = np.zeros((*queries.shape[:2], episode.n_way))
    for task, query, label in np.ndindex(*logits.shape):
        logits[task, query, label] = -sum(
            (a - b) ** 2 for a, b in zip(queries[task, query], centres[task, label], strict=True)
        )
    return logits


def loop_neighbour_logits(episode: Episode, eps: float = 0.0) -> np.ndarray:
    support, labels, queries = episode.support_x.numpy(), episode.support_y.numpy(), episode.query_x.numpy()
    logits = np.full((*queries.shape[:2], episode.n_way), -np.inf)
    for task, query in np.ndindex(*logits.shape[:2]):
        for x, y in zip(support[task], labels[task], strict=True):
            distance = np.sqrt(np.sum((queries[task, query] - x) ** 2) + eps)
            logits[task, query, y] = max(logits[task, query, y], -distance)
    return logits


def loop_matching_logits(episode: Episode) -> np.ndarray:
    """The logarithm of the attention's numerator, summed over the support images of each class."""
    support, labels, queries = episode.support_x.numpy(), episode.support_y.numpy(), episode.query_x.numpy()
    sums = np.zeros((*queries.shape[:2], episode.n_way))
    for task, query in np.ndindex(*sums.shape[:2]):
        q = queries[task, query]
        for x, y in zip(support[task], labels[task], strict=True):
            cosine = np.dot(q, x) / (np.sqrt(np.dot(q, q)) * np.sqrt(np.dot(x, x)))
            sums[task, query, y] += np.exp(MatchingNetwork(nn.Identity()).scale * cosine)
    return np.log(sums)


ORACLES = [
    (PrototypicalNetwork, loop_prototype_logits),
    (NearestNeighbour, loop_neighbour_logits),
    (SiameseNetwork, partial(loop_neighbour_logits, eps=1e-12)),  # as `pair_distances` has it
    (MatchingNetwork, loop_matching_logits),
]
