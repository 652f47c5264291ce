"""Training: one loop for every method of the book, and for a reader's own."""

from __future__ import annotations

from pathlib import Path

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from fslbook.common.arguments import check_whole_number
from fslbook.tasks.sampler import EpisodeSampler, TaskSampler
from fslbook.training.checkpoints import Checkpoints
from fslbook.training.history import History, Recorder
from fslbook.training.optimizers import check_lasts, check_optimizer, check_scheduler, default_optimizer
from fslbook.training.requirements import check_method, check_sampler, device_of
from fslbook.training.steps import Training, training_mode
from fslbook.training.stopping import stopping
from fslbook.training.validation import Validation


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
    """Train `method` for `steps` optimiser steps on batches of the sampler, with few-shot methods on episodes.

    Ctrl-C ends the training after the current step, saves the checkpoint and returns what was reached. SIGTERM, which
    schedulers of clusters send, saves it too, and then ends the process. The same call goes on from the checkpoint; on
    the CPU it ends with the very weights of an unbroken run.

    A checkpoint is of one run: another learning rate, method, batch size, data or kind of device is refused. To train
    on from its weights under other settings, take them alone, and give the new run another file:
    `method.load_state_dict(torch.load("run.pt")["method"])`. Any machine can read it, one without a GPU too.

    Args:
        method: any module with `method.loss(batch)`, a scalar tensor. All of it is put into training mode, and
            afterwards back as it was.
        sampler: anything with `sample(batch_size)`, which draws a batch as the method's loss takes it, such as
            `EpisodeSampler` and `SinusoidTasks`. Its `generator`, if it has one, is saved in checkpoints.
        steps: optimiser steps in total, those before a resumption counted in.
        batch_size: handed to `sample`: tasks (episodes) a step.
        optimizer: any torch optimiser of all the method's trainable parameters whose `step` needs no closure (all but
            LBFGS); by default Adam with learning rate 1e-3.
        scheduler: any torch scheduler of that optimiser, stepped once a training step.
        validation: episodes to evaluate on; None does not.
        validate_every: training steps from one evaluation to the next.
        validation_episodes: how many to evaluate on, always the first ones of `validation`.
        checkpoint: file to go on from, and to save to; None saves nothing.
        checkpoint_every: training steps from one saving to the next; the end is always saved.
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
        TypeError: method, sampler, optimiser, scheduler, checkpoint or loss is a thing of another kind.
        ValueError: a size is below 1; the method has nothing to train, holds NaN, or lies on another device than the
            batches; the optimiser moves other parameters than those of the method, the scheduler another optimiser; the
            checkpoint is damaged or of another run; the loss is not a scalar that depends on the parameters.
        OSError: the checkpoint cannot be read, or could not be written; tried before the first step. Where a later
            saving fails, a warning says so, and training goes on.
        FloatingPointError: the loss or a weight is not finite any more.

    Example:
        >>> import torch
        >>> from fslbook.methods import PrototypicalNetwork
        >>> from fslbook.data import ImageClasses
        >>> images = torch.arange(32, dtype=torch.uint8).view(8, 1, 2, 2)
        >>> classes = ImageClasses(images, torch.tensor([4, 4]), ("dark", "light"))
        >>> method = PrototypicalNetwork(nn.Sequential(nn.Flatten(1), nn.Linear(4, 2)))
        >>> history = fit(method, EpisodeSampler(classes, n_way=2, n_query=2), steps=3, progress=False)
        >>> len(history.loss), len(history.accuracy)
        (3, 3)
    """
    steps = check_whole_number("steps", steps, least=1)
    batch_size = check_whole_number("batch_size", batch_size, least=1)
    held_out = Validation(validation, validate_every, validation_episodes)
    speed = {"bf16": bf16, "cuda_graph": cuda_graph, "compiled": compiled}
    training = _prepared(method, sampler, batch_size, optimizer, scheduler, speed)
    history = History()
    checkpoints = Checkpoints(checkpoint, checkpoint_every, training, history)
    held_out.rehearse(method)
    checkpoints.resume(steps)
    check_lasts(scheduler, steps - len(history.loss))

    with stopping() as stop, training_mode(method), Recorder(history, method, steps, progress) as recorder:
        take_step = training.step()
        for step in range(len(history.loss) + 1, steps + 1):
            recorder.add(*take_step())
            if scheduler:
                scheduler.step()
            if held_out.due(step):
                recorder.flush()
                held_out.record(method, history)
            history.interrupted = stop.is_set()
            if history.interrupted or step == steps or checkpoints.due(step):
                recorder.flush()
                checkpoints.save()
            if history.interrupted:
                resumes = f"; the same call resumes from {checkpoint}" if checkpoint else ""
                print(f"stopped after step {step} of {steps}{resumes}", flush=True)
                break
    return history


def _prepared(
    method: nn.Module,
    sampler: TaskSampler,
    batch_size: int,
    optimizer: Optimizer | None,
    scheduler: LRScheduler | None,
    speed: dict[str, bool],
) -> Training:
    check_method(method)
    check_sampler(sampler)
    device = device_of(method, sampler)
    if scheduler is not None:
        check_scheduler(scheduler, optimizer)
    if optimizer is None:
        optimizer = default_optimizer(method, device, capturable=speed["cuda_graph"])
    check_optimizer(optimizer, method)
    return Training(method, sampler, batch_size, optimizer, scheduler, device, **speed)
