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
from helpers import blobs, easy_sampler, small_method
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fslbook import EpisodeSampler, History, SiameseNetwork, fit
from fslbook.networks.encoders import Conv4
from fslbook.networks.losses import mean_where
from fslbook.paper.builders import SCHEDULES, build, optimiser
from fslbook.paper.recipes import METHODS, RECIPES
from fslbook.tasks.episode import Episode
from fslbook.training.cuda_graphs import why_not
from fslbook.training.loop import _accuracy


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


def step_elsewhere(loss: Callable[[Episode], Tensor], episode: Episode) -> list[str]:
    """What a forward and a backward pass do that a capture would not bear; raises where a number is read."""
    with Elsewhere() as elsewhere:
        loss(episode).backward()
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
    assert step_elsewhere(method.loss, meta_episode(recipe.train_shot)) == []


@pytest.mark.usefixtures("_no_autocast")
@pytest.mark.parametrize("loss", ["contrastive", "triplet", "cross-entropy"])
def test_no_loss_of_pairs_or_triplets_does_either(loss: str) -> None:
    method = SiameseNetwork(Conv4(channels=4), loss, n_features=4).to("meta")
    assert step_elsewhere(method.loss, meta_episode()) == []


@pytest.mark.parametrize("uneven", [False, True])
def test_neither_does_drawing_episodes(uneven: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler, draw = easy_sampler(), torch.rand
    for name in ("_starts", "_beyond_end"):
        setattr(sampler, name, getattr(sampler, name).to("meta"))
    sampler.classes, sampler._uneven = SimpleNamespace(images=sampler.classes.images.to("meta")), uneven
    sampler.generator = SimpleNamespace(device=torch.device("meta"))  # there are none
    monkeypatch.setattr(torch, "rand", lambda size, **_: draw(size, device="meta"))
    with Elsewhere() as elsewhere:
        episode = sampler.sample(3)
    assert elsewhere.operations == []
    assert episode.query_x.is_meta


@pytest.mark.parametrize("answers", [0, 1])
def test_neither_does_the_accuracy(answers: int) -> None:
    """Also where the loss makes no logits, as that of pairs."""
    episode = meta_episode()
    with Elsewhere() as elsewhere:
        _accuracy([torch.empty(2, 15, 5, device="meta")] * answers, episode)
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


@pytest.mark.parametrize("seed", range(3))
def test_mean_where_is_the_mean_of_the_chosen(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(4, 5, generator=generator)
    chosen = torch.rand(4, 5, generator=generator) < 0.5
    values[0, 0], chosen[0, 0] = torch.inf, False
    torch.testing.assert_close(mean_where(chosen, values), values[chosen].mean())


def test_without_a_gpu_a_graph_is_declined_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    asked = fit(small_method(nn.BatchNorm1d(16)), easy_sampler(), 4, cuda_graph=True, progress=False)
    assert capsys.readouterr().out == "no CUDA graph: there are no CUDA graphs on cpu\n"
    torch.manual_seed(0)
    assert asked.loss == fit(small_method(nn.BatchNorm1d(16)), easy_sampler(), 4, progress=False).loss


def test_an_optimiser_that_cannot_be_captured_is_named() -> None:
    reason = why_not(Adam([nn.Parameter(torch.zeros(1))]), torch.device("cuda"))
    assert reason is not None
    assert "Adam is not capturable; make it with capturable=True" in reason
    reason = why_not(SGD([nn.Parameter(torch.zeros(1))], lr=torch.tensor(0.1)), torch.device("cuda"))
    assert reason is not None
    assert "SGD is not capturable; make it with fused=True" in reason


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("momentum", [False, True])
def test_every_recipe_can_be_captured_as_it_is_made_for_a_gpu(
    name: str, momentum: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPES[f"{name}-omniglot-5w1s"]
    method = build(recipe)
    monkeypatch.setattr(Tensor, "is_cuda", property(lambda _: True))
    optimizer, scheduler = optimiser(recipe, method)
    assert why_not(optimizer, torch.device("cuda"), scheduler) is None
    scheduler.cycle_momentum = momentum
    assert (why_not(optimizer, torch.device("cuda"), scheduler) is not None) == momentum


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("make", [partial(Adam), partial(SGD, fused=True)], ids=["Adam", "SGD"])
def test_a_rate_in_a_tensor_stays_in_it_and_does_the_same(make: Callable[..., Optimizer], schedule: str) -> None:
    """A graph reads the rate where it lay at the capture."""
    recipe = replace(RECIPES["maml-omniglot-5w1s"], steps=20)
    rates: list[list[float]] = []
    for lr in (0.3, torch.tensor(0.3)):
        parameter = nn.Parameter(torch.ones(3))
        optimizer = make([parameter], lr=lr)
        scheduler, first = SCHEDULES[schedule](optimizer, recipe), optimizer.param_groups[0]["lr"]
        rates.append([])
        for _ in range(19):
            parameter.square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
            rates[-1].append(float(optimizer.param_groups[0]["lr"]))
        rates[-1] += parameter.tolist()
        assert isinstance(lr, float) or optimizer.param_groups[0]["lr"] is first
    assert rates[0] == pytest.approx(rates[1], rel=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_captured_run_learns_as_an_ordinary_one() -> None:
    def run(cuda_graph: bool) -> History:
        torch.manual_seed(0)
        method = small_method(nn.BatchNorm1d(16)).to("cuda")
        return fit(method, easy_sampler("cuda"), 60, cuda_graph=cuda_graph, progress=False)

    captured, ordinary = run(True), run(False)
    assert captured.loss[:10] == pytest.approx(ordinary.loss[:10], rel=1e-3)
    assert captured.loss[-1] < captured.loss[0] / 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("name", METHODS)
def test_a_recipe_of_every_method_is_captured(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    def run(cuda_graph: bool) -> list[float]:
        torch.manual_seed(0)
        recipe = RECIPES[f"{name}-omniglot-5w1s"]
        method = build(recipe).to("cuda")
        optimizer, scheduler = optimiser(recipe, method)
        tasks = EpisodeSampler(blobs(size=28).to("cuda"), 5, recipe.train_shot, 3)
        train = partial(fit, method, tasks, 10, batch_size=2, progress=False)
        return train(optimizer=optimizer, scheduler=scheduler, cuda_graph=cuda_graph).loss

    assert run(True) == pytest.approx(run(False), rel=0.02, abs=1e-3)
    assert "no CUDA graph" not in capsys.readouterr().out
