"""Meta-training: one loop for every method of the book."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import LRScheduler
from tqdm.auto import tqdm

from fslbook.common.arguments import check_same_device, check_whole_number
from fslbook.evaluation import evaluate
from fslbook.tasks.episode import Episode
from fslbook.tasks.sampler import EpisodeSampler, TaskSampler
from fslbook.training.checkpoints import TrainingState
from fslbook.training.compiling import loss_of
from fslbook.training.cuda_graphs import captured
from fslbook.training.history import History, Recorder

REDRAWN = 0.5
"""Seconds between two drawings of the bar. In a notebook each is some messages, of which a thousand may wait."""


def fit(
    method: nn.Module,
    sampler: TaskSampler,
    steps: int,
    *,
    batch_size: int = 1,
    optimizer: Optimizer | None = None,
    scheduler: LRScheduler | None = None,
    validation: EpisodeSampler | None = None,
    validate_every: int = 200,
    validation_episodes: int = 200,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 500,
    bf16: bool = False,
    cuda_graph: bool = False,
    compiled: bool = False,
    progress: bool = True,
) -> History:
    """Meta-train `method` for `steps` optimiser steps on batches of episodes.

    Ctrl-C ends the training after the current step, saves the checkpoint and returns what was reached. The same
    call then goes on from the checkpoint; on the CPU it ends with the very weights of an unbroken run.

    Args:
        method: any module with `method.loss(episode) -> scalar`.
        sampler: draws the training episodes, on the device of the method: `EpisodeSampler`, `SinusoidTasks`, ...
        steps: optimiser steps in total, those before a resumption counted in.
        batch_size: episodes a step.
        optimizer: any torch optimiser whose `step` needs no closure (all but LBFGS); by default Adam with learning
            rate 1e-3.
        scheduler: any torch scheduler of that optimiser, stepped once a training step.
        validation: evaluate on the first `validation_episodes` of these every `validate_every` steps.
        checkpoint: file to go on from, and to save to every `checkpoint_every` steps and at the end.
        bf16: compute convolutions in bfloat16 (autocast); worth it where `bf16_is_fast(device)`.
        cuda_graph: capture the whole step once and replay it, which saves a GPU the waiting for Python. Your optimizer
            must then be capturable, with its learning rate in a tensor. Where it cannot be done, a line says why, and
            training goes on as usual.
        compiled: hand the loss to torch.compile, which takes up to a minute; meant for long runs on a GPU, slower on a
            CPU. Where it cannot be done, a line says why, and training goes on as usual.
        progress: show a bar with loss and accuracy.

    Returns:
        the `History` from the first step on, also after a resumption.

    Raises:
        ValueError: a size is below 1, the method has nothing to train, or the checkpoint is of another run.
        FloatingPointError: the loss is not finite any more.
    """
    _check_sizes(steps, batch_size, validate_every, validation_episodes, checkpoint_every)
    _check_method(method, sampler)
    optimizer = optimizer or _default_optimizer(method, sampler.device, cuda_graph)
    history = History()
    state = TrainingState(method, optimizer, scheduler, sampler, history, {"batch_size": batch_size})
    path = Path(checkpoint) if checkpoint else None
    if path and path.exists():
        state.load(path)
    bar = tqdm(total=steps, initial=len(history.loss), disable=not progress, desc="fit", mininterval=REDRAWN)
    recorder = Recorder(history, bar)
    loss_of_episode = loss_of(method, sampler.device, compiled=compiled)
    autocast = torch.autocast(sampler.device.type, torch.bfloat16, enabled=bf16)

    method.train()
    with recorder, _interrupt_after_step() as interrupted, _watch_logits(method) as seen:

        def train_once() -> tuple[Tensor, ...]:
            episode = sampler.sample(batch_size)
            with autocast:
                loss = loss_of_episode(episode)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            return loss.detach(), _accuracy(seen, episode)

        take_step = captured(train_once, sampler.generator, optimizer, scheduler) if cuda_graph else train_once
        for step in range(len(history.loss) + 1, steps + 1):
            recorder.add(*take_step())
            if scheduler:
                scheduler.step()
            if validation and step % validate_every == 0:
                recorder.flush()
                _validate(method, validation, validation_episodes, step, history)
                seen.clear()  # the logits of the validation are not those of the next step
            if path and step % checkpoint_every == 0:
                recorder.flush()
                state.save(path)
            if interrupted.is_set():
                break
    history.interrupted = interrupted.is_set()
    if path:
        state.save(path)
    if history.interrupted:
        print(
            f"stopped after step {len(history.loss)} of {steps}" + (f"; the same call resumes from {path}" * bool(path))
        )
    return history


def _check_sizes(
    steps: int, batch_size: int, validate_every: int, validation_episodes: int, checkpoint_every: int
) -> None:
    check_whole_number("steps", steps, least=1)
    check_whole_number("batch_size", batch_size, least=1)
    check_whole_number("validate_every", validate_every, least=1)
    check_whole_number("validation_episodes", validation_episodes, least=2)
    check_whole_number("checkpoint_every", checkpoint_every, least=1)


def _check_method(method: nn.Module, sampler: TaskSampler) -> None:
    if not any(p.requires_grad for p in method.parameters()):
        raise ValueError(f"{type(method).__name__} has no parameters to train")
    check_same_device(method, sampler.device)


def _default_optimizer(method: nn.Module, device: torch.device, cuda_graph: bool) -> Adam:
    parameters = [p for p in method.parameters() if p.requires_grad]
    if cuda_graph and device.type == "cuda":
        return Adam(parameters, lr=torch.tensor(1e-3, device=device), capturable=True)
    return Adam(parameters, lr=1e-3)


def _validate(method: nn.Module, sampler: EpisodeSampler, n_episodes: int, step: int, history: History) -> None:
    result = evaluate(method, sampler, n_episodes)
    history.validation_steps.append(step)
    history.validation_accuracy.append(result.mean)
    history.validation_ci95.append(result.ci95)


@contextmanager
def _watch_logits(method: nn.Module) -> Iterator[list[Tensor]]:
    """Catch the logits that `method.loss` computes on its way, so that accuracy costs no second forward pass."""
    seen: list[Tensor] = []

    def remember(module: nn.Module, inputs: Any, logits: Tensor) -> None:
        seen.append(logits.detach())

    handle = method.register_forward_hook(remember)
    try:
        yield seen
    finally:
        handle.remove()


def _accuracy(seen: list[Tensor], episode: Episode) -> Tensor:
    """Mean accuracy, a scalar tensor; NaN where the loss did not make logits, or the targets are numbers."""
    logits = torch.cat(seen) if seen else episode.query_x.new_empty(0)  # some methods answer a task at a time
    seen.clear()
    if not len(logits) or episode.targets.is_floating_point():
        return episode.query_x.new_full((), float("nan"))  # filled there: sending a number would break a capture
    return (logits.argmax(dim=-1) == episode.targets).float().mean()


@contextmanager
def _interrupt_after_step() -> Iterator[threading.Event]:
    """Turn Ctrl-C into a flag, so that no step is cut in half; a second Ctrl-C stops at once."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    previous: Callable[..., Any] | int | None = signal.getsignal(signal.SIGINT)

    def on_interrupt(signum: int, frame: object) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, previous)
