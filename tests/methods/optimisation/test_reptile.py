"""Reptile against torch.optim.Adam in a plain loop, and its outer step against the paper's."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from helpers import assert_close, blobs, devices, easy_sampler, feature_episode
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import LinearLR

from fslbook import Episode, EpisodeSampler, Reptile, evaluate, fit
from fslbook.methods.optimisation.reptile import minibatches
from fslbook.networks.classifiers import conv_classifier


def mlp(n_way: int = 3, features: int = 5) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(features, 6), nn.Tanh(), nn.Linear(6, n_way)).double()


def image_mlp() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(1), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 5))


def image_tasks(number: int, seed: int) -> Episode:
    drawn = EpisodeSampler(blobs(size=28), 5, 2, 3, seed=seed).sample(number)
    return replace(drawn, support_x=drawn.support_x.double(), query_x=drawn.query_x.double())


def task_set(task: Episode) -> tuple[Tensor, Tensor]:
    return torch.cat([task.support_x[0], task.query_x[0]]), torch.cat([task.support_y[0], task.query_y[0]])


def plain_training(
    learner: nn.Module, adam: Adam, start: dict[str, Tensor], x: Tensor, y: Tensor, rows: Tensor
) -> list[Tensor]:
    """Set the weights back, then train by a torch optimiser that remembers what it has seen before."""
    learner.load_state_dict(start)
    for batch in rows:
        adam.zero_grad()
        F.cross_entropy(learner(x[batch]), y[batch]).backward()
        adam.step()
    return [p.detach().clone() for p in learner.parameters()]


@pytest.mark.parametrize("device", devices())
def test_training_equals_torch_adam_with_moments_carried_and_weights_reset(device: str) -> None:
    episode = feature_episode((2, 1, 3), n_query=7, batch=3).to(device)
    method = Reptile(mlp().to(device), 0.05, inner_steps=4, inner_batch=5)
    learner, start = deepcopy(method.network), deepcopy(method.network.state_dict())
    adam = Adam(learner.parameters(), 0.05, betas=(0.0, 0.999))
    for _ in range(2):  # the second call goes on with the moments of the first
        torch.manual_seed(3)
        loss = method.loss(episode)
        torch.manual_seed(3)
        ends = []
        for task in episode.tasks():
            x, y = task_set(task)
            ends.append(plain_training(learner, adam, start, x, y, minibatches(len(x), 5, 4, device=device)))
        slopes = [
            p - torch.stack(weights).mean(0) for p, weights in zip(start.values(), zip(*ends, strict=True), strict=True)
        ]
        for ours, theirs in zip(torch.autograd.grad(loss, [*method.network.parameters()]), slopes, strict=True):
            assert_close(ours, theirs)
        halves = [sum((p - w).square().sum() for p, w in zip(start.values(), end, strict=True)) / 2 for end in ends]
        assert_close(loss, torch.stack(halves).mean())


def test_evaluation_starts_from_the_training_moments_and_restores_them() -> None:
    episode, test = feature_episode((2, 1, 3), n_query=7, batch=2), feature_episode((2, 1, 3), batch=3, seed=1)
    method = Reptile(mlp(), 0.05, inner_steps=4, inner_batch=5, test_steps=6, test_batch=6)
    learner, start = deepcopy(method.network), deepcopy(method.network.state_dict())
    adam = Adam(learner.parameters(), 0.05, betas=(0.0, 0.999))
    torch.manual_seed(3)
    method.loss(episode)
    torch.manual_seed(3)
    for task in episode.tasks():
        x, y = task_set(task)
        plain_training(learner, adam, start, x, y, minibatches(len(x), 5, 4))
    saved, buffers, logits = deepcopy(adam.state_dict()), [b.clone() for b in method.moments.buffers()], []
    for task in test.tasks():  # batches of the whole support, so that the order of the images does not matter
        adam.load_state_dict(deepcopy(saved))
        plain_training(learner, adam, start, task.support_x[0], task.support_y[0], torch.arange(6).expand(6, -1))
        logits.append(learner(task.query_x[0]))
    assert_close(method.eval()(test), torch.stack(logits))
    assert all(torch.equal(a, b) for a, b in zip(method.moments.buffers(), buffers, strict=True))
    assert buffers[-1] == 8 and buffers[0].any()


@pytest.mark.parametrize("question", ["forward", "one_at_a_time", "with_support"])
def test_all_tasks_at_once_answer_as_one_after_the_other(question: str) -> None:
    torch.manual_seed(0)
    network = conv_classifier(5, channels=4).double()  # in float32 Adam makes rounding as large as a step
    method = Reptile(network, 0.01, inner_batch=4, test_steps=7, test_batch=3)
    method.loss(image_tasks(2, seed=0))  # the moments are no longer zero
    task = image_tasks(3, seed=1)
    answers, moments = [], [moment.clone() for moment in method.moments.buffers()]
    for method.form in ("loop", "vmap"):
        answers.append(getattr(method.eval(), question)(task))
    torch.testing.assert_close(answers[1], answers[0], rtol=1e-6, atol=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(method.moments.buffers(), moments, strict=True))


def test_minibatches_cycle_through_shuffled_passes_without_replacement() -> None:
    rows = minibatches(7, batch_size=3, number=10, generator=torch.Generator().manual_seed(0))
    assert rows.shape == (10, 3)
    passes = [part.tolist() for part in rows.flatten().split(7)]
    assert all(sorted(part) == [*range(7)] for part in passes[:-1])
    assert len({tuple(part) for part in passes[:-1]}) > 1
    assert max(Counter(passes[-1]).values()) == 1
    assert minibatches(5, batch_size=10, number=2).sort(dim=1).values.tolist() == [sorted([*range(5)] * 2)] * 2
    assert minibatches(5, batch_size=2, number=0).shape == (0, 2)


def test_fit_with_sgd_makes_the_step_of_the_paper() -> None:
    method = Reptile(image_mlp(), 0.01, inner_steps=3, inner_batch=4)
    still, sampler = deepcopy(method), easy_sampler()
    optimizer = SGD(method.parameters(), lr=1.0)
    schedule = LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=4)
    torch.manual_seed(5)
    fit(method, sampler, 4, batch_size=2, optimizer=optimizer, scheduler=schedule, progress=False)
    torch.manual_seed(5)
    again = easy_sampler()
    for step in range(4):
        episode, ends = again.sample(2), []
        theta = [p.detach().clone() for p in still.network.parameters()]
        for task in episode.tasks():
            x, y = task_set(task)
            rows = minibatches(len(x), 4, 3)
            loss = still._loss_on(x, y, 5)
            weights = still._descend(loss, still.initial_weights(), rows, [*still.moments.buffers()])
            ends.append([*weights.values()])
        epsilon = 1 - step / 4
        for index, p in enumerate(still.network.parameters()):
            p.data = theta[index] + epsilon * (torch.stack([end[index] for end in ends]).mean(0) - theta[index])
    for ours, theirs in zip(method.network.parameters(), still.network.parameters(), strict=True):
        assert_close(ours, theirs)


@pytest.mark.slow
def test_it_learns_and_evaluates_the_same_each_time() -> None:
    method, test = Reptile(image_mlp(), 0.01, inner_steps=8, inner_batch=5, test_steps=10), easy_sampler(seed=9)
    before = evaluate(method, test, 50)
    fit(method, easy_sampler(), 60, batch_size=4, optimizer=SGD(method.parameters(), lr=0.5), progress=False)
    after = evaluate(method, test, 50)
    assert after.mean > before.mean + 0.1
    state = torch.get_rng_state()
    assert torch.equal(evaluate(method, test, 50).per_episode, after.per_episode)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inner_lr": 0.0}, "inner_lr must be positive, got 0.0"),
        ({"inner_steps": 0}, "inner_steps must be a whole number of at least 1, got 0"),
        ({"test_steps": -1}, "test_steps must be a whole number of at least 0, got -1"),
        ({"inner_batch": 0}, "inner_batch must be a whole number of at least 1, got 0"),
        ({"test_batch": 0}, "test_batch must be a whole number of at least 1, got 0"),
    ],
)
def test_impossible_settings_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Reptile(mlp(), **options)


def test_a_loss_that_is_not_finite_names_the_step() -> None:
    method = Reptile(mlp(), inner_lr=1e308)
    with pytest.raises(FloatingPointError, match="not finite at inner step 2 of 50"):
        method.eval()(feature_episode())
