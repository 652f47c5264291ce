"""A whole training step as one CUDA graph: declined in words where it cannot be, and the same learning where it can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from helpers import easy_sampler, small_method
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from fslbook import History, fit
from fslbook.data import Splits
from fslbook.paper.builders import SCHEDULES, build, optimiser
from fslbook.paper.recipes import METHODS, RECIPES
from fslbook.paper.tasks import training_tasks
from fslbook.training.cuda_graphs import why_not


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


def losses(name: str, splits: Splits, device: str, cuda_graph: bool) -> list[float]:
    """Of ten steps as the recipe takes them, on what it learns from, in five ways."""
    torch.manual_seed(0)
    recipe = RECIPES[f"{name}-omniglot-5w1s"]
    method = build(recipe).to(device)
    optimizer, scheduler = optimiser(recipe, method)
    fewer = replace(recipe, train_way=5, train_query=min(3, recipe.train_query))
    tasks = training_tasks(fewer, splits.to(device), seed=0)
    train = partial(fit, method, tasks, 10, batch_size=2, progress=False)
    return train(optimizer=optimizer, scheduler=scheduler, cuda_graph=cuda_graph).loss


@pytest.mark.parametrize("name", METHODS)
def test_ten_steps_of_a_recipe_of_every_method_have_losses(name: str, small_splits: Splits) -> None:
    steps = losses(name, small_splits, "cpu", False)
    assert len(steps) == 10
    assert len(set(steps)) == 10


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("name", METHODS)
def test_a_recipe_of_every_method_is_captured(
    name: str, small_splits: Splits, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first steps are ordinary in both runs; where kernels add in any order, FOMAML's third differs by 6 %.
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    captured, ordinary = (losses(name, small_splits, "cuda", choice) for choice in (True, False))
    assert captured == pytest.approx(ordinary, rel=0.02, abs=1e-3)
    assert "no CUDA graph" not in capsys.readouterr().out
