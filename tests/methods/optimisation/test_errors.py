"""What the adapting methods refuse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from adapting import FORMS, mlp
from helpers import feature_episode, regression_episode
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook import MAML, LearnedOptimiser, MetaSGD, Reptile
from fslbook.methods import AdaptingMethod

METHODS = [MAML, MetaSGD, Reptile, LearnedOptimiser]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inner_lr": 0.0}, "inner_lr must be positive, got 0.0"),
        ({"inner_lr": -0.1}, "inner_lr must be positive, got -0.1"),
        ({"inner_lr": float("nan")}, "inner_lr must be positive, got nan"),
        ({"inner_lr": float("inf")}, "inner_lr must be finite, got inf"),
        ({"inner_lr": "0.4"}, "inner_lr must be positive, got '0.4'"),
        ({"inner_steps": 0}, "inner_steps must be a whole number of at least 1, got 0"),
        ({"inner_steps": 1.5}, "inner_steps must be a whole number of at least 1, got 1.5"),
        ({"test_steps": -1}, "test_steps must be a whole number of at least 0, got -1"),
        ({"form": "map"}, "unknown form 'map'; known are 'loop', 'vmap' and None"),
        ({"adapted": ("head",)}, r"no trainable parameters that could adapt; choose `adapted` from \['0.w"),
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


NO_MEANS = {
    "one number for each input": partial(F.cross_entropy, reduction="none"),
    "a sum": partial(F.cross_entropy, reduction="sum"),
    "a module that sums": nn.CrossEntropyLoss(reduction="sum"),
    "a sum of squares": partial(F.mse_loss, reduction="sum"),
    "no reduction of squares": nn.MSELoss(reduction="none"),
}


@pytest.mark.parametrize("kind", NO_MEANS)
@pytest.mark.parametrize("method", METHODS)
def test_a_loss_that_is_no_mean_is_refused_at_once(method: type[AdaptingMethod], kind: str) -> None:
    with pytest.raises(ValueError, match="the loss must be one number, a mean over its inputs; take reduction='mean'"):
        method(mlp(), loss=NO_MEANS[kind])


MEANS = [F.cross_entropy, nn.CrossEntropyLoss(label_smoothing=0.1), F.mse_loss, nn.MSELoss(), F.l1_loss, F.nll_loss]


@pytest.mark.parametrize("loss", [*MEANS, nn.CrossEntropyLoss(torch.ones(7)), lambda x, y: F.cross_entropy(x, y)])
def test_a_mean_passes(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    assert MAML(mlp(), loss=loss).loss_function is loss


@pytest.mark.parametrize("method", METHODS)
def test_a_loss_that_cannot_be_called_is_refused(method: type[AdaptingMethod]) -> None:
    with pytest.raises(TypeError, match="loss must be a function loss\\(outputs, targets\\), got 'mse'"):
        method(mlp(), loss="mse")


def test_a_loss_that_depends_on_the_kind_of_targets_is_refused_when_it_is_used() -> None:
    with pytest.raises(ValueError, match=r"the loss must be one number, .* got shape \[6\]"):
        MAML(mlp(), loss=lambda x, y: (x - y).square().mean() if y.is_floating_point() else x[:, 0])(feature_episode())


@pytest.mark.parametrize("method", METHODS)
def test_cross_entropy_over_one_output_is_refused(method: type[AdaptingMethod]) -> None:
    episode = regression_episode(features=4)
    for ask in (method(nn.Linear(4, 1).double()).eval(), method(nn.Linear(4, 1).double()).loss):
        with pytest.raises(ValueError, match=r"cross-entropy over one output is 0 .*loss=torch.nn.functional.mse_loss"):
            ask(episode)
    assert torch.isfinite(method(nn.Linear(4, 1).double(), loss=F.mse_loss)(episode)).all()


def test_targets_that_would_broadcast_are_refused() -> None:
    episode = regression_episode(features=4)
    with pytest.raises(ValueError, match=r"targets \[6\] do not fit outputs \[6, 1\]"):
        MAML(nn.Linear(4, 1).double(), loss=F.mse_loss).adapt(episode.support_x[0], episode.support_y[0, :, 0])


@pytest.mark.parametrize("label", [-1, 3])
@pytest.mark.parametrize("method", METHODS)
def test_labels_outside_are_refused(method: type[AdaptingMethod], label: int) -> None:
    labels = torch.tensor([0, 1, 2, label])
    with pytest.raises(ValueError, match=r"labels must be in 0\.\.2, found (-1\.\.2|0\.\.3)"):
        method(mlp()).adapt(torch.zeros(4, 5).double(), labels, n_way=3)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_no_network_is_refused(method: type[AdaptingMethod]) -> None:
    with pytest.raises(TypeError, match=r"network must be a module, got the class Linear: call it, Linear\(\.\.\.\)"):
        method(nn.Linear)
    with pytest.raises(TypeError, match=r"network must be a torch\.nn\.Module, got None"):
        method(None)
    with pytest.raises(TypeError, match="LSTM must give a tensor, got tuple"):
        method(nn.LSTM(5, 3).double()).eval()(feature_episode())


@pytest.mark.parametrize("adapted", ["2.", ("2.",), ["2.weight", "2.bias"]])
def test_a_single_beginning_is_not_taken_for_its_letters(adapted: object) -> None:
    assert [*MAML(mlp(), adapted=adapted).initial_weights()] == ["2.weight", "2.bias"]


@pytest.mark.parametrize("adapted", [("2.", "head"), ["head", "0."]])
def test_a_beginning_that_fits_nothing_is_refused(adapted: object) -> None:
    with pytest.raises(ValueError, match="adapted: no trainable parameter begins with 'head', only"):
        MAML(mlp(), adapted=adapted)


@pytest.mark.parametrize("form", FORMS)
def test_a_support_loss_that_is_not_finite_names_the_step(form: str) -> None:
    episode = regression_episode(features=4)
    method = MAML(nn.Linear(4, 1).double(), 1e200, 5, loss=F.mse_loss, form=form)
    with pytest.raises(FloatingPointError, match="the support loss is not finite at inner step 2 of 5: lower inner_lr"):
        method(episode)
