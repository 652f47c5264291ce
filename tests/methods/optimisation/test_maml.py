"""What MAML promises: order, names and company do not matter; it learns; the adapted weights."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from adapting import FORMS, VARIANTS, mlp, small_conv
from helpers import assert_close, easy_sampler, feature_episode, image_episode
from torch import nn
from torch.func import functional_call

from fslbook import MAML, FewShotClassifier, conv_classifier, evaluate, fit


@pytest.mark.parametrize("form", FORMS)
def test_the_order_of_the_support_does_not_matter(form: str) -> None:
    method, episode = MAML(small_conv(), 0.4, 3, form=form), image_episode((2, 1, 3))
    order = torch.randperm(6, generator=torch.Generator().manual_seed(1))
    shuffled = replace(episode, support_x=episode.support_x[:, order], support_y=episode.support_y[:, order])
    assert_close(method(shuffled), method(episode))


@pytest.mark.parametrize("form", FORMS)
def test_other_names_for_the_classes_and_a_head_in_their_order_change_nothing(form: str) -> None:
    network, episode, new_name = mlp(), feature_episode((2, 1, 3)), torch.tensor([2, 0, 1])
    logits = MAML(network, 0.4, 3, form=form)(episode)
    for parameter in network[2].parameters():
        parameter.data[new_name] = parameter.data.clone()
    renamed = replace(episode, support_y=new_name[episode.support_y], query_y=new_name[episode.query_y])
    assert_close(MAML(network, 0.4, 3, form=form)(renamed)[..., new_name], logits)


@pytest.mark.parametrize("form", FORMS)
def test_query_labels_have_no_influence_on_the_logits(form: str) -> None:
    method, episode = MAML(mlp(), form=form), feature_episode()
    blind = replace(episode, query_y=torch.full_like(episode.query_y, -(10**9)), check=False)
    assert torch.equal(method(blind), method(episode))


@pytest.mark.parametrize("form", FORMS)
def test_tasks_of_a_batch_do_not_influence_each_other(form: str) -> None:
    method, episode = MAML(small_conv(), 0.4, 2, form=form), image_episode(batch=4)
    assert_close(method(episode), torch.cat([method(task) for task in episode.tasks()]))
    assert_close(method.loss(episode), torch.stack([method.loss(task) for task in episode.tasks()]).mean())


@pytest.mark.parametrize("form", FORMS)
def test_other_numbers_of_steps_at_test(form: str) -> None:
    network, episode = mlp(), feature_episode((2, 1, 3))
    method = MAML(network, 0.4, 2, test_steps=5, form=form)
    assert_close(method.train()(episode), MAML(network, 0.4, 2, form=form)(episode))
    assert_close(method.eval()(episode), MAML(network, 0.4, 5, form=form)(episode))
    method.test_steps = 0
    assert_close(method(episode), network(episode.query_x))
    assert_close(MAML(network, 0.4, 2, form=form).eval()(episode), method.train()(episode))


def test_adapt_gives_fast_weights_and_leaves_the_network() -> None:
    network, episode = mlp(), feature_episode((2, 1, 3), batch=1)
    before = deepcopy(network.state_dict())
    method = MAML(network, 0.4, 1)
    weights = method.adapt(episode.support_x[0], episode.support_y[0], steps=3)
    assert all(torch.equal(w, before[name]) for name, w in network.state_dict().items())
    method.inner_steps = 3
    assert_close(functional_call(network, weights, (episode.query_x[0],)), method(episode)[0])
    assert [*method.adapt(episode.support_x[0], episode.support_y[0], steps=0)] == [*before]


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_gradients_the_logits_are_the_same_and_no_graph_is_kept(variant: dict[str, object]) -> None:
    network, episode = small_conv(), image_episode()
    method = MAML(network, 0.4, 2, **variant)
    with torch.no_grad():
        logits, loss = method(episode), method.loss(episode)
        weights = method.adapt(episode.support_x[0], episode.support_y[0])
    assert not any(t.requires_grad for t in (logits, loss, *weights.values()))
    assert_close(logits, method(episode))
    assert_close(loss, method.loss(episode))
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.parametrize("form", FORMS)
def test_fit_sees_the_logits_of_every_task_and_learns(form: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(1), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 5))
    method, test, first = MAML(network, 0.4, form=form), easy_sampler(seed=9), easy_sampler().sample(4)
    before = evaluate(method, test, 50)
    expected = (method(first).argmax(-1) == first.query_y).double().mean().item()
    optimizer = torch.optim.Adam(method.parameters(), lr=0.01)
    history = fit(method, easy_sampler(), 100, batch_size=4, optimizer=optimizer, progress=False)
    assert history.accuracy[0] == pytest.approx(expected)
    assert evaluate(method, test, 50).mean > before.mean + 0.2


def test_it_classifies_images_of_a_user() -> None:
    torch.manual_seed(0)
    method = MAML(conv_classifier(2, channels=4), 0.1, test_steps=5)
    images = torch.cat([torch.zeros(3, 28, 28), torch.ones(3, 28, 28)]) * torch.rand(6, 28, 28)
    classifier = FewShotClassifier(method).fit(images[[0, 1, 3]], ["dark", "dark", "light"])
    assert classifier.predict(images).tolist() == ["dark"] * 3 + ["light"] * 3
