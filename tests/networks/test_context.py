"""Full context embeddings against a loop in NumPy, and their one surprising property: order matters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import assert_close, feature_episode
from torch import nn

from fslbook import Episode, MatchingNetwork
from fslbook.networks import FullContextEmbedding


def context(steps: int = 3) -> FullContextEmbedding:
    torch.manual_seed(0)
    return FullContextEmbedding(n_features=5, steps=steps).double()


def weights(module: nn.Module, suffix: str = "") -> list[np.ndarray]:
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return [dict(module.named_parameters())[name + suffix].detach().numpy() for name in names]


def lstm(x: np.ndarray, h: np.ndarray, c: np.ndarray, parameters: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """One step of an LSTM on vectors, gates in PyTorch's order: input, forget, cell, output."""
    w_x, w_h, b_x, b_h = parameters
    i, f, g, o = np.split(w_x @ x + b_x + w_h @ h + b_h, 4)
    sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def run(sequence: np.ndarray, parameters: list[np.ndarray]) -> np.ndarray:
    h = c = np.zeros(sequence.shape[1])
    outputs = []
    for x in sequence:
        h, c = lstm(x, h, c, parameters)
        outputs.append(h)
    return np.array(outputs)


def loop_support(module: FullContextEmbedding, support: np.ndarray) -> np.ndarray:
    forwards = run(support, weights(module.support_lstm, "_l0"))
    backwards = run(support[::-1], weights(module.support_lstm, "_l0_reverse"))[::-1]
    return forwards + backwards + support


def loop_query(module: FullContextEmbedding, query: np.ndarray, g: np.ndarray) -> np.ndarray:
    h, c = np.zeros_like(query), np.zeros_like(query)
    for _ in range(module.steps):
        attention = np.exp(g @ h) / np.exp(g @ h).sum()
        read_out = sum(a * g_i for a, g_i in zip(attention, g, strict=True))
        hat_h, c = lstm(np.concatenate([query, read_out]), h, c, weights(module.query_lstm))
        h = hat_h + query
    return h


@pytest.mark.parametrize("steps", [1, 4])
def test_embeddings_equal_a_loop(steps: int) -> None:
    module, episode = context(steps), feature_episode((2, 1, 3), n_query=3, features=5)
    support, queries = module(episode.support_x, episode.query_x)
    for task in range(episode.batch_size):
        g = loop_support(module, episode.support_x[task].numpy())
        assert_close(support[task], g)
        f = [loop_query(module, query.numpy(), g) for query in episode.query_x[task]]
        assert_close(queries[task], np.array(f))


def matching(scale: float = 5.0) -> MatchingNetwork:
    return MatchingNetwork(nn.Identity(), scale, context())


def test_attention_is_computed_from_the_context_embeddings() -> None:
    episode, network = feature_episode((2, 1, 3), features=5), matching()
    plain = MatchingNetwork(nn.Identity(), 5.0)
    support, query = context()(episode.support_x, episode.query_x)
    assert_close(network(episode), plain(replace(episode, support_x=support, query_x=query)))
    assert not torch.allclose(network(episode), plain(episode))
    assert_close(network.attention(episode).sum(-1), torch.ones(2, 4))


def test_the_order_of_the_support_changes_the_answer() -> None:
    """What no other method of the book does; without the context the same shuffle changes nothing."""
    episode = feature_episode((2, 1, 3), features=5)
    order = torch.tensor([5, 2, 0, 1, 4, 3])
    shuffled = Episode(
        episode.support_x[:, order], episode.support_y[:, order], episode.query_x, episode.query_y, episode.n_way
    )
    plain = MatchingNetwork(nn.Identity(), 5.0)
    assert_close(plain(shuffled), plain(episode))
    assert (matching()(shuffled) - matching()(episode)).abs().max() > 0.01


def test_queries_do_not_see_each_other() -> None:
    episode, network = feature_episode(features=5), matching()
    alone = Episode(episode.support_x, episode.support_y, episode.query_x[:, 1:2], episode.query_y[:, 1:2], 3)
    assert_close(network(alone), network(episode)[:, 1:2])


def test_renaming_classes_renames_the_logits() -> None:
    episode, new_name = feature_episode(features=5), torch.tensor([2, 0, 1])
    renamed = Episode(episode.support_x, new_name[episode.support_y], episode.query_x, new_name[episode.query_y], 3)
    assert_close(matching()(renamed)[..., new_name], matching()(episode))


def test_gradients_equal_finite_differences() -> None:
    episode, network = feature_episode((2, 1), n_query=2, features=5, batch=1), matching()

    def compute(support_x: torch.Tensor, query_x: torch.Tensor) -> torch.Tensor:
        return network.loss(Episode(support_x, episode.support_y, query_x, episode.query_y, 2, check=False))

    assert torch.autograd.gradcheck(compute, (episode.support_x.requires_grad_(), episode.query_x.requires_grad_()))


def test_sizes_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="steps must be a whole number of at least 1, got 0"):
        FullContextEmbedding(steps=0)
    with pytest.raises(ValueError, match="n_features must be a whole number of at least 1, got 0"):
        FullContextEmbedding(n_features=0)


def test_vectors_of_another_length_are_refused() -> None:
    message = r"must be feature vectors \[B, images, 64\], got \[2, \d, 1600\]; say FullContextEmbedding\(n_features"
    vectors = torch.zeros(2, 3, 1600)
    for call in (FullContextEmbedding().forward, FullContextEmbedding().embed_query):
        with pytest.raises(ValueError, match=message):
            call(vectors, vectors)
    with pytest.raises(ValueError, match="query " + message):
        FullContextEmbedding()(torch.zeros(2, 5, 64), vectors)
    with pytest.raises(TypeError, match=r"context must be a module, got the class FullContextEmbedding: call it"):
        MatchingNetwork(nn.Identity(), context=FullContextEmbedding)
