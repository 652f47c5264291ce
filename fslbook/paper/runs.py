"""Carry out a recipe: train, evaluate, and leave the evidence as files."""

from __future__ import annotations

import math
import platform
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fslbook.common.devices import bf16_is_fast
from fslbook.common.files import alone
from fslbook.common.json_files import write_object
from fslbook.data import Splits
from fslbook.evaluation import Evaluation, evaluate
from fslbook.methods.one_query import PROTOCOLS
from fslbook.paper.builders import build, optimiser
from fslbook.paper.machine import commit, hardware, peak_memory_mib
from fslbook.paper.places import RUN, WEIGHTS
from fslbook.paper.recipe import Recipe
from fslbook.paper.tasks import test_tasks, training_tasks, validation_tasks
from fslbook.paper.weights import read_weights, write_weights
from fslbook.training.distributed import Team
from fslbook.training.history import History
from fslbook.training.loop import fit

CURVE_POINTS = 200
"""At most so many points of the curve of the loss are kept."""


def train(
    recipe: Recipe,
    data: Splits,
    seed: int,
    folder: Path,
    team: Team,
    *,
    checkpoints: Path | None = None,
    eager: bool = False,
    progress: bool = True,
) -> bool:
    """Train one seed, going on from its checkpoint, and write run.json and weights.safetensors in `folder`.

    Methods that do not differentiate twice compute in bfloat16 where the processor is made for it.

    Args:
        recipe: what to carry out.
        data: base, validation and novel classes, on the device to compute on.
        seed: of the weights and the tasks.
        folder: where run.json and weights.safetensors are written.
        team: the processes that train together.
        checkpoints: where they lie, if not in `folder`; recipes of the same `training` may share it, one by one.
        eager: on a GPU too, take each step as it comes instead of replaying a CUDA graph.
        progress: show a progress bar.

    Returns:
        whether it ran to the end; False after Ctrl-C, and then the same call goes on.

    Raises:
        ValueError: a weight is NaN or infinite in the end.

    Example:
        >>> from fslbook.data.image_classes import ImageClasses
        >>> images, counts = torch.zeros(100, 1, 28, 28, dtype=torch.uint8), torch.full((5,), 20)
        >>> names = ([f"{part}{i}" for i in range(5)] for part in ("base", "validation", "novel"))
        >>> data = Splits("blank", *(ImageClasses(images, counts, tuple(five)) for five in names))

        >>> from tempfile import mkdtemp
        >>> sizes = {"train_way": 5, "train_shot": 1, "train_query": 5, "batch_size": 1, "steps": 1, "test_episodes": 2}
        >>> train(Recipe("prototypical", 5, 1, **sizes), data, 0, Path(mkdtemp()), Team(), progress=False)
        True
    """
    code = commit()  # now, since the files may change while a long run goes on
    checkpoint = (checkpoints or folder) / f"checkpoint{team.rank}.pt"
    with alone(checkpoint):
        method, history = _fit(recipe, data, seed, checkpoint, team, eager, progress)
    if team.leads and not history.interrupted:
        _write_run(recipe, data, seed, method, history, folder, team, code)
    return not history.interrupted


