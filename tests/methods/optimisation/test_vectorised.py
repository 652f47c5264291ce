"""Networks that vmap cannot serve: the answers of the plain loop, and one line that says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from adapting import mlp, small_conv
from helpers import assert_close, feature_episode, image_episode
from torch import Tensor, nn
from torch.func import functional_call

from fslbook import MAML, Conv4, Episode, OneQueryAtATime, QueryWithSupport, Reptile
from fslbook.methods.optimisation.vectorised import vmap_trouble

SAID = "not batched but in a loop: vmap cannot serve "


class Rows(nn.Module):
    """An image [M, 1, 8, 8] read row by row, by a recurrent layer or by a transformer, and a head on the last row."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.head = layer, nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.layer(x[:, 0])
        return self.head((rows[0] if isinstance(rows, tuple) else rows)[:, -1])


class Counting(nn.Module):
    """Adds up what it has seen, in place."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 3)
        self.register_buffer("seen", torch.zeros(64))

    def forward(self, x: Tensor) -> Tensor:
        self.seen.add_(x.flatten(1).sum(0))
        return self.head(x.flatten(1))


class Filling(nn.Module):
    """Writes its outputs into zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        outputs = torch.zeros(len(x), 3, dtype=x.dtype)
        outputs += self.head(x.flatten(1))
        return outputs


class Reading(nn.Module):
    """Reads a number and decides by it."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.head(x.flatten(1))
        return logits * 2 if logits.sum().item() > 0 else logits


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "LSTM": lambda: Rows(nn.LSTM(8, 8, batch_first=True)),
    "GRU": lambda: Rows(nn.GRU(8, 8, batch_first=True)),
    "RNN": lambda: Rows(nn.RNN(8, 8, batch_first=True)),
    "transformer": lambda: Rows(nn.TransformerEncoderLayer(8, 2, 8, batch_first=True)),
    "counting": Counting,
    "filling": Filling,
    "reading": Reading,
}


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    return NETWORKS[name]().double()


@pytest.mark.parametrize("name", NETWORKS)
def test_what_vmap_cannot_serve_goes_through_the_loop(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    episode, chosen = image_episode(n_query=3), MAML(made(name), 0.1, 2).eval()
    logits = chosen(episode)
    assert capsys.readouterr().out.startswith(SAID + type(chosen.network).__name__ + " (")
    assert_close(logits, MAML(made(name), 0.1, 2, form="loop").eval()(episode))
    chosen(episode)
    assert not capsys.readouterr().out  # said once


@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN", "counting", "filling", "reading"])
def test_it_is_trained_in_the_loop_as_well(name: str) -> None:
    episode, chosen, loop = image_episode(n_query=3), MAML(made(name), 0.1), MAML(made(name), 0.1, form="loop")
    gradients = [torch.autograd.grad(m.loss(episode), [*m.parameters()], allow_unused=True) for m in (chosen, loop)]
    for ours, theirs in zip(*gradients, strict=True):
        assert_close(ours, theirs)


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # what vmap serves by a loop of its own
@pytest.mark.parametrize("protocol", [OneQueryAtATime, QueryWithSupport])
@pytest.mark.parametrize("name", NETWORKS)
def test_queries_are_asked_in_a_loop(name: str, protocol: type[nn.Module]) -> None:
    episode, method = image_episode(n_query=3, batch=1), Reptile(made(name), 0.01, test_steps=2).eval()
    logits, weights = protocol(method)(episode)[0], method.adapt(episode.support_x[0], episode.support_y[0])
    for query, answer in zip(episode.query_x[0], logits, strict=True):
        assert_close(answer, functional_call(method.network, weights, (query[None],))[0])


@pytest.mark.parametrize("name", NETWORKS)
def test_vmap_is_refused_where_it_was_asked_for(name: str) -> None:
    with pytest.raises(ValueError, match=r"form='vmap' cannot serve \w+ \(.*\); take form=None"):
        MAML(made(name), 0.1, form="vmap").eval()(image_episode(n_query=3))


def test_trying_changes_neither_buffers_nor_random_numbers() -> None:
    network, dropout = Counting(), nn.Sequential(nn.Linear(4, 2), nn.Dropout(0.5))
    state = torch.get_rng_state()
    for shared in (False, True):
        assert vmap_trouble(network, torch.ones(1, 1, 8, 8), shared=shared) is not None
        assert vmap_trouble(dropout, torch.ones(1, 4), shared=shared) is None
    assert torch.equal(torch.get_rng_state(), state)
    assert not network.seen.any()


def test_the_trial_is_made_again_in_the_other_mode() -> None:
    """A fused transformer layer is no obstacle in training mode, where it is not used."""
    transformer = made("transformer")
    assert vmap_trouble(transformer.train(), torch.ones(1, 1, 8, 8).double()) is None
    assert vmap_trouble(transformer.eval(), torch.ones(1, 1, 8, 8).double()) is not None


def test_a_fault_of_the_network_is_its_own() -> None:
    method = MAML(mlp(features=4))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        method(feature_episode(features=5))
    with pytest.raises(ValueError, match="Conv4 needs images"):
        MAML(nn.Sequential(Conv4(), nn.Linear(64, 3)).double())(image_episode())


def test_the_form_that_is_chosen() -> None:
    def takes_vmap(method: MAML, episode: Episode) -> bool:
        return method._takes_vmap(episode)

    assert takes_vmap(MAML(mlp()), feature_episode())
    assert not takes_vmap(MAML(mlp(), form="loop"), feature_episode())
    assert not takes_vmap(MAML(nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 3)).double()), feature_episode())
    assert not takes_vmap(MAML(small_conv()), image_episode())
    assert takes_vmap(MAML(small_conv(), form="vmap"), image_episode())
