"""Meta Networks and the hypernetwork against loops in NumPy, autograd example by example, and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import assert_close, feature_episode
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook import Episode, FewShotClassifier
from fslbook.methods.memory.hypernetwork import HyperNetwork
from fslbook.methods.memory.meta_networks import PARTS, MetaNetwork, layer_gradients

TASK = feature_episode((1, 3, 2), batch=2, n_query=4, features=6)
WITHOUTS = [
    (),
    *((part,) for part in PARTS),
    ("task weights", "slow weights"),
    ("task weights", "example weights"),
    ("attention", "slow weights"),
]


def meta(without: tuple[str, ...] = ()) -> MetaNetwork:
    torch.manual_seed(0)
    return MetaNetwork(nn.Identity(), n_features=6, n_way=3, hidden=5, without=without).double()


def array(x: Tensor) -> np.ndarray:
    return x.detach().numpy()


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def layer(method: MetaNetwork, slow: np.ndarray, fast: np.ndarray) -> np.ndarray:
    if "slow weights" in method.without:
        return relu(fast)
    return relu(slow + fast) if "augmentation" in method.without else relu(slow) + relu(fast)


def of_autograd(x: Tensor, y: Tensor, first: nn.Linear, last: nn.Linear) -> tuple[Tensor, Tensor]:
    """The gradients of one example [D], by autograd, also where a layer is frozen."""
    one, two = (layer.weight.detach().clone().requires_grad_() for layer in (first, last))
    hidden = F.linear(x, one, first.bias).relu()
    loss = F.cross_entropy(F.linear(hidden, two, last.bias)[None], y[None])
    return torch.autograd.grad(loss, (one, two))


def loop_logits(method: MetaNetwork, episode: Episode) -> np.ndarray:
    found = []
    for support, y, queries in zip(episode.support_x, episode.support_y, episode.query_x, strict=True):
        support, queries = method.norm(support), method.norm(queries)
        written = [of_autograd(x, label, method.first, method.last) for x, label in zip(support, y, strict=True)]
        ones = [array(method.write_first(g)) for g, _ in written]
        twos = [array(method.write_last(g)) for _, g in written]
        messages = [
            of_autograd(x, label, method.embedding, method.embedding_head)[0]
            for x, label in zip(support, y, strict=True)
        ]
        fast = np.mean([array(method.write_embedding(g)) for g in messages], axis=0)
        if "example weights" in method.without:
            ones, twos = [0 * w for w in ones], [0 * w for w in twos]
        keys = [embedded(method, array(x), fast) for x in support]
        found.append([answer(method, array(q), keys, ones, twos, fast) for q in queries])
    return np.array(found)


def embedded(method: MetaNetwork, x: np.ndarray, fast: np.ndarray) -> np.ndarray:
    slow = array(method.embedding.weight) @ x + array(method.embedding.bias)
    return relu(slow) if "task weights" in method.without else layer(method, slow, fast @ x)


def answer(
    method: MetaNetwork,
    x: np.ndarray,
    keys: list[np.ndarray],
    ones: list[np.ndarray],
    twos: list[np.ndarray],
    fast: np.ndarray,
) -> np.ndarray:
    asked = embedded(method, x, fast)
    cosines = [k @ asked / (max(np.linalg.norm(k), 1e-12) * max(np.linalg.norm(asked), 1e-12)) for k in keys]
    e = np.ones(len(keys)) if "attention" in method.without else np.exp(cosines)
    a = e / e.sum()
    one, two = (sum(w * m for w, m in zip(a, memory, strict=True)) for memory in (ones, twos))
    h = layer(method, array(method.first.weight) @ x + array(method.first.bias), one @ x)
    slow = array(method.last.weight) @ h + array(method.last.bias)
    return two @ h if "slow weights" in method.without else slow + two @ h


@pytest.mark.parametrize("without", WITHOUTS, ids=lambda parts: "+".join(parts) or "nothing")
def test_meta_network_equals_the_loop(without: tuple[str, ...]) -> None:
    method = meta(without)
    assert_close(method(TASK), loop_logits(method, TASK))


def test_layer_gradients_are_those_of_finite_differences() -> None:
    method, x, y = meta(), TASK.support_x, TASK.support_y
    found = layer_gradients(x, y, method.first, method.last)
    for module, gradient in zip((method.first, method.last), found, strict=True):
        for place in ((0, 1), (2, 3)):
            sides = []
            for move in (1e-6, -1e-6):
                with torch.no_grad():
                    module.weight[place] += move
                    logits = method.last(method.first(x).relu())
                    module.weight[place] -= move
                sides.append(F.cross_entropy(logits.mT, y, reduction="none"))  # [B, S]
            slope = (sides[0] - sides[1]) / 2e-6
            torch.testing.assert_close(gradient[:, :, *place], slope, rtol=1e-6, atol=1e-8)


def test_every_network_learns_and_the_support_may_come_in_any_order() -> None:
    method = meta()
    method.loss(TASK).backward()
    moved = {name for name, p in method.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    fixed = {"embedding_head.weight", "embedding_head.bias"}  # it only sends messages
    assert moved == {name for name, _ in method.named_parameters()} - fixed
    order = torch.randperm(TASK.support_x.shape[1], generator=torch.Generator().manual_seed(1))
    mixed = Episode(TASK.support_x[:, order], TASK.support_y[:, order], TASK.query_x, None, 3)
    assert_close(method(mixed), method(TASK))


@pytest.mark.parametrize("without", WITHOUTS, ids=lambda parts: "+".join(parts) or "nothing")
def test_what_has_no_say_is_frozen_and_nothing_else(without: tuple[str, ...]) -> None:
    method = meta(without)
    frozen = {name for name, p in method.named_parameters() if not p.requires_grad}
    method.requires_grad_(True).loss(TASK).backward()
    assert frozen == {name for name, p in method.named_parameters() if p.grad is None or not p.grad.any()}


def test_each_query_is_answered_alone() -> None:
    method = meta().eval()
    assert_close(method.one_at_a_time(TASK), method(TASK))
    assert not method.queries_see_each_other


def test_hypernetwork_equals_the_loop() -> None:
    torch.manual_seed(0)
    method = HyperNetwork(nn.Identity(), n_features=6, hidden=7).double()
    w = [array(p) for p in method.write.parameters()]
    support, queries = array(method.norm(TASK.support_x)), array(method.norm(TASK.query_x))
    expected = np.zeros((2, queries.shape[1], 3))
    for b in range(2):
        for n in range(3):
            mean = support[b][TASK.support_y[b].numpy() == n].mean(axis=0)
            wrote = w[2] @ relu(w[0] @ mean + w[1]) + w[3]
            for q, x in enumerate(queries[b]):
                expected[b, q, n] = wrote[:6] @ x / 6**0.5 + wrote[6]
    assert_close(method(TASK), expected)


def test_a_constant_hypernetwork_knows_nothing_of_the_task() -> None:
    method = HyperNetwork(nn.Identity(), n_features=6, constant=True).double()
    logits = method(TASK)
    assert_close(logits, logits[..., :1].expand_as(logits))


@pytest.mark.parametrize("method", [MetaNetwork(nn.Flatten(), 4, 2, 3), HyperNetwork(nn.Flatten(), 4)])
def test_they_serve_ones_own_images(method: MetaNetwork | HyperNetwork) -> None:
    images = torch.rand(4, 1, 2, 2)
    classifier = FewShotClassifier(method.eval()).fit(images, ["a", "b", "a", "b"])
    assert {*classifier.predict(images)} <= {"a", "b"}
