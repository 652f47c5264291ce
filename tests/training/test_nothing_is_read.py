"""What a CUDA graph asks of a training step: nothing may be read from the GPU, and nothing sent to it.

A tensor on the device "meta" has a shape and no numbers, so that reading one fails there as it fails in a capture.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import easy_sampler
from network_methods import NETWORK_METHODS, made
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fslbook import SequenceSampler, SiameseNetwork
from fslbook.networks.encoders import Conv4
from fslbook.paper.builders import build
from fslbook.paper.recipes import METHODS, RECIPES
from fslbook.tasks.episode import Episode
from fslbook.tasks.images import LabelledImages
from fslbook.tasks.sequences import LabelledSequence
from fslbook.training.steps import check_loss
from fslbook.training.watching import accuracy, watching


class Sent(TorchFunctionMode):
    """Notes every tensor made of Python's numbers: on a GPU they would be sent, which the dispatcher does not show."""

    def __init__(self, operations: list[str]) -> None:
        super().__init__()
        self.operations = operations

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.__name__ in ("tensor", "new_tensor", "as_tensor", "asarray"):
            self.operations.append(func.__name__)
        return func(*args, **(kwargs or {}))


class Elsewhere(TorchDispatchMode):
    """Notes every operation on a tensor that is not on the device "meta", and what `Sent` notes."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[str] = []
        self.sent = Sent(self.operations)

    def __enter__(self) -> Elsewhere:
        self.sent.__enter__()
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.sent.__exit__(*error)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if any(isinstance(x, Tensor) and not x.is_meta for x in tree_leaves((args, kwargs, out))):
            self.operations.append(str(func))
        return out


def meta_episode(k_shot: int = 1) -> Episode:
    def labels(number: int) -> Tensor:
        return torch.arange(5, device="meta").repeat_interleave(number).expand(2, -1)

    def images(number: int) -> Tensor:
        return torch.empty(2, 5 * number, 1, 28, 28, device="meta")

    return Episode(images(k_shot), labels(k_shot), images(3), labels(3), 5, check=False)


def step_elsewhere(loss: Callable[[Any], Tensor], batch: object) -> list[str]:
    """What a forward and a backward pass do that a capture would not bear; raises where a number is read."""
    with Elsewhere() as elsewhere:
        loss(batch).backward()
    return elsewhere.operations


@pytest.fixture
def _no_autocast(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none on "meta"."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())


@pytest.mark.usefixtures("_no_autocast")
@pytest.mark.parametrize("name", METHODS)
def test_no_method_reads_from_the_device_or_sends_to_it_in_a_step(name: str) -> None:
    recipe = RECIPES[f"{name}-omniglot-5w1s"]
    method = build(recipe).to("meta").train()
    images = LabelledImages(torch.rand(4, 1, 28, 28, device="meta"), torch.zeros(4, dtype=torch.int64, device="meta"))
    views, task = torch.rand(4, 2, 1, 28, 28, device="meta"), meta_episode(recipe.train_shot)
    if "n_unlabelled" in recipe.options:
        task = replace(task, unlabelled_x=task.query_x, check=False)
    sequence = LabelledSequence(task.query_x, task.query_y, 5, check=False)
    batch = {"images": images, "views": views, "sequences": sequence}.get(METHODS[name].learns_from, task)
    assert step_elsewhere(partial(as_in_a_step, method), batch) == []


@pytest.mark.usefixtures("_no_autocast")
@pytest.mark.parametrize("name", NETWORK_METHODS)
def test_no_method_that_is_a_network_does(name: str) -> None:
    task = meta_episode()
    task = replace(task, support_x=task.support_x[..., :8, :8], query_x=task.query_x[..., :8, :8], check=False)
    assert step_elsewhere(partial(as_in_a_step, made(name).to("meta").train()), task) == []


def as_in_a_step(method: nn.Module, batch: Episode | LabelledImages | Tensor) -> Tensor:
    """The loss of a method that is watched, and checked, as `fit` does it."""
    with watching(method) as logits:
        loss = method.loss(batch)
    check_loss(loss, method)
    accuracy(logits, batch, loss)
    return loss


@pytest.mark.usefixtures("_no_autocast")
@pytest.mark.parametrize("loss", ["contrastive", "triplet", "cross-entropy"])
def test_no_loss_of_pairs_or_triplets_does_either(loss: str) -> None:
    method = SiameseNetwork(Conv4(channels=4), loss, n_features=4).to("meta")
    assert step_elsewhere(method.loss, meta_episode()) == []


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_neither_does_drawing_episodes_or_sequences(
    uneven: bool, sequences: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler, draw = easy_sampler(), torch.rand
    whole = SequenceSampler(sampler.classes, 5, 4)
    for name in ("_starts", "_beyond_end"):
        setattr(sampler, name, getattr(sampler, name).to("meta"))
    sampler.classes, sampler._uneven = SimpleNamespace(images=sampler.classes.images.to("meta")), uneven
    sampler.generator = SimpleNamespace(device=torch.device("meta"))  # there are none
    monkeypatch.setattr(torch, "rand", lambda size, **_: draw(size, device="meta"))
    whole._tasks, whole.generator = sampler, sampler.generator
    with Elsewhere() as elsewhere:
        x = whole.sample(3).x if sequences else sampler.sample(3).query_x
    assert elsewhere.operations == []
    assert x.is_meta


@pytest.mark.parametrize("answers", [0, 1])
def test_neither_does_the_accuracy(answers: int) -> None:
    """Also where the loss makes no logits, as that of pairs."""
    episode = meta_episode()
    with Elsewhere() as elsewhere:
        accuracy([torch.empty(2, 15, 5, device="meta")] * answers, episode, torch.empty((), device="meta"))
    assert elsewhere.operations == []


def test_the_stand_in_convicts_what_a_capture_would_not_bear() -> None:
    def mean(episode: Episode) -> Tensor:
        return episode.support_x.requires_grad_().mean()

    with pytest.raises(RuntimeError, match="item"):
        step_elsewhere(lambda episode: mean(episode) * mean(episode).detach().item(), meta_episode())
    with pytest.raises(RuntimeError, match="nonzero"):
        step_elsewhere(lambda episode: episode.support_x.requires_grad_()[episode.support_y == 0].sum(), meta_episode())
    sent = step_elsewhere(lambda episode: mean(episode) * torch.ones(1).to("meta"), meta_episode())
    assert any("_to_copy" in operation for operation in sent)
    assert step_elsewhere(lambda episode: mean(episode) * episode.query_x.new_tensor(2.0), meta_episode()) != []
