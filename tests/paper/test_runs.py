"""Runs: the evidence they leave, and how they go on after Ctrl-C, a kill, or another run of the same training."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from helpers import SMALL, train_small
from safetensors.torch import load_file
from torch import nn

import fslbook
from fslbook.data import Splits
from fslbook.paper import builders, runs, tasks, weights
from fslbook.paper.evidence import defects_of_run
from fslbook.paper.places import RUN
from fslbook.paper.recipe import Recipe, quick
from fslbook.paper.recipes import RECIPES
from fslbook.training.distributed import Team


def test_a_run_leaves_complete_evidence(small_splits: Splits, tmp_path: Path) -> None:
    run = train_small(small_splits, tmp_path / "run")
    assert [*defects_of_run(SMALL, run)] == []
    assert run["all_at_once"]["episodes"] == 10
    assert run["one_at_a_time"] is None
    assert run["untrained"]["accuracy"] < 1
    assert run["curve"]["validation_step"] == [3, 6]
    assert len(run["curve"]["loss"]) == 6
    assert run["tasks_per_second"] == pytest.approx(SMALL.steps * SMALL.batch_size / run["seconds"])
    assert run["peak_memory_mib"] > 50


def test_the_commit_is_that_of_the_code_that_ran(
    small_splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "commit", lambda: "old")
    step = torch.optim.Adam.step

    def pull(self: torch.optim.Adam) -> None:
        monkeypatch.setattr(runs, "commit", lambda: "new")
        step(self)

    monkeypatch.setattr(torch.optim.Adam, "step", pull)
    assert train_small(small_splits, tmp_path)["commit"] == "old"
    assert runs.commit() == "new"


def test_methods_that_look_at_the_other_queries_are_tested_one_query_at_a_time(
    small_splits: Splits, tmp_path: Path
) -> None:
    recipe = replace(quick(RECIPES["maml-omniglot-5w1s"]), steps=2, test_episodes=4, channels=4)
    run = train_small(small_splits, tmp_path, recipe)
    assert run["one_at_a_time"]["episodes"] == 4
    assert run["with_support"]["episodes"] == 4
    assert len({run[name]["accuracy"] for name in ("all_at_once", "with_support", "one_at_a_time")}) > 1


def test_rotated_classes_are_tested_where_the_recipe_says_so(small_splits: Splits) -> None:
    method = builders.build(SMALL)
    scores = {
        rotate: runs.scores(replace(SMALL, rotate_novel=rotate), method, small_splits)["all_at_once"]
        for rotate in (False, True)
    }
    for rotate, score in scores.items():
        novel = small_splits.novel.with_rotations() if rotate else small_splits.novel
        sampler = fslbook.EpisodeSampler(novel, SMALL.n_way, SMALL.k_shot, SMALL.test_query, seed=1)
        assert torch.equal(score.per_episode, fslbook.evaluate(method, sampler, SMALL.test_episodes).per_episode)


def test_whoever_learns_from_the_validation_classes_is_not_validated(small_splits: Splits, tmp_path: Path) -> None:
    runs_of = {
        too: train_small(small_splits, tmp_path / str(too), replace(SMALL, validation_too=too)) for too in (False, True)
    }
    assert runs_of[False]["curve"]["validation_step"] == [3, 6]
    assert runs_of[True]["curve"]["validation_step"] == []
    assert len(tasks.training_tasks(SMALL, small_splits, 0).classes) == 4 * 25
    assert len(tasks.training_tasks(replace(SMALL, validation_too=True), small_splits, 0).classes) == 4 * 50


def test_of_two_recipes_with_one_training_the_second_finds_it_done(small_splits: Splits, tmp_path: Path) -> None:
    shared, other = tmp_path / "shared", replace(SMALL, n_way=20)
    for recipe in (SMALL, other):
        folder = tmp_path / recipe.name
        assert runs.train(recipe, small_splits, 0, folder, Team(), checkpoints=shared, progress=False)
    files = [tmp_path / recipe.name / RUN for recipe in (SMALL, other)]
    first, second = (json.loads(file.read_text()) for file in files)
    assert first["curve"] == second["curve"]
    assert first["seconds"] == second["seconds"]
    assert first["all_at_once"] != second["all_at_once"]
    states = [load_file(file.parent / "weights.safetensors") for file in files]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_two_processes_do_not_train_the_same_at_the_same_time(
    small_splits: Splits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor() as pool:
        with FileLock(tmp_path / "checkpoint0.pt.lock"):
            waiting, said = pool.submit(train_small, small_splits, tmp_path), ""
            while "waiting for it" not in said:
                said += capsys.readouterr().out
                assert not waiting.done()
                time.sleep(0.01)
            assert not (tmp_path / "checkpoint0.pt").exists()
        assert waiting.result()["seed"] == 0
    assert f"another process works on {tmp_path / 'checkpoint0.pt'}; waiting for it" in said


def test_a_stopped_run_goes_on_and_ends_with_the_same_weights(
    small_splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    recipe = replace(SMALL, steps=8)
    train_small(small_splits, whole, recipe)
    updates: list[int] = []
    step = torch.optim.Adam.step
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: (updates.append(1), step(self))[1])
    _train_in_two_parts(small_splits, parts, recipe)
    assert len(updates) == 8  # nothing was done twice
    first, second = (weights.read_weights(recipe, folder / "weights.safetensors") for folder in (whole, parts))
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def _train_in_two_parts(small_splits: Splits, folder: Path, recipe: Recipe) -> None:
    """Ctrl-C arrives in the middle; then the same call."""
    drawn = []

    def interrupt(module: nn.Module, inputs: object) -> None:
        if module.training:  # not while `fit` tries the validation, before its first step
            drawn.append(1)
        if module.training and len(drawn) == 5:
            signal.raise_signal(signal.SIGINT)

    handle = nn.modules.module.register_module_forward_pre_hook(interrupt)
    try:
        assert not runs.train(recipe, small_splits, 0, folder, Team(), progress=False)
    finally:
        handle.remove()
    assert not (folder / RUN).exists()
    assert runs.train(recipe, small_splits, 0, folder, Team(), progress=False)


KILLABLE = """
import sys, time
from dataclasses import replace
from pathlib import Path
from torch import nn
from helpers import blobs
from safetensors.torch import load_file
from fslbook.paper import runs
from fslbook.data import Splits
from fslbook.training.distributed import Team
from fslbook.paper.recipes import RECIPES, quick
recipe = replace(quick(RECIPES["prototypical-omniglot-5w1s"]), train_way=5, steps=30, test_episodes=10, channels=4)
parts = [blobs(25, 20, noise=0.3, size=28, seed=seed) for seed in range(3)]
data = Splits("blobs", *(replace(p, names=tuple(f"{i}{n}" for n in p.names)) for i, p in enumerate(parts)))
nn.modules.module.register_module_forward_pre_hook(lambda *_: time.sleep(float(sys.argv[2])))
runs.train(recipe, data, 0, Path(sys.argv[1]), Team(), progress=False)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(KILLABLE)
    tests = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{tests.parent}:{tests}", "OMP_NUM_THREADS": "1"}

    def start(folder: str, pause: float) -> subprocess.Popen:
        command = [sys.executable, str(tmp_path / "run.py"), str(tmp_path / folder), str(pause)]
        return subprocess.Popen(command, env=environment)

    killed = start("killed", 0.02)
    while not (tmp_path / "killed" / "checkpoint0.pt").exists():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert not (tmp_path / "killed" / RUN).exists()
    for folder in ("killed", "whole"):
        assert start(folder, 0.0).wait(timeout=600) == 0
    states = [load_file(tmp_path / folder / "weights.safetensors") for folder in ("killed", "whole")]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])
