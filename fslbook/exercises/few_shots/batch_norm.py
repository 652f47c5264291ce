"""A check of chapter 1's exercises: the running averages of batch norm, repaired."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Generator, Tensor, nn

from fslbook.exercises.engine.calling import first_line
from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.engine.structures import same


def _draw_network(depth: int, momentum: float = 0.1) -> Any:
    def draw(generator: Generator) -> tuple[nn.Module, Tensor]:
        layers: list[nn.Module] = []
        for i in range(depth):
            norm = nn.BatchNorm2d(4, momentum=momentum)
            layers += [nn.Conv2d(4 if i else 1, 4, 3, padding=1), norm, nn.ReLU()]
        network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * 8 * 8, 3)).eval().requires_grad_(False)
        for parameter in network.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
        for name, average in network.named_buffers():  # as if it had been trained for some steps
            if "running" in name:
                average += torch.rand(average.shape, generator=generator)
        return network, 2 + torch.rand(24, 1, 8, 8, generator=generator)

    return draw


def _once_in_training_mode(network: nn.Module, images: Tensor) -> nn.Module:
    network = deepcopy(network).train()
    network(images)
    return network


def _recalibrated(network: nn.Module, images: Tensor) -> nn.Module:
    network = _reset(network)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean over all batches, here one
    return _once_in_training_mode(network, images).eval()


def _norms_fault(network: nn.Module, answer: nn.Module) -> str | None:
    before, after = ([x for x in m.modules() if isinstance(x, nn.BatchNorm2d)] for m in (network, answer))
    if len(before) != len(after):
        return f"of {len(before)} batch norms {len(after)} are left; none may go"
    if any(norm.running_mean is None or not norm.track_running_stats for norm in after):
        return "a batch norm no longer keeps running averages, so its answers depend on the batch"
    return None


def _share_of_the_way(network: nn.Module, answer: nn.Module, images: Tensor) -> float:
    """How far the first running mean has come from its old value to the new one; 0 if it is elsewhere."""
    networks = network, answer, _recalibrated(network, images)
    old, now, new = (next(x for n, x in m.named_buffers() if n.endswith("running_mean")) for m in networks)
    share = float(((now - old) @ (new - old)) / (new - old).square().sum())
    return share if torch.allclose(now, old + share * (new - old), atol=1e-3) else 0.0


def _reset(network: nn.Module) -> nn.Module:
    network = deepcopy(network)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.reset_running_stats()
    return network


@torch.no_grad()
def _recalibration(answer: Any, network: nn.Module, images: Tensor) -> str | None:
    if not isinstance(answer, nn.Module):
        return f"it returned a {type(answer).__name__}, wanted is a network"
    if any(module.training for module in answer.modules()):
        return "the copy is in training mode, so its answers depend on the batch"
    if fault := _norms_fault(network, answer):
        return fault
    if not same(dict(network.named_parameters()), dict(answer.named_parameters())):
        return "weights have changed; only the running averages may"
    try:
        got = answer(images)
    except Exception as error:  # the learner's network alone is at work here
        return f"the network that came back cannot answer: {first_line(error)}"
    wanted = deepcopy(network).train()(images)
    if not isinstance(got, Tensor) or got.shape != wanted.shape:
        return "the network that came back gives no logits for these images"
    if not torch.allclose(answer(images[:3]), got[:3], atol=1e-3):
        return "three images alone get other answers than among the rest: the running averages are not used"
    if (got - wanted).abs().max() < 0.02 * wanted.std():
        return None
    if torch.allclose(got, network(images), atol=1e-4):
        return "the running averages are the old ones"
    if 0.005 < _share_of_the_way(network, answer, images) < 0.995:
        return "the running averages went only a part of the way; mind `momentum`"
    if torch.allclose(got, _reset(network)(images), atol=1e-4):
        return "the running averages were set back, and no image was looked at afterwards"
    return "its answers are not those that it gives in training mode on these images as one batch"


def _without_averages(network: nn.Module, images: Tensor) -> nn.Module:
    network = deepcopy(network)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.track_running_stats, norm.running_mean, norm.running_var = False, None, None
    return network


def _retrained(network: nn.Module, images: Tensor) -> nn.Module:
    network = _once_in_training_mode(network, images).eval()
    for parameter in network.parameters():
        parameter.data.mul_(0.9)
    return network


recalibrated = Exercise(
    "recalibrated",
    _recalibrated,
    {
        "one batch norm": Case(_draw_network(1), _recalibration),
        "three batch norms": Case(_draw_network(3), _recalibration),
        "a slow momentum": Case(_draw_network(2, momentum=0.01), _recalibration),
    },
    [
        Mistake(lambda network, x: network, "the running averages are the old ones"),
        Mistake(_once_in_training_mode, "the copy is in training mode, so its answers depend on the batch"),
        Mistake(
            lambda network, x: _once_in_training_mode(network, x).eval(),
            "the running averages went only a part of the way; mind `momentum`",
        ),
        Mistake(_retrained, "weights have changed; only the running averages may"),
        Mistake(_without_averages, "a batch norm no longer keeps running averages, so its answers depend on the batch"),
        Mistake(
            lambda network, x: _reset(network),
            "the running averages were set back, and no image was looked at afterwards",
        ),
    ],
)
