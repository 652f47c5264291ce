"""The LSTM meta-learner of Ravi and Larochelle (2017) against loops in NumPy, plain SGD and finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from adapting import FORMS, assert_all_close, mlp
from helpers import assert_close, feature_episode
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook import MAML, Episode, LearnedOptimiser
from fslbook.networks.gate_cell import GateCell


def method(form: str = "loop", steps: int = 3, scale: float = 1.0) -> LearnedOptimiser:
    """A learner of three classes whose cell is far from its initial values, so that all of it counts."""
    made = LearnedOptimiser(mlp(), steps, n_hidden=4).double()
    torch.manual_seed(1)
    for p in made.cell.parameters():
        nn.init.normal_(p, std=scale)
    made.form = form
    return made


def sigmoid(x: np.ndarray | float) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(x)))


def preprocessed(x: float) -> list[float]:
    if abs(x) >= math.exp(-10):
        return [math.log(abs(x)) / 10, math.copysign(1.0, x)]
    return [-1.0, math.exp(10) * x]


def one_step(cell: GateCell, gradient: float, loss: float, weight: float, state: list) -> tuple[float, list]:
    """The update of one weight, written out; the state is h, c and both gates before the sigmoid."""
    own = {name: p.detach().numpy() for name, p in cell.named_parameters()}
    h, c, f, i = state
    read = np.array(preprocessed(gradient) + preprocessed(loss))
    parts = own["lstm.weight_ih"] @ read + own["lstm.bias_ih"] + own["lstm.weight_hh"] @ h + own["lstm.bias_hh"]
    enter, forget, new, out = np.split(parts, 4)
    c = sigmoid(forget) * c + sigmoid(enter) * np.tanh(new)
    h = sigmoid(out) * np.tanh(c)
    f = float(own["forget.weight"][0] @ np.array([*h, weight, f]) + own["forget.bias"][0])
    i = float(own["step.weight"][0] @ np.array([*h, weight, i]) + own["step.bias"][0])
    return float(sigmoid(f) * weight - sigmoid(i) * gradient), [h, c, f, i]


@pytest.mark.parametrize("form", FORMS)
def test_updates_equal_a_loop_over_steps_and_weights(form: str) -> None:
    learner, episode = method(form), feature_episode((2, 1, 3))
    for task in episode.tasks():
        names = [*learner.initial_weights()]
        weights = {n: w.detach().clone() for n, w in learner.initial_weights().items()}
        states = {n: [[np.zeros(4), np.zeros(4), 0.0, 0.0] for _ in range(w.numel())] for n, w in weights.items()}
        for _ in range(3):
            at = [weights[n].clone().requires_grad_() for n in names]
            outputs = torch.tanh(task.support_x[0] @ at[0].T + at[1]) @ at[2].T + at[3]
            loss = F.cross_entropy(outputs, task.support_y[0])
            for name, gradient in zip(names, torch.autograd.grad(loss, at), strict=True):
                flat = weights[name].view(-1)
                for k, g in enumerate(gradient.flatten().tolist()):
                    old = flat[k].item()
                    flat[k], states[name][k] = one_step(learner.cell, g, loss.item(), old, states[name][k])
        adapted = learner.adapt(task.support_x[0], task.support_y[0])
        assert_all_close([w.detach() for w in adapted.values()], [*weights.values()])
        hidden = torch.tanh(task.query_x[0] @ weights[names[0]].T + weights[names[1]])
        assert_close(learner(task)[0].detach(), hidden @ weights[names[2]].T + weights[names[3]])


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_of_tasks_is_each_task_by_itself(form: str) -> None:
    learner, episode = method(form), feature_episode((2, 1, 3), batch=3)
    assert_close(learner(episode).detach(), torch.cat([learner(task).detach() for task in episode.tasks()]))


def gates_fixed_at(learner: LearnedOptimiser, forget: float, step: float) -> None:
    """Gates before the sigmoid."""
    for p in learner.cell.parameters():
        nn.init.zeros_(p)
    nn.init.constant_(learner.cell.forget.bias, forget)
    nn.init.constant_(learner.cell.step.bias, step)


@pytest.mark.parametrize("form", FORMS)
def test_with_gates_at_one_and_at_the_rate_it_is_sgd(form: str) -> None:
    learner, episode = method(form, steps=4), feature_episode((2, 1, 3))
    gates_fixed_at(learner, forget=50.0, step=math.log(0.3 / 0.7))
    logits = []
    for task in episode.tasks():
        network = mlp()
        optimizer = torch.optim.SGD(network.parameters(), lr=0.3)
        for _ in range(4):
            optimizer.zero_grad()
            F.cross_entropy(network(task.support_x[0]), task.support_y[0]).backward()
            optimizer.step()
        logits.append(network(task.query_x[0]).detach())
    assert_close(learner(episode).detach(), torch.stack(logits))


def test_the_gates_are_those_of_each_step_and_weight() -> None:
    learner, task = method(steps=2), next(iter(feature_episode((2, 1, 3)).tasks()))
    forget, step = learner.gates(task.support_x[0], task.support_y[0])
    assert forget.shape == step.shape == (2, sum(p.numel() for p in learner.network.parameters()))
    gates_fixed_at(learner, forget=1.0, step=-2.0)
    forget, step = learner.gates(task.support_x[0], task.support_y[0])
    assert_close(forget, torch.full_like(forget, float(sigmoid(1.0))))
    assert_close(step, torch.full_like(step, float(sigmoid(-2.0))))


def nudged(loss: Callable[[], Tensor], parameter: nn.Parameter) -> np.ndarray:
    """Central differences of a loss by each entry of a parameter."""
    flat, slopes = parameter.data.view(-1), []
    for k in range(len(flat)):
        old, values = flat[k].item(), []
        for change in (1e-5, -1e-5):
            flat[k] = old + change
            values.append(loss().item())
        flat[k] = old
        slopes.append((values[0] - values[1]) / 2e-5)
    return np.array(slopes).reshape(parameter.shape)


@pytest.mark.parametrize("form", FORMS)
def test_the_meta_gradient_equals_finite_differences_where_the_shortcut_is_exact(form: str) -> None:
    """With a loss linear in the weights, and blind to its size, gradient and loss really are constants."""
    torch.manual_seed(0)
    x, y = torch.randn(2, 4, 3, dtype=torch.float64), torch.randn(2, 4, 2, dtype=torch.float64)
    learner = LearnedOptimiser(nn.Linear(3, 2), 3, 4, loss=lambda out, target: (out * target).mean()).double()
    for p in learner.cell.parameters():
        nn.init.normal_(p, std=0.5)
    learner.cell.lstm.weight_ih.data[:, 2:] = 0  # does not read the loss
    learner.form = form
    episode = Episode(x, y, x.flip(1), y, n_way=2)
    parameters = [*learner.parameters()]
    found = torch.autograd.grad(learner.loss(episode), parameters)
    for p, gradient in zip(parameters, found, strict=True):
        if p is not learner.cell.lstm.weight_ih:
            assert np.allclose(gradient.numpy(), nudged(lambda: learner.loss(episode), p), atol=1e-8)
        else:
            expected = nudged(lambda: learner.loss(episode), p)[:, :2]
            assert np.allclose(gradient[:, :2].numpy(), expected, atol=1e-8)


def test_no_second_derivative_is_taken() -> None:
    """The gradient with respect to the start is f₁f₂f₃, if the gates do not read the weight."""
    learner, episode = method("vmap"), feature_episode((2, 1, 3))
    gates_fixed_at(learner, forget=1.0, step=-1.0)
    bias = learner.network[2].bias
    start = torch.autograd.grad(learner.loss(episode), bias)[0]
    ends = learner._adapt_to_all(episode)
    ends = {name: w.detach().requires_grad_() for name, w in ends.items()}
    hidden = torch.tanh(episode.query_x @ ends["0.weight"].mT + ends["0.bias"][:, None])
    logits = hidden @ ends["2.weight"].mT + ends["2.bias"][:, None]
    loss = F.cross_entropy(logits.flatten(0, 1), episode.targets.flatten())
    at_the_end = torch.autograd.grad(loss, ends["2.bias"])[0].sum(dim=0)
    assert_close(start, float(sigmoid(1.0)) ** 3 * at_the_end)


@pytest.mark.parametrize("form", FORMS)
def test_with_gates_at_one_and_at_the_rate_the_meta_gradient_is_that_of_first_order_maml(form: str) -> None:
    learner, episode = method(form, steps=2), feature_episode((2, 1, 3))
    gates_fixed_at(learner, forget=50.0, step=math.log(0.3 / 0.7))
    weights = [*learner.network.parameters()]
    found = torch.autograd.grad(learner.loss(episode), weights)
    maml = MAML(learner.network, 0.3, 2, first_order=True, form=form)
    assert_all_close([*found], [*torch.autograd.grad(maml.loss(episode), weights)])


def test_the_cell_computes_as_finely_as_the_network() -> None:
    assert {p.dtype for p in LearnedOptimiser(mlp()).parameters()} == {torch.float64}


def test_gates_begin_where_they_are_told() -> None:
    cell, weights = GateCell(start_lr=0.1), torch.linspace(-2, 2, 50)
    forget, step, _ = cell(weights.flip(0), torch.ones(50), weights, cell.start(weights))
    assert forget.min() > 0.97
    assert 0.05 < step.min() <= step.max() < 0.18  # the bias is drawn from half below to half above logit(0.1)