def _fit(
    recipe: Recipe, data: Splits, seed: int, checkpoint: Path, team: Team, eager: bool, progress: bool
) -> tuple[nn.Module, History]:
    torch.manual_seed(seed)
    method = build(recipe).to(data.base.images.device)
    optimizer, schedule = optimiser(recipe, method)
    history = fit(
        team.parallel(method),
        training_tasks(recipe, data, seed * team.size + team.rank),
        recipe.steps,
        batch_size=team.share(recipe.batch_size),
        optimizer=optimizer,
        scheduler=schedule,
        validation=validation_tasks(recipe, data) if team.leads else None,
        validate_every=recipe.validate_every,
        validation_episodes=min(200, recipe.test_episodes),
        checkpoint=checkpoint,
        checkpoint_every=max(1, recipe.steps // 100),
        bf16=_in_bf16(method),
        cuda_graph=data.base.images.is_cuda and team.size == 1 and not eager,
        progress=progress and team.leads,
    )
    return method, history


def scores(recipe: Recipe, method: nn.Module, data: Splits, episodes: int | None = None) -> dict[str, Evaluation]:
    """Accuracy on the recipe's test tasks: "all_at_once", and by the other `PROTOCOLS` where they can differ.

    Args:
        recipe: says which tasks.
        method: what is tested, on the device of the data.
        data: base, validation and novel classes.
        episodes: how many tasks, at least 2; by default as many as the recipe says.

    Example:
        >>> from fslbook.data.image_classes import ImageClasses
        >>> from fslbook.paper.recipes import recipe_named
        >>> images, counts = torch.zeros(100, 1, 28, 28, dtype=torch.uint8), torch.full((5,), 20)
        >>> names = ([f"{part}{i}" for i in range(5)] for part in ("base", "validation", "novel"))
        >>> data = Splits("blank", *(ImageClasses(images, counts, tuple(five)) for five in names))

        >>> recipe = recipe_named("prototypical-omniglot-5w1s")
        >>> sorted(scores(recipe, build(recipe).eval(), data, episodes=2))
        ['all_at_once']
    """
    tasks = test_tasks(recipe, data)
    number = recipe.test_episodes if episodes is None else episodes
    several = getattr(method, "queries_see_each_other", False)
    asked = {name: ask for name, ask in PROTOCOLS.items() if several or name == "all_at_once"}
    return {name: evaluate(ask(method), tasks, number, progress=True) for name, ask in asked.items()}


def _in_bf16(method: nn.Module) -> bool:
    return not getattr(method, "adapts", False) and bf16_is_fast(next(method.parameters()).device)


def _write_run(
    recipe: Recipe, data: Splits, seed: int, method: nn.Module, history: History, folder: Path, team: Team, code: str
) -> None:
    device = data.novel.images.device
    torch.manual_seed(seed)
    untrained = build(recipe).to(device)
    digest = write_weights(recipe, method, seed, folder / WEIGHTS)
    written = read_weights(recipe, folder / WEIGHTS).to(device)  # rounded: what is tested is what others will load
    score = {name: as_dict(result) for name, result in scores(recipe, written, data).items()}
    tasks = recipe.steps * recipe.batch_size
    run = {
        "seed": seed,
        "all_at_once": score["all_at_once"],
        "with_support": score.get("with_support"),
        "one_at_a_time": score.get("one_at_a_time"),
        "untrained": as_dict(scores(recipe, untrained, data)["all_at_once"]),
        "training_tasks": tasks,
        "seconds": history.seconds,
        "tasks_per_second": tasks / history.seconds,
        "precision": "bfloat16" if _in_bf16(method) else "float32",
        "peak_memory_mib": peak_memory_mib(device),
        "hardware": hardware(device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "commit": code,
        "command": " ".join([team.command, "-m fslbook", *sys.argv[1:]]),
        "weights_sha256": digest,
        "curve": _curve(history),
    }
    write_object(folder / RUN, run)


def as_dict(result: Evaluation) -> dict[str, float]:
    """Accuracy and half width of its interval in 0..1, and the number of episodes.

    Args:
        result: of the recipe's test tasks.

    Example:
        >>> import torch
        >>> as_dict(Evaluation(torch.tensor([0.5, 0.5]), "two tasks"))
        {'accuracy': 0.5, 'ci95': 0.0, 'episodes': 2}
    """
    return {"accuracy": result.mean, "ci95": result.ci95, "episodes": len(result.per_episode)}


def _curve(history: History) -> dict[str, list[float | None]]:
    every = max(1, len(history.loss) // CURVE_POINTS)
    steps = range(0, len(history.loss) - every + 1, every)
    means = [math.fsum(history.loss[start : start + every]) / every for start in steps]
    return {
        "step": [start + every for start in steps],
        "loss": [_rounded(mean) for mean in means],
        "validation_step": [*history.validation_steps],
        "validation_accuracy": [_rounded(accuracy) for accuracy in history.validation_accuracy],
    }


def _rounded(number: float) -> float | None:
    """Five decimals, or None for what JSON has no number for."""
    return round(number, 5) if math.isfinite(number) else None
