"""The three protocols: the same logits as plain loops over queries, in any company."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from helpers import assert_close, blobs, image_episode
from torch import Tensor, nn
from torch.func import functional_call

from fslbook import (
    MAML,
    Conv4,
    Episode,
    EpisodeSampler,
    HyperNetwork,
    InContextLearner,
    LearnedOptimiser,
    MatchingNetwork,
    MetaNetwork,
    MetaSGD,
    NearestNeighbour,
    OneQueryAtATime,
    PrototypicalNetwork,
    QueryWithSupport,
    Reptile,
    SequenceLearner,
    evaluate,
)
from fslbook.methods import PROTOCOLS, AdaptingMethod, FewShotMethod, company_matters
from fslbook.methods.optimisation import asking
from fslbook.networks.readers import LSTMReader, MemoryReader


def network(*, norm: bool = True, head: bool = True, batch: bool = True) -> nn.Sequential:
    """A convolution, a norm (by the batch, or by the image) and maybe a linear head, for 8×8 images."""
    torch.manual_seed(0)
    layer = nn.BatchNorm2d(4, track_running_stats=False) if batch else nn.GroupNorm(2, 4)
    layers = [nn.Conv2d(1, 4, 3, stride=2), layer, nn.ReLU(), nn.Flatten(1), *([nn.Linear(36, 3)] if head else [])]
    return nn.Sequential(*layers).double()


METHODS = {
    "maml, loop": lambda batch: MAML(network(batch=batch), 0.4, 2, form="loop"),
    "maml, vmap": lambda batch: MAML(network(batch=batch), 0.4, 2, form="vmap"),
    "fomaml": lambda batch: MAML(network(batch=batch), 0.4, 2, first_order=True),
    "anil": lambda batch: MAML(network(batch=batch), 0.4, 2, adapted=("4.",)),
    "meta-sgd": lambda batch: MetaSGD(network(batch=batch), 0.4, 2),
    "reptile": lambda batch: Reptile(network(batch=batch), 0.01, test_steps=3),
    "learned optimiser": lambda batch: LearnedOptimiser(network(batch=batch), 2, start_lr=0.4),
    "prototypes": lambda batch: PrototypicalNetwork(network(head=False, batch=batch)),
    "matching": lambda batch: MatchingNetwork(network(head=False, batch=batch)),
    "in context": lambda batch: InContextLearner(network(head=False, batch=batch), 36, 3, width=8).double(),
    "meta network": lambda batch: MetaNetwork(network(head=False, batch=batch), 36, 3, 8).double(),
    "hypernetwork": lambda batch: HyperNetwork(network(head=False, batch=batch), 36, 8).double(),
    "lstm": lambda batch: SequenceLearner(network(head=False, batch=batch), LSTMReader(36 + 3, 8), 3).double(),
    "memory": lambda batch: SequenceLearner(network(head=False, batch=batch), MemoryReader(36 + 3, 8), 3).double(),
}
WRAPPERS = [OneQueryAtATime, QueryWithSupport]


def plain_loop(method: FewShotMethod, episode: Episode, beside_support: bool) -> Tensor:
    """Query by query: through the adapted network, or for methods that embed a call with one query."""
    logits = []
    for task in episode.tasks():
        weights = method.adapt(task.support_x[0], task.support_y[0]) if isinstance(method, AdaptingMethod) else None
        for q in range(task.query_x.shape[1]):
            query = task.query_x[:, [q]]
            if weights is None:
                logits.append(method(replace(task, query_x=query, query_y=task.query_y[:, [q]]))[0])
            else:
                batch = torch.cat([task.support_x[0], query[0]]) if beside_support else query[0]
                logits.append(functional_call(method.network, weights, (batch,))[-1:])
    return torch.cat(logits).unflatten(0, episode.query_x.shape[:2])


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", METHODS)
def test_logits_equal_a_plain_loop_over_queries(
    name: str, wrapper: type[nn.Module], capsys: pytest.CaptureFixture[str]
) -> None:
    method, episode = METHODS[name](True).eval(), image_episode(n_query=18)
    logits = wrapper(method)(episode)
    assert_close(logits, plain_loop(method, episode, beside_support=wrapper is QueryWithSupport))
    assert not torch.allclose(logits, method(episode), rtol=0.01)  # together, the queries share batch statistics
    assert not capsys.readouterr().out  # vmap serves all of them


@pytest.mark.parametrize("name", METHODS)
def test_support_images_beside_a_query_are_company_that_counts(name: str) -> None:
    method, episode = METHODS[name](True).eval(), image_episode(n_query=5)
    alone, beside = OneQueryAtATime(method)(episode), QueryWithSupport(method)(episode)
    assert torch.allclose(alone, beside) == (not method.adapts)  # methods that embed put the support there anyway


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", METHODS)
def test_without_batch_statistics_company_does_not_matter(name: str, wrapper: type[nn.Module]) -> None:
    method, episode = METHODS[name](False).eval(), image_episode(n_query=18)
    assert_close(wrapper(method)(episode), method(episode))


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", METHODS)
def test_no_query_sees_another(name: str, wrapper: type[nn.Module]) -> None:
    method, episode = wrapper(METHODS[name](True)).eval(), image_episode(n_query=18)
    changed = replace(episode, query_x=torch.cat([episode.query_x[:, :1], 1 - episode.query_x[:, 1:]], dim=1))
    assert_close(method(changed)[:, 0], method(episode)[:, 0])


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", ["maml, loop", "maml, vmap"])
def test_queries_in_portions_answer_as_at_once(
    name: str, wrapper: type[nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    method, episode = wrapper(METHODS[name](True)).eval(), image_episode(n_query=18)
    logits = method(episode)
    monkeypatch.setattr(asking, "IMAGES_AT_ONCE", 30)
    assert_close(method(episode), logits)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_each_support_set_is_adapted_to_once(wrapper: type[nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    adapted = []
    once = MAML.adapt
    monkeypatch.setattr(MAML, "adapt", lambda self, *a, **k: (adapted.append(1), once(self, *a, **k))[1])
    wrapper(METHODS["maml, loop"](True)).eval()(image_episode(n_query=18, batch=3))
    assert len(adapted) == 3


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_running_statistics_answer_alone_as_in_company(wrapper: type[nn.Module]) -> None:
    tracking = nn.Sequential(nn.Flatten(1), nn.Linear(64, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)).double()
    method, episode = MAML(tracking, 0.4), image_episode()
    method(episode)  # fills the statistics
    assert_close(wrapper(method).eval()(episode), method.eval()(episode))


class NoMethodOfTheBook(nn.Module):
    """Answers with the image itself, less the mean of all queries."""

    def forward(self, episode: Episode) -> Tensor:
        pixels = episode.query_x.flatten(2)[..., : episode.n_way]
        return pixels - pixels.mean(dim=1, keepdim=True)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_any_module_can_be_asked(wrapper: type[nn.Module]) -> None:
    assert not wrapper(NoMethodOfTheBook())(image_episode()).any()
    with pytest.raises(TypeError, match=r"method must be a module, got the class MAML: call it, MAML\(...\)"):
        wrapper(MAML)


def test_company_is_found_to_matter_where_it_does() -> None:
    episode = image_episode(n_query=4)
    assert company_matters(NoMethodOfTheBook(), episode)
    for name, made in METHODS.items():
        assert company_matters(made(True).eval(), episode), name
        assert not company_matters(made(False).eval(), episode), name
        assert not company_matters(QueryWithSupport(made(True)).eval(), episode), name
    large = image_episode(size=28, dtype=torch.float32)
    assert company_matters(PrototypicalNetwork(Conv4(channels=4)).train(), large)
    assert not company_matters(PrototypicalNetwork(Conv4(channels=4)).eval(), large)


def test_the_protocols_have_names() -> None:
    method, episode = METHODS["reptile"](True).eval(), image_episode(n_query=5)
    assert [*PROTOCOLS] == ["all_at_once", "with_support", "one_at_a_time"]
    answers = [asked(method)(episode) for asked in PROTOCOLS.values()]
    assert torch.equal(answers[0], method(episode))
    assert_close(answers[1], plain_loop(method, episode, beside_support=True))
    assert_close(answers[2], plain_loop(method, episode, beside_support=False))


def test_all_accuracies_are_measured_on_the_same_episodes() -> None:
    sampler = EpisodeSampler(blobs(8, 10, noise=0.9), n_way=3, k_shot=1, n_query=4)
    method = MAML(network().float(), 0.4)
    together, beside, alone = (evaluate(asked(method), sampler, 40) for asked in PROTOCOLS.values())
    assert len((together - alone).per_episode) == len((together - beside).per_episode) == 40
    assert not torch.equal(together.per_episode, alone.per_episode)
    assert not torch.equal(beside.per_episode, alone.per_episode)
    nearest = NearestNeighbour()
    same = evaluate(nearest, sampler, 40) - evaluate(OneQueryAtATime(nearest), sampler, 40)
    assert not same.per_episode.any()
