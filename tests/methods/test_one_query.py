"""One query at a time: the same logits as a plain loop over queries, in any company."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from helpers import assert_close, blobs, image_episode
from torch import nn

from fslbook import (
    MAML,
    Episode,
    EpisodeSampler,
    MatchingNetwork,
    NearestNeighbour,
    OneQueryAtATime,
    PrototypicalNetwork,
    Reptile,
    evaluate,
)


def network(*, norm: bool = True, head: bool = True, batch: bool = True) -> nn.Sequential:
    """A convolution, a norm (by the batch, or by the image) and maybe a linear head, for 8×8 images."""
    torch.manual_seed(0)
    layer = nn.BatchNorm2d(4, track_running_stats=False) if batch else nn.GroupNorm(2, 4)
    layers = [nn.Conv2d(1, 4, 3, stride=2), layer, nn.ReLU(), nn.Flatten(1), *([nn.Linear(36, 3)] if head else [])]
    return nn.Sequential(*layers).double()


METHODS = {
    "maml, loop": lambda batch: MAML(network(batch=batch), 0.4, 2, form="loop"),
    "maml, vmap": lambda batch: MAML(network(batch=batch), 0.4, 2, form="vmap"),
    "reptile": lambda batch: Reptile(network(batch=batch), 0.01, test_steps=3),
    "prototypes": lambda batch: PrototypicalNetwork(network(head=False, batch=batch)),
    "matching": lambda batch: MatchingNetwork(network(head=False, batch=batch)),
}


def plain_loop(method: nn.Module, episode: Episode) -> torch.Tensor:
    """B·Q calls with one task and one query each."""
    logits = torch.zeros(*episode.query_y.shape, episode.n_way, dtype=torch.float64)
    for b in range(episode.batch_size):
        for q in range(episode.query_y.shape[1]):
            x, y = episode.query_x[b : b + 1, q : q + 1], episode.query_y[b : b + 1, q : q + 1]
            alone = Episode(episode.support_x[b : b + 1], episode.support_y[b : b + 1], x, y, episode.n_way)
            logits[b, q] = method(alone)[0, 0]
    return logits


@pytest.mark.parametrize("name", METHODS)
def test_logits_equal_a_plain_loop_over_queries(name: str) -> None:
    method, episode = METHODS[name](True).eval(), image_episode(n_query=18)
    logits = OneQueryAtATime(method)(episode)
    assert_close(logits, plain_loop(method, episode))
    assert not torch.allclose(logits, method(episode), rtol=0.01)  # together, the queries share batch statistics


@pytest.mark.parametrize("name", METHODS)
def test_without_batch_statistics_company_does_not_matter(name: str) -> None:
    method, episode = METHODS[name](False).eval(), image_episode(n_query=18)
    assert_close(OneQueryAtATime(method)(episode), method(episode))


@pytest.mark.parametrize("name", METHODS)
def test_no_query_sees_another(name: str) -> None:
    method, episode = OneQueryAtATime(METHODS[name](True)).eval(), image_episode(n_query=18)
    changed = replace(episode, query_x=torch.cat([episode.query_x[:, :1], 1 - episode.query_x[:, 1:]], dim=1))
    assert_close(method(changed)[:, 0], method(episode)[:, 0])


def test_running_statistics_answer_alone_as_in_company() -> None:
    tracking = nn.Sequential(nn.Flatten(1), nn.Linear(64, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)).double()
    method, episode = MAML(tracking, 0.4), image_episode()
    method(episode)  # fills the statistics
    assert_close(OneQueryAtATime(method).eval()(episode), method.eval()(episode))


def test_both_accuracies_are_measured_on_the_same_episodes() -> None:
    sampler = EpisodeSampler(blobs(8, 10, noise=0.9), n_way=3, k_shot=1, n_query=4)
    method = MAML(network().float(), 0.4)
    together, alone = evaluate(method, sampler, 40), evaluate(OneQueryAtATime(method), sampler, 40)
    assert len((together - alone).per_episode) == 40
    assert not torch.equal(together.per_episode, alone.per_episode)
    nearest = NearestNeighbour()
    same = evaluate(nearest, sampler, 40) - evaluate(OneQueryAtATime(nearest), sampler, 40)
    assert not same.per_episode.any()
