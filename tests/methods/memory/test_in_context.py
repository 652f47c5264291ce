"""The learner in context: what it hands to the transformer, what order changes, and that it learns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from helpers import assert_close, feature_episode
from torch import nn
from torch.nn import functional as F

from fslbook import Episode, FewShotClassifier, InContextLearner, OneQueryAtATime, fit
from fslbook.methods import company_matters

TASK = feature_episode((2, 3, 1), n_query=4, features=5)


def learner(n_labels: int = 3, n_layers: int = 2) -> InContextLearner:
    torch.manual_seed(0)
    return InContextLearner(nn.Flatten(), 5, n_labels, width=8, n_heads=2, n_layers=n_layers).double()


def test_the_labels_are_read_as_one_hot_and_spare_ones_are_cut_off() -> None:
    method = learner(n_labels=4)
    one_hot = F.one_hot(TASK.support_y, 4).double()
    whole = method.transformer(TASK.support_x, one_hot, TASK.query_x)  # [B, Q, 4]
    assert_close(method(TASK), whole[..., :3])


def test_the_order_of_the_support_changes_nothing_and_its_labels_do() -> None:
    order, method = torch.tensor([5, 2, 0, 1, 4, 3]), learner()
    moved = replace(TASK, support_x=TASK.support_x[:, order], support_y=TASK.support_y[:, order])
    relabelled = replace(TASK, support_y=(TASK.support_y + 1) % 3)
    assert_close(method(moved), method(TASK))
    assert (method(relabelled) - method(TASK)).abs().max() > 0.01


def test_queries_do_not_see_each_other() -> None:
    method = learner()
    assert not method.queries_see_each_other
    assert not company_matters(method, TASK)
    assert_close(OneQueryAtATime(method)(TASK), method(TASK))


def test_gradients_of_the_loss_equal_finite_differences() -> None:
    method, task = learner(n_layers=1), feature_episode((2, 1, 1), n_query=2, features=5, batch=1)

    def compute(support_x: torch.Tensor, query_x: torch.Tensor) -> torch.Tensor:
        return method.loss(Episode(support_x, task.support_y, query_x, task.query_y, 3, check=False))

    assert torch.autograd.gradcheck(compute, (task.support_x.requires_grad_(), task.query_x.requires_grad_()))


class Clusters:
    """Episodes of well-separated classes made anew each time; a new class is a new point."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def sample(self, batch_size: int) -> Episode:
        centres = torch.randn(batch_size, 3, 5, generator=self.generator)
        noise = 0.1 * torch.randn(batch_size, 3, 5, generator=self.generator)
        y = torch.arange(3).expand(batch_size, 3)
        return Episode(centres, y, centres + noise, y, 3)


def test_it_learns_to_look_up_new_classes() -> None:
    method = learner(n_layers=1).float()
    before = accuracy(method)
    fit(method, Clusters(0), 300, batch_size=32, optimizer=torch.optim.AdamW(method.parameters(), 3e-3), progress=False)
    assert before < 0.6 < 0.85 < accuracy(method)


@torch.no_grad()
def accuracy(method: InContextLearner) -> float:
    task = Clusters(1).sample(200)
    return float((method(task).argmax(dim=-1) == task.targets).float().mean())


@pytest.mark.parametrize("n_way", [2, 3])
def test_it_answers_the_classifier(n_way: int) -> None:
    x, y = torch.eye(5)[:n_way, None, None], list("abc")[:n_way]
    classifier = FewShotClassifier(learner().float()).fit(x, y)
    assert set(classifier.predict(x)) <= set(y)
