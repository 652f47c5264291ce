"""Replay a whole training step as one CUDA graph, so that a GPU does not wait for Python between its kernels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

Step = Callable[[], tuple[Tensor, ...]]
WARM_UP = 3
"""Steps that run as usual before the capture, so that every library has chosen its kernels."""


def captured(
    step: Step,
    generator: torch.Generator | None,
    optimizer: Optimizer,
    device: torch.device,
    scheduler: LRScheduler | None = None,
) -> Step:
    """The step as a CUDA graph, or as it is where that cannot be; a line then says why.

    Args:
        step: as in `CapturedStep`.
        generator: that of the sampler, if it has one.
        optimizer: what the step ends with.
        device: where the step computes.
        scheduler: what moves the learning rate between two steps.

    Example:
        >>> sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        >>> take_step = captured(lambda: (), None, sgd, torch.device("cpu"))
        no CUDA graph: there are no CUDA graphs on cpu
    """
    reason = why_not(optimizer, device, scheduler)
    if reason is None and (generator is None or generator.device.type != "cuda"):
        reason = "the sampler has no generator on the GPU, so that each replay would repeat one batch"
    if reason:
        print(f"no CUDA graph: {reason}")
        return step
    assert generator is not None
    return CapturedStep(step, generator)


def why_not(optimizer: Optimizer, device: torch.device, scheduler: LRScheduler | None = None) -> str | None:
    """What keeps a training step from being captured, in words; None where nothing does.

    A graph holds tensors by their place and numbers by their value, so that a learning rate must be a tensor.

    Args:
        optimizer: what the step ends with.
        device: where it computes.
        scheduler: what moves the learning rate between two steps.

    Example:
        >>> sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        >>> why_not(sgd, torch.device("cuda"))
        'SGD is not capturable; make it with fused=True and lr=torch.tensor(..., device=device)'
    """
    if device.type != "cuda":
        return f"there are no CUDA graphs on {device.type}"
    groups, name = optimizer.param_groups, type(optimizer).__name__
    way = "capturable" if "capturable" in groups[0] else "fused"
    if not all(group.get(way) and isinstance(group["lr"], Tensor) for group in groups):
        return f"{name} is not capturable; make it with {way}=True and lr=torch.tensor(..., device=device)"
    if getattr(scheduler, "cycle_momentum", False):
        return f"{type(scheduler).__name__} moves the momentum, a number; make it with cycle_momentum=False"
    return None


class CapturedStep:
    """`step`, recorded after a few ordinary calls and replayed from then on; each call is one training step.

    Args:
        step: draws its episode, computes, differentiates and updates, and returns tensors; without host reads.
        generator: what it draws random numbers from, on the GPU.

    Example:
        >>> take_step = CapturedStep(lambda: (loss,), generator)  # doctest: +SKIP
        >>> loss, *_ = take_step()  # doctest: +SKIP
    """

    def __init__(self, step: Step, generator: torch.Generator) -> None:
        self.step, self.generator, self.taken = step, generator, 0
        self.graph: torch.cuda.CUDAGraph | None = None
        self.outputs: tuple[Tensor, ...] = ()

    def __call__(self) -> tuple[Tensor, ...]:
        """One training step; the tensors that `step` returns."""
        self.taken += 1
        if self.taken <= WARM_UP:
            return self._beside()
        if self.graph is None:
            self._capture()
        assert self.graph is not None
        self.graph.replay()
        return tuple(x.clone() for x in self.outputs)  # the next replay overwrites them

    def _beside(self) -> tuple[Tensor, ...]:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            outputs = self.step()
        torch.cuda.current_stream().wait_stream(side)
        return outputs

    def _capture(self) -> None:
        self.graph = torch.cuda.CUDAGraph()
        self.graph.register_generator_state(self.generator)
        with torch.cuda.graph(self.graph):
            self.outputs = self.step()
