"""MAML: the meta-gradient against closed forms, finite differences and a plain-autograd copy; the contract; errors."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import assert_close, devices, easy_sampler, feature_episode, image_episode, regression_episode
from torch import Tensor, nn
from torch.func import functional_call, replace_all_batch_norm_modules_
from torch.nn import functional as F

from fslbook import MAML, Episode, FewShotClassifier, MetaSGD, conv_classifier, evaluate, fit
from fslbook.common.memory_use import peak_memory

FORMS = ["loop", "vmap"]
VARIANTS = [
    {"form": "loop"},
    {"form": "vmap"},
    {"form": "loop", "recompute": True},
    {"form": "vmap", "recompute": True},
]


def mlp(n_way: int = 3, features: int = 5) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(features, 6), nn.Tanh(), nn.Linear(6, n_way)).double()


def small_conv(n_way: int = 3, track: bool = False) -> nn.Sequential:
    """Two convolutions with batch norm for 8×8 images; γ and β are not at their initial values."""
    torch.manual_seed(0)
    norms = [nn.BatchNorm2d(4, track_running_stats=track) for _ in range(2)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias)
    blocks = [nn.Conv2d(1, 4, 3, stride=2), norms[0], nn.Tanh(), nn.Conv2d(4, 4, 3), norms[1], nn.Tanh()]
    return nn.Sequential(*blocks, nn.Flatten(1), nn.Linear(4, n_way)).double()


def meta_gradient(method: nn.Module, episode: Episode) -> list[Tensor]:
    parameters = [p for p in method.parameters() if p.requires_grad]
    return [*torch.autograd.grad(method.loss(episode), parameters, materialize_grads=True)]


def assert_all_close(actual: list[Tensor], expected: list[Tensor] | list[np.ndarray]) -> None:
    assert len(actual) == len(expected)
    for ours, theirs in zip(actual, expected, strict=True):
        assert_close(ours, theirs)


# --- The meta-gradient -------------------------------------------------------------------------------------------


def quadratic_task(x: Tensor, y: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """H and b of the gradient H w - b that the mean squared error of a linear model has; x [M, D], y [M, 1]."""
    x, y = x.numpy(), y.numpy()
    return 2 / len(x) * x.T @ x, 2 / len(x) * x.T @ y[:, 0]


def closed_form(w: np.ndarray, episode: Episode, lr: float, steps: int, first_order: bool = False) -> np.ndarray:
    """(I - αH)ᵏᵀ (H_Q w_k - b_Q), averaged over tasks, with w_k = (I - αH)ᵏ w + α Σ_j (I - αH)ʲ b."""
    gradients = []
    for task in range(episode.batch_size):
        h, b = quadratic_task(episode.support_x[task], episode.support_y[task])
        h_query, b_query = quadratic_task(episode.query_x[task], episode.query_y[task])
        shrink = np.eye(len(w)) - lr * h
        powers = [np.linalg.matrix_power(shrink, j) for j in range(steps + 1)]
        adapted = powers[steps] @ w + lr * sum(powers[j] @ b for j in range(steps))
        slope = h_query @ adapted - b_query
        gradients.append(slope if first_order else powers[steps].T @ slope)
    return np.mean(gradients, axis=0)


def linear_maml(**options: object) -> MAML:
    torch.manual_seed(0)
    return MAML(nn.Linear(4, 1, bias=False).double(), 0.15, loss=F.mse_loss, **options)


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("variant", VARIANTS)
def test_meta_gradient_of_quadratic_tasks_equals_the_closed_form(
    variant: dict[str, object], steps: int, first_order: bool
) -> None:
    episode = regression_episode(features=4)
    method = linear_maml(inner_steps=steps, first_order=first_order, **variant)
    w = method.network.weight[0].detach().numpy()
    (gradient,) = meta_gradient(method, episode)
    assert_close(gradient[0], closed_form(w, episode, 0.15, steps, first_order))
    other = closed_form(w, episode, 0.15, steps, not first_order)
    assert np.linalg.norm(gradient[0].numpy() - other) > 0.05 * np.linalg.norm(other)


class DeepCopied(MAML):
    """The mistake that circulates: a copy of the learner adapts, and the graph back to the initialisation is cut."""

    def adapt(self, x: Tensor, y: Tensor, steps: int | None = None, *, n_way: int | None = None) -> dict[str, Tensor]:
        copy = deepcopy(self.network)
        optimizer = torch.optim.SGD(copy.parameters(), self.inner_lr)
        with torch.enable_grad():
            for _ in range(self.inner_steps):
                optimizer.zero_grad()
                self.loss_function(copy(x), y).backward()
                optimizer.step()
        return dict(copy.named_parameters())


def test_a_deep_copied_learner_is_caught() -> None:
    episode = regression_episode(features=4)
    honest = linear_maml(form="loop", inner_steps=2)
    copied = DeepCopied(honest.network, 0.15, 2, loss=F.mse_loss, form="loop")
    assert_close(copied(episode), honest(episode))  # it predicts the same, so that no accuracy betrays it
    w = honest.network.weight[0].detach().numpy()
    (gradient,) = meta_gradient(copied, episode)
    assert not gradient.any()
    with pytest.raises(AssertionError):
        assert_close(gradient[0], closed_form(w, episode, 0.15, 2))


@pytest.mark.parametrize("adapted", [None, ("2.",)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_meta_gradient_equals_finite_differences(variant: dict[str, object], adapted: tuple[str, ...] | None) -> None:
    method, episode = MAML(mlp(), 0.4, 3, adapted=adapted, **variant), feature_episode((2, 1, 3), n_query=7, batch=2)
    for parameter, gradient in zip(method.parameters(), meta_gradient(method, episode), strict=True):
        slopes, flat = [], parameter.data.view(-1)
        for i in range(len(flat)):
            losses = []
            for step in (1e-5, -1e-5):
                flat[i] += step
                losses.append(method.loss(episode).item())
                flat[i] -= step
            slopes.append((losses[0] - losses[1]) / 2e-5)
        np.testing.assert_allclose(gradient.numpy().ravel(), slopes, rtol=1e-6, atol=1e-6 * np.abs(slopes).max())


@pytest.mark.parametrize("first_order", [False, True])
def test_loop_and_vmap_agree_in_float32(first_order: bool) -> None:
    torch.manual_seed(0)
    network, episode = conv_classifier(3, channels=8), image_episode(size=28, dtype=torch.float32)
    loop, at_once = (
        meta_gradient(MAML(network, inner_steps=2, form=form, first_order=first_order), episode) for form in FORMS
    )
    difference, size = (
        torch.cat([g.flatten() for g in parts]).norm()
        for parts in ([a - b for a, b in zip(loop, at_once, strict=True)], loop)
    )
    assert difference < 1e-4 * size


def plain_forward(weights: list[Tensor], x: Tensor) -> Tensor:
    """`small_conv` written out: batch norm from elementary operations, biased variance, ε = 1e-5."""
    for block in range(2):
        weight, bias, gamma, beta = weights[4 * block : 4 * block + 4]
        x = F.conv2d(x, weight, bias, stride=2 - block)
        mean = x.mean((0, 2, 3), keepdim=True)
        variance = (x - mean).square().mean((0, 2, 3), keepdim=True)
        x = torch.tanh((x - mean) / (variance + 1e-5).sqrt() * gamma.view(-1, 1, 1) + beta.view(-1, 1, 1))
    return x.flatten(1) @ weights[8].T + weights[9]


def plain_maml(weights: list[Tensor], episode: Episode, lr: float, steps: int) -> tuple[Tensor, Tensor]:
    """Logits [B, Q, N] and the mean query loss, by nothing but autograd and loops."""
    logits, losses = [], []
    for sx, sy, qx, qy in zip(episode.support_x, episode.support_y, episode.query_x, episode.query_y, strict=True):
        fast = weights
        for _ in range(steps):
            log_p = plain_forward(fast, sx).log_softmax(1)
            loss = -torch.stack([log_p[i, label] for i, label in enumerate(sy)]).mean()
            fast = [w - lr * g for w, g in zip(fast, torch.autograd.grad(loss, fast, create_graph=True), strict=True)]
        logits.append(plain_forward(fast, qx))
        log_p = logits[-1].log_softmax(1)
        losses.append(-torch.stack([log_p[i, label] for i, label in enumerate(qy)]).mean())
    return torch.stack(logits), torch.stack(losses).mean()


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("device", devices())
def test_a_convolutional_net_with_batch_norm_equals_a_plain_copy(
    variant: dict[str, object], steps: int, device: str
) -> None:
    network, episode = small_conv().to(device), image_episode().to(device)
    method = MAML(network, 0.4, steps, **variant)
    logits, loss = plain_maml([*network.parameters()], episode, 0.4, steps)
    assert_close(method(episode), logits)
    assert_close(method.loss(episode), loss)
    assert_all_close(meta_gradient(method, episode), [*torch.autograd.grad(loss, [*network.parameters()])])


@pytest.mark.parametrize("form", FORMS)
def test_the_first_order_gradient_is_that_at_the_adapted_weights(form: str) -> None:
    network, episode = small_conv(), image_episode()
    method = MAML(network, 0.4, 2, first_order=True, form=form)
    oracle = [torch.zeros_like(p) for p in network.parameters()]
    for task in episode.tasks():
        adapted = method.adapt(task.support_x[0], task.support_y[0])
        leaves = {name: w.detach().requires_grad_() for name, w in adapted.items()}
        loss = F.cross_entropy(functional_call(network, leaves, (task.query_x[0],)), task.query_y[0])
        for total, gradient in zip(oracle, torch.autograd.grad(loss, [*leaves.values()]), strict=True):
            total += gradient / episode.batch_size
    assert_all_close(meta_gradient(method, episode), oracle)
    second_order = meta_gradient(MAML(network, 0.4, 2, form=form), episode)
    assert any((a - b).norm() > 0.05 * b.norm() for a, b in zip(oracle, second_order, strict=True))


# --- Relatives ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_meta_sgd_with_equal_rates_is_maml(form: str, first_order: bool) -> None:
    network, episode, options = small_conv(), image_episode(), {"form": form, "first_order": first_order}
    maml, meta_sgd = MAML(network, 0.3, 2, **options), MetaSGD(network, 0.3, 2, **options)
    assert_close(meta_sgd(episode), maml(episode))
    n = len([*network.parameters()])
    assert_all_close(meta_gradient(meta_sgd, episode)[:n], meta_gradient(maml, episode))
    assert [r.shape for r in meta_sgd.rates] == [p.shape for p in network.parameters()]


@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_of_a_rate_is_minus_the_product_of_both_gradients(form: str) -> None:
    episode = regression_episode(features=4)
    torch.manual_seed(0)
    method = MetaSGD(nn.Linear(4, 1, bias=False).double(), 0.1, loss=F.mse_loss, form=form)
    rates = torch.tensor([[0.05, 0.1, -0.02, 0.2]], dtype=torch.float64)
    method.rates[0].data.copy_(rates)
    w, expected = method.network.weight[0].detach().numpy(), []
    for task in range(episode.batch_size):
        h, b = quadratic_task(episode.support_x[task], episode.support_y[task])
        h_query, b_query = quadratic_task(episode.query_x[task], episode.query_y[task])
        inner = h @ w - b
        expected.append(-(h_query @ (w - rates[0].numpy() * inner) - b_query) * inner)
    assert_close(meta_gradient(method, episode)[1][0], np.mean(expected, axis=0))


@pytest.mark.parametrize("adapted", [("2.",), ["2."], lambda name: name.startswith("2")])
def test_with_the_head_alone_adapted_the_body_stays(adapted: object) -> None:
    network, episode = mlp(), feature_episode((2, 1, 3))
    method = MAML(network, 0.4, 2, adapted=adapted)
    weights = method.adapt(episode.support_x[0], episode.support_y[0])
    assert [*weights] == ["2.weight", "2.bias"]
    assert all(not torch.equal(w, network.get_parameter(name)) for name, w in weights.items())
    features = network[:2](episode.support_x[0]).detach()  # the head alone, by hand
    head = [p.detach().requires_grad_() for p in network[2].parameters()]
    for _ in range(2):
        loss = F.cross_entropy(features @ head[0].T + head[1], episode.support_y[0])
        gradients = torch.autograd.grad(loss, head)
        head = [(w - 0.4 * g).detach().requires_grad_() for w, g in zip(head, gradients, strict=True)]
    assert_all_close([*weights.values()], head)
    assert all(g.any() for g in meta_gradient(method, episode))  # yet the body is meta-learned


# --- The contract ------------------------------------------------------------------------------------------------


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


def peak(form: str, *, n_tasks: int = 2, steps: int = 1, grad: bool = True, **options: object) -> int:
    torch.manual_seed(0)
    method = MAML(conv_classifier(3, channels=8), inner_steps=steps, form=form, **options)
    episode = image_episode((3, 3, 3), n_query=3, batch=n_tasks, size=28, dtype=torch.float32)

    def work() -> None:
        with torch.set_grad_enabled(grad):
            loss = method.loss(episode)
        if grad:
            loss.backward()

    work()  # gradients that stay, and what libraries keep, are not counted
    return peak_memory(work)


@pytest.mark.parametrize("form", FORMS)
def test_memory_grows_with_the_inner_steps_but_hardly_when_they_are_recomputed(form: str) -> None:
    one, two, six = (peak(form, n_tasks=1, steps=steps) for steps in (1, 2, 6))
    assert six - one == pytest.approx(5 * (two - one), rel=0.05)  # linear
    recomputed = [peak(form, n_tasks=1, steps=steps, recompute=True) for steps in (1, 6)]
    assert recomputed[1] - recomputed[0] < (six - one) / 10


@pytest.mark.parametrize("options", [{"grad": False}, {"first_order": True}])
@pytest.mark.parametrize("form", FORMS)
def test_memory_does_not_grow_with_the_inner_steps_where_no_graph_is_needed(
    form: str, options: dict[str, bool]
) -> None:
    assert peak(form, steps=5, **options) < 1.1 * peak(form, steps=2, **options)


def test_memory_of_the_loop_does_not_grow_with_the_number_of_tasks() -> None:
    assert peak("loop", n_tasks=8) < 1.1 * peak("loop", n_tasks=2)
    assert peak("vmap", n_tasks=8) > 2 * peak("vmap", n_tasks=2)


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


def test_the_form_that_is_chosen() -> None:
    assert MAML(mlp())._chosen_form() == "vmap"
    assert MAML(small_conv())._chosen_form() == "loop"
    assert MAML(nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 3)))._chosen_form() == "loop"
    assert MAML(small_conv(), form="vmap")._chosen_form() == "vmap"
    assert MAML(mlp(), form="loop")._chosen_form() == "loop"


# --- Batch norm, buffers, frozen and shared parameters -------------------------------------------------------------


def test_running_statistics_are_updated_by_the_loop_and_used_in_evaluation_mode() -> None:
    tracking, episode = small_conv(track=True), image_episode()
    method = MAML(tracking, 0.4, 2)
    assert_close(method(episode), MAML(small_conv(), 0.4, 2)(episode))  # in training mode: statistics of the batch
    assert int(tracking[1].num_batches_tracked) == episode.batch_size * 3
    query = method.eval()(episode)
    alone = [
        method(replace(episode, query_x=episode.query_x[:, [q]], query_y=episode.query_y[:, [q]])) for q in range(3)
    ]
    assert_close(torch.cat(alone, dim=1), query[:, :3])


@pytest.mark.parametrize("options", [{"form": "vmap"}, {"recompute": True}])
def test_running_statistics_are_refused_where_they_cannot_be_served(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"Sequential keeps running statistics.*replace_all_batch_norm_modules_"):
        MAML(small_conv(track=True), **options)
    MAML(replace_all_batch_norm_modules_(small_conv(track=True)), **options)


@pytest.mark.parametrize("form", FORMS)
def test_frozen_parameters_neither_adapt_nor_learn(form: str) -> None:
    network, episode = mlp(), feature_episode((2, 1, 3))
    network[0].requires_grad_(False)
    method = MAML(network, 0.4, 2, form=form)
    assert [*method.adapt(episode.support_x[0], episode.support_y[0])] == ["2.weight", "2.bias"]
    assert_close(method(episode), MAML(mlp(), 0.4, 2, form=form, adapted=("2.",))(episode))
    method.loss(episode).backward()
    assert network[0].weight.grad is None
    assert network[2].weight.grad.any()


class Tied(nn.Module):
    """One matrix used twice, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(5, 5, bias=False).double(), nn.Linear(5, 5, bias=False).double()
        self.second.weight = self.first.weight
        self.register_buffer("shift", torch.arange(5.0).double())

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.tanh(self.first(x) + self.shift))[:, :3]


