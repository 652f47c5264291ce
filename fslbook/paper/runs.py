"""Carry out a recipe: train, evaluate, and leave the evidence as files."""

from __future__ import annotations

import json
import math
import platform
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fslbook.common.devices import bf16_is_fast
from fslbook.common.files import alone, replaced
from fslbook.data import ImageClasses, Splits
from fslbook.data.joining import concatenate
from fslbook.evaluation import Evaluation, evaluate
from fslbook.methods import OneQueryAtATime
from fslbook.paper import ledger
from fslbook.paper.builders import build, optimiser
from fslbook.paper.machine import commit, hardware, peak_memory_mib
from fslbook.paper.recipe import Recipe
from fslbook.paper.weights import FOLDER as WEIGHTS
from fslbook.paper.weights import read_weights, write_weights
from fslbook.tasks.sampler import EpisodeSampler
from fslbook.training.distributed import Team
from fslbook.training.history import History
from fslbook.training.loop import fit

RUN, CURVE_POINTS = "run.json", 200


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
        checkpoints: where the checkpoints lie, if not in `folder`. Recipes of the same `training` may share the place:
            the second finds its training done, or waits for it.
        eager: on a GPU too, take each step as it comes instead of replaying a CUDA graph.

    Returns:
        whether it ran to the end; False after Ctrl-C, and then the same call goes on.
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
        _training_tasks(recipe, data, seed * team.size + team.rank),
        recipe.steps,
        batch_size=team.share(recipe.batch_size),
        optimizer=optimizer,
        scheduler=schedule,
        validation=_validation_tasks(recipe, data) if team.leads else None,
        validate_every=recipe.validate_every,
        validation_episodes=min(200, recipe.test_episodes),
        checkpoint=checkpoint,
        checkpoint_every=max(1, recipe.steps // 100),
        bf16=_in_bf16(method),
        cuda_graph=data.base.images.is_cuda and team.size == 1 and not eager,
        progress=progress and team.leads,
    )
    return method, history


def enter(recipe: Recipe, folder: Path, results: Path = ledger.RESULTS, weights: Path = WEIGHTS) -> Path:
    """Take a run, made here or elsewhere, into the ledger, after checking it against the recipe.

    The weights in the package are those of the lowest seed in the ledger.

    Raises:
        ValueError: run.json or the weights are damaged, incomplete, or of another recipe or other settings.
        FileNotFoundError: there is no finished run in `folder`.
    """
    run = json.loads((folder / RUN).read_text(encoding="utf-8"))
    file = folder / "weights.safetensors"
    read_weights(recipe, file)
    if ledger.sha256(file) != run.get("weights_sha256"):
        raise ValueError(f"{file} is not the file that {RUN} speaks of")
    path = ledger.add(recipe, run, results)
    entry = ledger.read(recipe, results)
    if entry and entry.runs[0]["seed"] == run["seed"]:
        with replaced(weights / f"{recipe.name}.safetensors") as temporary:
            shutil.copy(file, temporary)
    return path


def scores(recipe: Recipe, method: nn.Module, data: Splits, episodes: int | None = None) -> dict[str, Evaluation]:
    """Accuracy on the recipe's test tasks: "all_at_once", and where it can differ "one_at_a_time"."""
    tasks = test_tasks(recipe, data)
    number = episodes or recipe.test_episodes
    result = {"all_at_once": evaluate(method, tasks, number, progress=True)}
    if getattr(method, "queries_see_each_other", False):
        result["one_at_a_time"] = evaluate(OneQueryAtATime(method), tasks, number, progress=True)
    return result


def test_tasks(recipe: Recipe, data: Splits) -> EpisodeSampler:
    """The tasks, always the same, on which the recipe is tested."""
    return EpisodeSampler(_as_tested(recipe, data.novel), recipe.n_way, recipe.k_shot, recipe.test_query, seed=1)


def _training_tasks(recipe: Recipe, data: Splits, seed: int) -> EpisodeSampler:
    sizes = (recipe.train_way, recipe.train_shot, recipe.train_query)
    classes = concatenate(data.base, data.validation) if recipe.validation_too else data.base
    return EpisodeSampler(classes.with_rotations(), *sizes, seed=seed)


def _validation_tasks(recipe: Recipe, data: Splits) -> EpisodeSampler | None:
    """Like the tasks of training, in at most 20 ways; those of the test would differ within a training."""
    if recipe.validation_too:
        return None
    sizes = (min(recipe.train_way, 20), recipe.train_shot, recipe.train_query)
    return EpisodeSampler(_as_tested(recipe, data.validation), *sizes, seed=1)


def _as_tested(recipe: Recipe, classes: ImageClasses) -> ImageClasses:
    return classes.with_rotations() if recipe.rotate_novel else classes


def _in_bf16(method: nn.Module) -> bool:
    return not getattr(method, "adapts", False) and bf16_is_fast(next(method.parameters()).device)


def _write_run(
    recipe: Recipe, data: Splits, seed: int, method: nn.Module, history: History, folder: Path, team: Team, code: str
) -> None:
    torch.manual_seed(seed)
    untrained = build(recipe).to(data.novel.images.device)
    digest = write_weights(recipe, method, seed, folder / "weights.safetensors")
    score = {name: as_dict(result) for name, result in scores(recipe, method, data).items()}
    tasks = recipe.steps * recipe.batch_size
    run = {
        "seed": seed,
        "all_at_once": score["all_at_once"],
        "one_at_a_time": score.get("one_at_a_time"),
        "untrained": as_dict(scores(recipe, untrained, data)["all_at_once"]),
        "training_tasks": tasks,
        "seconds": history.seconds,
        "tasks_per_second": tasks / history.seconds,
        "precision": "bfloat16" if _in_bf16(method) else "float32",
        "peak_memory_mib": peak_memory_mib(data.novel.images.device),
        "hardware": hardware(data.novel.images.device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "commit": code,
        "command": " ".join([team.command, "-m fslbook", *sys.argv[1:]]),
        "weights_sha256": digest,
        "curve": _curve(history),
    }
    with replaced(folder / RUN) as temporary:
        temporary.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")


def as_dict(result: Evaluation) -> dict[str, float]:
    """Accuracy and half width of its interval in 0..1, and the number of episodes."""
    return {"accuracy": result.mean, "ci95": result.ci95, "episodes": len(result.per_episode)}


def _curve(history: History) -> dict[str, list[float | None]]:
    every = max(1, len(history.loss) // CURVE_POINTS)
    steps = range(0, len(history.loss) - every + 1, every)
    means = [math.fsum(history.loss[start : start + every]) / every for start in steps]
    return {
        "step": [start + every for start in steps],
        "loss": [round(mean, 5) for mean in means],
        "validation_step": [*history.validation_steps],
        "validation_accuracy": [round(accuracy, 5) for accuracy in history.validation_accuracy],
    }
