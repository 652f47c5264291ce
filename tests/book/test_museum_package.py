"""The tests that the museum tells the reader to copy accept the package."""

from __future__ import annotations

import pytest
import torch
from test_museum import ROOMS, _names
from torch import nn
from torch.nn import functional as F

from fslbook import (
    MAML,
    Conv4,
    Episode,
    EpisodeSampler,
    Evaluation,
    ImageClasses,
    MatchingNetwork,
    PrototypicalNetwork,
    Reptile,
)
from fslbook.evaluation import evaluation_mode
from fslbook.methods import negative_squared_distances
from fslbook.networks.losses import contrastive_loss, pair_distances

TESTS = {test.__name__: test for room in ROOMS for test, _, _ in _names(room)["MUSEUM"]}


def _classes(number, n_images):
    images = torch.zeros(number * n_images, 1, 4, 4, dtype=torch.uint8)
    return ImageClasses(images, torch.full((number,), n_images), tuple(map(str, range(number))))


def _drawn(number, n_images, *sizes):
    return EpisodeSampler(_classes(number, n_images), *sizes, seed=int(torch.randint(10**6, ()))).sample_indices()


def draw_classes(n_classes, n_way):
    return _drawn(n_classes, 2, n_way, 1, 1)[0][0].tolist()


def draw_images(n_images, k_shot, n_query):
    rows = _drawn(2, n_images, 2, k_shot, n_query)[1][0, 0].tolist()
    return rows[:k_shot], rows[k_shot:]


def is_better(a, b):
    difference = Evaluation(a, "the same") - Evaluation(b, "the same")
    return difference.mean > difference.ci95


def matching_logits(queries, support):
    labels = torch.arange(len(support))[None]
    return MatchingNetwork(nn.Identity()).classify(Episode(support[None], labels, queries[None], labels, len(support)))[
        0
    ]


def maml_loss(network, task, inner_lr):
    return MAML(network, inner_lr, loss=F.mse_loss).loss(task)


def maml_step(network, task, inner_lr):
    return MAML(network, inner_lr, loss=F.mse_loss).adapt(task.support_x[0], task.support_y[0])


@torch.no_grad()
def answer(method, episode):
    with evaluation_mode(method):
        return method(episode)


PACKAGE = {
    "test_no_class_occurs_twice": draw_classes,
    "test_no_image_has_two_roles": draw_images,
    "test_it_pulls_and_pushes_the_right_pairs": contrastive_loss,
    "test_the_push_ends_at_the_margin": lambda a, b, margin: contrastive_loss(
        pair_distances(a, b), torch.ones(len(a)), margin
    ),
    "test_three_and_four_make_twenty_five": lambda z, c: negative_squared_distances(z[None], c[None])[0],
    "test_it_recognises_its_own_support": lambda: PrototypicalNetwork(Conv4(channels=16)),
    "test_perfect_features_allow_certainty": matching_logits,
    "test_equals_seldom_win_and_better_ones_do": is_better,
    "test_the_gradient_arrives": maml_loss,
    "test_it_listens_to_its_support": maml_loss,
    "test_the_gradient_is_the_slope": maml_loss,
    "test_the_queries_decide": maml_loss,
    "test_the_gradient_is_what_is_found": lambda network, task, inner_lr: torch.autograd.grad(
        maml_loss(network, task, inner_lr), [*network.parameters()]
    ),
    "test_a_small_step_lowers_the_support_loss": maml_step,
    "test_a_query_is_answered_alone": answer,
}


@pytest.mark.parametrize("name", PACKAGE)
def test_the_package_is_accepted(name):
    torch.manual_seed(0)
    TESTS[name](PACKAGE[name])


def test_first_order_is_caught_where_it_should_be():
    with pytest.raises(AssertionError):
        TESTS["test_the_gradient_is_the_slope"](
            lambda network, task, inner_lr: MAML(network, inner_lr, loss=F.mse_loss, first_order=True).loss(task)
        )


def test_reptile_steps_towards_the_solution():
    """The package has no function of one step; its loss must have the sign that an optimiser needs."""
    torch.manual_seed(0)
    network = nn.Linear(1, 1)
    method, x = Reptile(network, 0.01, inner_steps=20, inner_batch=4, loss=F.mse_loss), torch.rand(1, 8, 1)
    task = Episode(x[:, :4], 3 * x[:, :4], x[:, 4:], 3 * x[:, 4:], n_way=1, check=False)
    before = F.mse_loss(network(x), 3 * x)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    method.loss(task).backward()
    optimizer.step()
    assert F.mse_loss(network(x), 3 * x) < before