@pytest.mark.parametrize("form", FORMS)
def test_shared_parameters_stay_shared_while_they_adapt(form: str) -> None:
    network, episode = Tied(), feature_episode((2, 1, 3), batch=1)
    weight = network.first.weight
    logits = lambda w, x: (torch.tanh(x @ w.T + network.shift) @ w.T)[:, :3]  # noqa: E731
    (gradient,) = torch.autograd.grad(
        F.cross_entropy(logits(weight, episode.support_x[0]), episode.support_y[0]), weight, create_graph=True
    )
    expected = logits(weight - 0.4 * gradient, episode.query_x[0])
    method = MAML(network, 0.4, form=form)
    assert_close(method(episode)[0], expected)
    (oracle,) = torch.autograd.grad(F.cross_entropy(expected, episode.query_y[0]), weight)
    assert_all_close(meta_gradient(method, episode), [oracle])


class WithSpare(nn.Module):
    """A parameter that no output depends on."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.spare = mlp(), nn.Parameter(torch.ones(2).double())

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x)


@pytest.mark.parametrize("form", FORMS)
def test_a_parameter_without_influence_is_no_obstacle(form: str) -> None:
    episode = feature_episode((2, 1, 3))
    method = MAML(WithSpare(), 0.4, 2, form=form)
    assert_close(method(episode), MAML(mlp(), 0.4, 2, form=form)(episode))
    assert not meta_gradient(method, episode)[0].any()


# --- Errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inner_lr": 0.0}, "inner_lr must be positive, got 0.0"),
        ({"inner_lr": -0.1}, "inner_lr must be positive, got -0.1"),
        ({"inner_lr": float("nan")}, "inner_lr must be positive, got nan"),
        ({"inner_steps": 0}, "inner_steps must be a whole number of at least 1, got 0"),
        ({"inner_steps": 1.5}, "inner_steps must be a whole number of at least 1, got 1.5"),
        ({"test_steps": -1}, "test_steps must be a whole number of at least 0, got -1"),
        ({"form": "map"}, "unknown form 'map'; known are 'loop', 'vmap' and None"),
        ({"adapted": ("head",)}, "Sequential has no trainable parameters that could adapt"),
    ],
)
def test_impossible_settings_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MAML(mlp(), **options)


def test_a_network_with_nothing_to_train_is_refused() -> None:
    for network in (nn.Flatten(), mlp().requires_grad_(False)):
        with pytest.raises(ValueError, match="has no trainable parameters that could adapt"):
            MAML(network)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_way", [2, 4])
@pytest.mark.parametrize("steps", [0, 1])
def test_a_network_of_the_wrong_width_is_refused(n_way: int, form: str, steps: int) -> None:
    method = MAML(mlp(n_way), form=form, test_steps=steps).eval()
    with pytest.raises(ValueError, match=rf"must give outputs \[M, n_way\] = \[\d, 3\] .* got \[\d, {n_way}\]"):
        method(feature_episode())


@pytest.mark.parametrize("form", FORMS)
def test_a_loss_that_is_not_one_number_is_refused(form: str) -> None:
    loss: Callable[[Tensor, Tensor], Tensor] = lambda x, y: F.cross_entropy(x, y, reduction="none")  # noqa: E731
    with pytest.raises(ValueError, match=r"the loss must be one number, .* got shape \[6\]"):
        MAML(mlp(), form=form, loss=loss)(feature_episode())


@pytest.mark.parametrize("form", FORMS)
def test_a_support_loss_that_is_not_finite_names_the_step(form: str) -> None:
    episode = regression_episode(features=4)
    method = MAML(nn.Linear(4, 1).double(), 1e200, 5, loss=F.mse_loss, form=form)
    with pytest.raises(FloatingPointError, match="the support loss is not finite at inner step 2 of 5: lower inner_lr"):
        method(episode)
