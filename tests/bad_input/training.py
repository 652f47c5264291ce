"""`fit`: methods, samplers, optimisers, schedulers, losses and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from bad_input.cases import Refused, Right
from bad_input.tasks import NOT_SIZES, WHOLE
from helpers import blobs, easy_sampler, small_method
from torch import Tensor, nn
from torch.optim import LBFGS, SGD, Adam
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau, StepLR

from fslbook import MAML, Conv4, Episode, EpisodeSampler, NearestNeighbour, PrototypicalNetwork, SinusoidTasks, fit
from fslbook.training.distributed import Team

METHOD = small_method()


def trained(method: Any = METHOD, sampler: Any = None, steps: Any = 2, **settings: Any) -> Any:
    sampler = easy_sampler() if sampler is None else sampler
    return fit(method, sampler, steps, **{"progress": False, **settings})


class Loses(nn.Module):
    """A method whose loss is what it is told."""

    def __init__(self, loss: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.weight, self.say = nn.Parameter(torch.ones(())), loss

    def loss(self, batch: Episode) -> Any:
        return self.say(self.weight)


def with_nan(where: str) -> nn.Module:
    method = small_method(nn.BatchNorm1d(16))
    method.get_parameter(where).data.view(-1)[0] = torch.nan
    return method


def on_two_devices() -> nn.Module:
    method = small_method()
    method.encoder[3].to("meta")
    return method


def scheduled(make: Callable[..., Any]) -> Any:
    optimizer = Adam(METHOD.parameters())
    return trained(optimizer=optimizer, scheduler=make(optimizer))


def parameters() -> list[nn.Parameter]:
    return [*METHOD.parameters()]


def plane(batch_size: int) -> Episode:
    """Regression with two numbers per target."""
    x = torch.rand(batch_size, 4, 2)
    return Episode(x, x, x, x, n_way=2)


SIZES = ("steps", "batch_size", "validate_every", "validation_episodes", "checkpoint_every")
ROWS: dict[str, Refused | Right] = {
    f"fit, {name} is {kind}": Refused(lambda name=name, value=value: trained(**{name: value}), f"{name} {WHOLE}")
    for name in SIZES
    for kind, value in NOT_SIZES.items()
}
METHODS: dict[str, tuple[Any, str, type[BaseException]]] = {
    "an encoder": (lambda: Conv4(), r"Conv4 has no loss\(batch\).*PrototypicalNetwork\(encoder\)", TypeError),
    "a list": (lambda: [METHOD], "fit needs a method, a torch module.*got a list", TypeError),
    "None": (lambda: None, "fit needs a method.*got None", TypeError),
    "a function": (lambda: len, "fit needs a method.*got <built-in function len>", TypeError),
    "a class": (
        lambda: PrototypicalNetwork,
        r"got the class PrototypicalNetwork.*PrototypicalNetwork\(\.\.\.\)",
        TypeError,
    ),
    "nothing to learn": (NearestNeighbour, "NearestNeighbour has no parameters to train", ValueError),
    "all frozen": (lambda: small_method().requires_grad_(False), "no parameters to train", ValueError),
    "NaN in a weight": (
        lambda: with_nan("encoder.1.weight"),
        r"encoder.1.weight \(1 of its 1024 numbers\)",
        ValueError,
    ),
    "elsewhere": (lambda: small_method().to("meta"), "is on meta, the images are on cpu", ValueError),
    "on two devices": (on_two_devices, "is on meta, the images are on cpu", ValueError),
}
ROWS |= {
    f"fit, method: {name}": Refused(lambda make=make: trained(make()), says, kind)
    for name, (make, says, kind) in METHODS.items()
}
SAMPLERS: dict[str, tuple[Any, str]] = {
    "classes": (blobs(), r"such as EpisodeSampler\(classes\); got ImageClasses\(8"),
    "a class": (EpisodeSampler, r"got the class EpisodeSampler; make one of it: EpisodeSampler\(\.\.\.\)"),
    "a list of episodes": ([1, 2], r"got \[1, 2\]"),
    "a tensor": (torch.zeros(100, 3), "got a Tensor"),
    "a method": (METHOD, "got a PrototypicalNetwork"),
}
ROWS |= {
    f"fit, sampler: {name}": Refused(
        lambda value=value: trained(sampler=value), f"fit needs a sampler.*{says}", TypeError
    )
    for name, (value, says) in SAMPLERS.items()
}
OPTIMISERS: dict[str, tuple[Any, str, type[BaseException]]] = {
    "LBFGS": (lambda: LBFGS(METHOD.parameters()), "LBFGS.step needs a closure.*take Adam or SGD", TypeError),
    "a class": (lambda: Adam, "optimizer must be a torch optimiser", TypeError),
    "its name": (lambda: "adam", "optimizer must be a torch optimiser.*got 'adam'", TypeError),
    "of another model": (
        lambda: Adam(small_method().parameters()),
        r"holds none of the parameters of PrototypicalNetwork \(encoder.1.weight, .*Adam\(method.parameters\(\)\)",
        ValueError,
    ),
    "of two models": (
        lambda: SGD([*METHOD.parameters(), *nn.Linear(3, 2).parameters()], lr=0.1),
        r"holds 2 tensors that are not parameters of PrototypicalNetwork: \[2, 3\], \[2\]",
        ValueError,
    ),
    "of a part": (
        lambda: SGD(METHOD.encoder[3].parameters(), lr=0.1),
        r"lacks encoder.1.weight, encoder.1.bias of PrototypicalNetwork.*requires_grad_\(False\).*lr=0",
        ValueError,
    ),
    "of a copy": (lambda: SGD([p.clone().detach() for p in METHOD.parameters()], lr=0.1), "holds none", ValueError),
}
ROWS |= {
    f"fit, optimiser: {name}": Refused(lambda make=make: trained(optimizer=make()), says, kind)
    for name, (make, says, kind) in OPTIMISERS.items()
}
LOSSES: dict[str, tuple[Callable[[Tensor], Any], str, type[BaseException]]] = {
    "one per task": (lambda w: w * torch.ones(4), r"a mean over the batch; got a tensor of shape \[4\]", ValueError),
    "one in a list": (lambda w: w[None], r"got a tensor of shape \[1\]", ValueError),
    "detached": (lambda w: w.detach(), "does not depend on any parameter", ValueError),
    "a constant": (lambda w: torch.tensor(1.0), "does not depend on any parameter", ValueError),
    "a whole number": (lambda w: 3, "Loses.loss must return a tensor that holds a single number; got 3", TypeError),
    "a float": (lambda w: w.item(), "must return a tensor.*got 1.0", TypeError),
    "nothing": (lambda w: None, "must return a tensor.*got None", TypeError),
    "two": (lambda w: (w, w), "must return a tensor", TypeError),
}
ROWS |= {
    f"fit, loss: {name}": Refused(lambda loss=loss: trained(Loses(loss)), says, kind)
    for name, (loss, says, kind) in LOSSES.items()
}
SCHEDULERS: dict[str, tuple[Callable[..., Any], str, type[BaseException]]] = {
    "on a plateau": (ReduceLROnPlateau, "ReduceLROnPlateau waits for a score at each step", TypeError),
    "a class": (lambda optimizer: StepLR, "scheduler must be a torch scheduler", TypeError),
    "a function": (lambda optimizer: lambda step: 0.1, "scheduler must be a torch scheduler", TypeError),
    "of another optimiser": (
        lambda optimizer: StepLR(SGD(parameters(), lr=0.1), 2),
        "StepLR moves the learning rate of another optimiser than the Adam here",
        ValueError,
    ),
    "too short": (
        lambda optimizer: OneCycleLR(optimizer, 0.1, total_steps=1),
        "OneCycleLR is made for 1 steps, of which 0 are taken; 2 are left to train: total_steps=2",
        ValueError,
    ),
}
ROWS |= {
    f"fit, scheduler: {name}": Refused(lambda make=make: scheduled(make), says, kind)
    for name, (make, says, kind) in SCHEDULERS.items()
}
ROWS |= {
    "fit, a scheduler without its optimiser": Refused(
        lambda: trained(scheduler=StepLR(Adam(METHOD.parameters()), 2)),
        "StepLR belongs to an optimiser: hand that over",
    ),
    "fit, a checkpoint that is true": Refused(
        lambda: trained(checkpoint=True), "checkpoint must be the name of a file, got True", TypeError
    ),
    "fit, a checkpoint without a name": Refused(
        lambda: trained(checkpoint=""), "checkpoint must be the name of a file, got ''", TypeError
    ),
    "fit, a checkpoint in words of bytes": Refused(
        lambda: trained(checkpoint=b"run.pt"), "checkpoint must be the name of a file", TypeError
    ),
    "fit, a checkpoint that is another file": Refused(
        lambda: trained(checkpoint=Path(__file__)), r"training.py cannot be read as a checkpoint \(File is not a zip"
    ),
    "fit, validation on classes": Refused(lambda: trained(validation=blobs()), "sampler must draw episodes"),
    "fit, MAML learns sines by cross-entropy": Refused(
        lambda: trained(MAML(nn.Linear(1, 1)), SinusoidTasks()),
        r"cross-entropy over one output is 0.*loss=torch.nn.functional.mse_loss",
    ),
    "fit, MAML learns sines by cross-entropy, all at once": Refused(
        lambda: trained(MAML(nn.Linear(1, 1), form="vmap"), SinusoidTasks()), "cross-entropy over one output is 0"
    ),
    "fit, MAML learns points of the plane by cross-entropy": Refused(
        lambda: trained(MAML(nn.Linear(2, 2)), SimpleNamespace(sample=plane)),
        r"cross-entropy would take targets that are numbers for probabilities.*mse_loss",
    ),
    "fit, NumPy integers": Right(lambda: len(trained(steps=np.int64(2), batch_size=np.int32(2)).loss) == 2),
    "team, tasks in parts": Refused(lambda: Team(0, 2).share(5), "5 tasks a step cannot be dealt out evenly"),
}
