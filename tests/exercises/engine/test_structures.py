"""A learner who changes what was handed over is noticed, whatever it is; copies and gradients are no change."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fslbook.exercises.engine.calling import call
from fslbook.exercises.engine.structures import has_floats, map_tensors, readable, same


class Settings(nn.Module):
    """A module with a setting that its text does not show."""

    rate = 0.5


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5)).eval()


def things() -> tuple[Any, ...]:
    """One of every kind that a check hands over."""
    x = torch.tensor([1.0, float("nan")])
    settings = Settings()
    settings.rate = 0.5
    return x, torch.tensor([1, 2]), [1, 2], {"a": x.clone(), "b": 3}, network(), settings, F.mse_loss, "text", 0.5


def change(what: str) -> Callable[..., Any]:
    """A function that does `what` to its arguments and answers 1."""
    code = compile(what, "a change", "exec")

    def function(x: Any, y: Any, numbers: Any, entries: Any, net: Any, settings: Any, *rest: Any) -> int:
        exec(code)
        return 1

    return function


CHANGES = {
    "x += 1": 1,
    "x[1] = 0": 1,
    "x.unsqueeze_(0)": 1,
    "x.data = x.data.double()": 1,
    "y[0] = 5": 2,
    "numbers[0] = 5": 3,
    "numbers.append(3)": 3,
    "numbers[0] = True": 3,
    "numbers.reverse()": 3,
    "entries['a'] += 1": 4,
    "entries['b'] = 4": 4,
    "entries['c'] = 4": 4,
    "del entries['b']": 4,
    "entries['a'] = None": 4,
    "net[0].weight.data += 1": 5,
    "net[0].requires_grad_(False); net[0].weight.zero_()": 5,
    "net[1].running_mean += 1": 5,
    "net[1].num_batches_tracked += 1": 5,
    "net.train()": 5,
    "net[2].train()": 5,
    "net[1].momentum = None": 5,
    "net[1].track_running_stats = False": 5,
    "net[2] = nn.Identity()": 5,
    "net[1].running_mean = None": 5,
    "net.train(); net(torch.ones(3, 2)); net.eval()": 5,
    "settings.rate = 1.0": 6,
}

NO_CHANGES = [
    "pass",
    "x = x + 1; y = None; numbers = [5]; entries = {}",
    "net(torch.ones(3, 2)).sum().backward()",
    "net.zero_grad()",
    "net = deepcopy(net).train(); net(torch.ones(3, 2))",
    "net.train(); net.eval()",
    "x.requires_grad_()",
    "numbers.append(3); numbers.pop()",
]


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_noticed_and_the_argument_named(what: str) -> None:
    words = call(change(what), things())[2]
    assert words is not None and words.startswith(f"it changed its arguments (number {CHANGES[what]})"), words


@pytest.mark.parametrize("what", NO_CHANGES)
def test_what_changes_nothing_is_accepted(what: str) -> None:
    assert call(change(what), things())[2] is None


def test_the_own_arguments_stay_as_they_are() -> None:
    own = things()
    for what in CHANGES:
        call(change(what), own)
    assert same(own, things()[:4] + own[4:])


@pytest.mark.parametrize("n", range(len(things())))
def test_a_copy_is_the_same_and_another_kind_is_not(n: int) -> None:
    own = things()
    assert same(own[n], deepcopy(own[n]))
    assert not any(same(own[n], other) for m, other in enumerate(own) if m != n and m != 1)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_of_some_tensors_the_numbers_cannot_be_looked_at() -> None:
    x = torch.zeros(2, 3)
    assert readable([x, {"a": (x.long(), 3, None, "text")}, nn.Linear(1, 1)])
    for odd in (x.to_sparse(), x.to("meta"), nn.Linear(1, 1, device="meta"), torch.nested.nested_tensor([x[0], x[1]])):
        assert not readable([x, {"a": (3, odd)}])


def test_tensors_are_mapped_in_containers_and_in_copies_of_modules() -> None:
    net = network()
    doubled = map_tensors(torch.Tensor.double, {"a": [net, (torch.zeros(1), 3)]})
    assert doubled["a"][0][0].weight.dtype == doubled["a"][1][0].dtype == torch.float64
    assert net[0].weight.dtype == torch.float32
    assert has_floats(doubled) and not has_floats([torch.tensor(1), 2.0])
