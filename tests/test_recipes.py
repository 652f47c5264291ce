"""Recipes, the ledger, weights by name, the command line, and several processes in one team."""

from __future__ import annotations

import ast
import inspect
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from helpers import blobs
from safetensors.torch import load_file
from torch import nn

import fslbook
from fslbook import builders, ledger, runs, weights
from fslbook.__main__ import main
from fslbook.data import Splits
from fslbook.distributed import Team
from fslbook.methods.adaptation import AdaptingMethod
from fslbook.published import PAPERS, REPRODUCTIONS, published
from fslbook.recipes import RECIPES, Recipe, quick, recipe_named

SMALL = replace(
    quick(RECIPES["prototypical-omniglot-5w1s"]), train_way=5, steps=6, test_episodes=10, validate_every=3, channels=4
)
METHODS = sorted(builders.BUILDERS)


@pytest.fixture(scope="module")
def data() -> Splits:
    return Splits("blobs", *(blobs(25, 20, noise=0.3, size=28, seed=seed) for seed in range(3)))


def _train(data: Splits, folder: Path, recipe: Recipe = SMALL, seed: int = 0) -> dict:
    assert runs.train(recipe, data, seed, folder, Team(), progress=False)
    return json.loads((folder / runs.RUN).read_text())


# Recipes


def test_there_is_a_recipe_for_every_method_and_task() -> None:
    assert len(RECIPES) == 4 * len(METHODS) == 36
    assert all(name == recipe.name for name, recipe in RECIPES.items())
    assert {recipe.method for recipe in RECIPES.values()} == {*METHODS}


def test_every_field_has_a_docstring() -> None:
    body = ast.parse(inspect.getsource(Recipe)).body[0].body  # type: ignore[attr-defined]
    after = {
        node.target.id: isinstance(next_node, ast.Expr)
        for node, next_node in pairwise(body)
        if isinstance(node, ast.AnnAssign)
    }
    assert after == {field.name: True for field in fields(Recipe)}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_builds_a_method_that_learns_from_its_episodes(name: str, data: Splits) -> None:
    recipe = quick(RECIPES[name])
    method = builders.build(recipe)
    optimizer, schedule = builders.optimiser(recipe, method)
    sampler = fslbook.EpisodeSampler(data.base, recipe.train_way, recipe.train_shot, 2)
    before = [p.clone() for p in method.parameters()]
    fslbook.fit(method, sampler, 2, optimizer=optimizer, scheduler=schedule, progress=False)
    assert any(not torch.equal(a, b) for a, b in zip(before, method.parameters(), strict=True))


@pytest.mark.parametrize("name", RECIPES)
def test_weights_are_at_most_a_megabyte(name: str) -> None:
    state = builders.build(RECIPES[name]).state_dict().values()
    assert sum(x.numel() * x.element_size() for x in state) <= 1e6


def test_recipes_share_a_training_where_nothing_but_their_tests_differs() -> None:
    trainings = {recipe.training for recipe in RECIPES.values()}
    assert len(trainings) == 1 + 4 * 2 + 4 * 4  # siamese; two shots of four methods; every task of the MAML family
    assert RECIPES["matching-omniglot-5w1s"].training == RECIPES["matching-omniglot-20w1s"].training
    assert SMALL.training == replace(SMALL, n_way=20, k_shot=5, test_query=1, test_episodes=2).training
    assert SMALL.training != replace(SMALL, options={"scale": 2.0}).training


def test_of_two_recipes_with_one_training_the_second_finds_it_done(data: Splits, tmp_path: Path) -> None:
    shared, other = tmp_path / "shared", replace(SMALL, n_way=20)
    for recipe in (SMALL, other):
        folder = tmp_path / recipe.name
        assert runs.train(recipe, data, 0, folder, Team(), checkpoints=shared, progress=False)
    files = [tmp_path / recipe.name / runs.RUN for recipe in (SMALL, other)]
    first, second = (json.loads(file.read_text()) for file in files)
    assert first["curve"] == second["curve"]
    assert first["seconds"] == second["seconds"]
    assert first["all_at_once"] != second["all_at_once"]
    states = [load_file(file.parent / "weights.safetensors") for file in files]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_two_processes_do_not_train_the_same_at_the_same_time(
    data: Splits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor() as pool:
        with FileLock(tmp_path / "checkpoint0.pt.lock"):
            waiting, said = pool.submit(_train, data, tmp_path), ""
            while "waiting for it" not in said:
                said += capsys.readouterr().out
                assert not waiting.done()
                time.sleep(0.01)
            assert not (tmp_path / "checkpoint0.pt").exists()
        assert waiting.result()["seed"] == 0
    assert f"another process works on {tmp_path / 'checkpoint0.pt'}; waiting for it" in said


def test_rotated_classes_are_tested_where_the_recipe_says_so(data: Splits) -> None:
    method = builders.build(SMALL)
    scores = {
        rotate: runs.scores(replace(SMALL, rotate_novel=rotate), method, data)["all_at_once"]
        for rotate in (False, True)
    }
    for rotate, score in scores.items():
        novel = data.novel.with_rotations() if rotate else data.novel
        tasks = fslbook.EpisodeSampler(novel, SMALL.n_way, SMALL.k_shot, SMALL.test_query, seed=1)
        assert torch.equal(score.per_episode, fslbook.evaluate(method, tasks, SMALL.test_episodes).per_episode)


def test_unknown_recipes_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown recipe 'nonsense'.*prototypical-omniglot-5w1s"):
        recipe_named("nonsense")


def test_published_figures_stand_in_the_right_column() -> None:
    assert published(RECIPES["prototypical-omniglot-20w1s"]).accuracy == 96.0
    assert published(RECIPES["anil-omniglot-5w1s"]) is None
    assert published(RECIPES["siamese-omniglot-5w1s"], REPRODUCTIONS) is None
    assert PAPERS.keys() == {*METHODS}


def test_the_schedules_end_where_they_should() -> None:
    for schedule, last in (("halve", 1e-3 / 8), ("one-cycle", 0.0), ("linear", 0.0)):
        recipe = replace(SMALL, steps=40, schedule=schedule)
        optimizer, scheduler = builders.optimiser(recipe, nn.Linear(1, 1))
        for _ in range(39):
            optimizer.step()
            scheduler.step()
        assert optimizer.param_groups[0]["lr"] == pytest.approx(last, abs=3e-5)


# Runs and the ledger


def test_a_run_leaves_complete_evidence(data: Splits, tmp_path: Path) -> None:
    run = _train(data, tmp_path / "run")
    assert [*ledger.defects_of_run(SMALL, run)] == []
    assert run["all_at_once"]["episodes"] == 10
    assert run["one_at_a_time"] is None
    assert run["untrained"]["accuracy"] < 1
    assert run["curve"]["validation_step"] == [3, 6]
    assert len(run["curve"]["loss"]) == 6
    assert run["tasks_per_second"] == pytest.approx(SMALL.steps * SMALL.batch_size / run["seconds"])
    assert run["peak_memory_mib"] > 50


def test_methods_that_look_at_the_other_queries_are_tested_one_query_at_a_time(data: Splits, tmp_path: Path) -> None:
    recipe = replace(quick(RECIPES["maml-omniglot-5w1s"]), steps=2, test_episodes=4, channels=4)
    run = _train(data, tmp_path, recipe)
    assert run["one_at_a_time"]["episodes"] == 4
    assert run["one_at_a_time"] != run["all_at_once"]


def test_a_run_enters_the_ledger_and_further_seeds_add_to_it(data: Splits, tmp_path: Path) -> None:
    results, store = tmp_path / "results", tmp_path / "weights"
    accuracies = []
    for seed in (1, 0, 2):
        run = _train(data, tmp_path / str(seed), seed=seed)
        runs.enter(SMALL, tmp_path / str(seed), results, store)
        accuracies.append(run["all_at_once"]["accuracy"])
    entry = ledger.read(SMALL, results)
    assert [run["seed"] for run in entry.runs] == [0, 1, 2]
    assert entry.accuracy == pytest.approx(statistics.fmean(accuracies))
    assert entry.spread == pytest.approx(statistics.stdev(accuracies))
    assert [*ledger.defects(SMALL, results, store)] == []
    assert weights.sha256(store / f"{SMALL.name}.safetensors") == entry.runs[0]["weights_sha256"]


def test_entering_a_seed_again_replaces_it(data: Splits, tmp_path: Path) -> None:
    run = _train(data, tmp_path / "run")
    for seconds in (1.0, 2.0):
        ledger.add(SMALL, run | {"seconds": seconds}, tmp_path)
    assert [run["seconds"] for run in ledger.read(SMALL, tmp_path).runs] == [2.0]


def test_the_entry_names_paper_and_deviations_whose_words_are_no_settings(data: Splits, tmp_path: Path) -> None:
    run = _train(data, tmp_path / "run")
    saved = json.loads(ledger.add(SMALL, run, tmp_path).read_text())
    assert saved["paper"] == {"accuracy": 98.8, "ci95": None, "source": "Snell et al. 2017, table 1"}
    assert saved["deviations"] == list(SMALL.deviations)
    reworded = replace(SMALL, deviations=("said otherwise",))
    weights.read_weights(reworded, tmp_path / "run" / "weights.safetensors")
    assert [run["seed"] for run in ledger.read(reworded, tmp_path).runs] == [0]
    assert ledger.read(reworded, tmp_path).settings == weights.settings_of(reworded)


def test_runs_of_older_settings_are_dropped(data: Splits, tmp_path: Path) -> None:
    run = _train(data, tmp_path / "run")
    ledger.add(SMALL, run, tmp_path)
    newer = replace(SMALL, lr=2e-3)
    ledger.add(newer, run | {"seed": 1}, tmp_path)
    assert [run["seed"] for run in ledger.read(newer, tmp_path).runs] == [1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": None}, "seconds is a NoneType"),
        ({"all_at_once": {"accuracy": 0.9, "ci95": 0.1, "episodes": 9}}, "9 test episodes, the recipe asks for 10"),
        ({"all_at_once": {"accuracy": 98.8, "ci95": 0.1, "episodes": 10}}, "all_at_once is no score"),
        ({"training_tasks": 7}, "7 training tasks, the recipe asks for 12"),
    ],
)
def test_runs_that_are_no_evidence_are_refused(data: Splits, tmp_path: Path, change: dict, words: str) -> None:
    run = _train(data, tmp_path / "run")
    with pytest.raises(ValueError, match=words):
        ledger.add(SMALL, run | change, tmp_path / "results")
    assert not list(tmp_path.glob("results/*.json"))


def test_a_run_of_other_settings_is_refused(data: Splits, tmp_path: Path) -> None:
    _train(data, tmp_path / "run")
    with pytest.raises(ValueError, match="other settings"):
        runs.enter(replace(SMALL, lr=0.5), tmp_path / "run", tmp_path / "results", tmp_path / "weights")


def test_weights_of_another_run_are_refused(data: Splits, tmp_path: Path) -> None:
    _train(data, tmp_path / "a")
    _train(data, tmp_path / "b", seed=1)
    (tmp_path / "b" / "weights.safetensors").replace(tmp_path / "a" / "weights.safetensors")
    with pytest.raises(ValueError, match=r"is not the file that run\.json speaks of"):
        runs.enter(SMALL, tmp_path / "a", tmp_path / "results", tmp_path / "weights")


def test_disagreement_of_recipe_ledger_and_weights_is_found(data: Splits, tmp_path: Path) -> None:
    results, store = tmp_path / "results", tmp_path / "weights"
    _train(data, tmp_path / "run")
    runs.enter(SMALL, tmp_path / "run", results, store)
    changed = replace(SMALL, steps=7)
    assert any("changed after it was run" in text for text in ledger.defects(changed, results, store))
    file = store / f"{SMALL.name}.safetensors"
    weights.write_weights(SMALL, builders.build(SMALL), 0, file)
    assert [*ledger.defects(SMALL, results, store)] == [f"{SMALL.name}: the weights are those of no run in the ledger"]
    file.unlink()
    assert [*ledger.defects(SMALL, results, store)] == [f"{SMALL.name}: the weights are missing"]
    (results / "unheard-of.json").write_text("{}")
    assert "unheard-of.json belongs to no recipe" in ledger.all_defects(results, store)


def test_the_ledger_of_the_book_agrees_with_recipes_and_weights() -> None:
    assert ledger.all_defects() == []


def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / f"{SMALL.name}.json").write_text("{")
    with pytest.raises(ValueError, match=r"\.json is damaged"):
        ledger.read(SMALL, tmp_path)


def test_a_stopped_run_goes_on_and_ends_with_the_same_weights(
    data: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    recipe = replace(SMALL, steps=8)
    _train(data, whole, recipe)
    updates: list[int] = []
    step = torch.optim.Adam.step
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: (updates.append(1), step(self))[1])
    _train_in_two_parts(data, parts, recipe)
    assert len(updates) == 8  # nothing was done twice
    first, second = (weights.read_weights(recipe, folder / "weights.safetensors") for folder in (whole, parts))
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def _train_in_two_parts(data: Splits, folder: Path, recipe: Recipe) -> None:
    """Ctrl-C arrives in the middle; then the same call."""
    drawn = []

    def interrupt(module: nn.Module, inputs: object) -> None:
        drawn.append(1)
        if len(drawn) == 5:
            signal.raise_signal(signal.SIGINT)

    handle = nn.modules.module.register_module_forward_pre_hook(interrupt)
    try:
        assert not runs.train(recipe, data, 0, folder, Team(), progress=False)
    finally:
        handle.remove()
    assert not (folder / runs.RUN).exists()
    assert runs.train(recipe, data, 0, folder, Team(), progress=False)


KILLABLE = """
import sys, time
from dataclasses import replace
from pathlib import Path
from torch import nn
from helpers import blobs
from safetensors.torch import load_file
from fslbook import runs
from fslbook.data import Splits
from fslbook.distributed import Team
from fslbook.recipes import RECIPES, quick
recipe = replace(quick(RECIPES["prototypical-omniglot-5w1s"]), train_way=5, steps=30, test_episodes=10, channels=4)
data = Splits("blobs", *(blobs(25, 20, noise=0.3, size=28, seed=seed) for seed in range(3)))
nn.modules.module.register_module_forward_pre_hook(lambda *_: time.sleep(float(sys.argv[2])))
runs.train(recipe, data, 0, Path(sys.argv[1]), Team(), progress=False)
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(KILLABLE)
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{here.parent}:{here}", "OMP_NUM_THREADS": "1"}

    def start(folder: str, pause: float) -> subprocess.Popen:
        command = [sys.executable, str(tmp_path / "run.py"), str(tmp_path / folder), str(pause)]
        return subprocess.Popen(command, env=environment)

    killed = start("killed", 0.02)
    while not (tmp_path / "killed" / "checkpoint0.pt").exists():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert not (tmp_path / "killed" / runs.RUN).exists()
    for folder in ("killed", "whole"):
        assert start(folder, 0.0).wait(timeout=60) == 0
    states = [load_file(tmp_path / folder / "weights.safetensors") for folder in ("killed", "whole")]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])


# Weights


def test_weights_come_back_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = RECIPES["maml-omniglot-5w1s"]
    method = builders.build(recipe)
    weights.write_weights(recipe, method, 0, tmp_path / f"{recipe.name}.safetensors")
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    loaded = fslbook.load(recipe.name)
    assert isinstance(loaded, AdaptingMethod)
    assert not loaded.training
    pairs = zip(method.parameters(), loaded.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_what_was_not_run_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="has not been run yet"):
        fslbook.load("maml-omniglot-5w1s")


def test_damaged_or_foreign_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    weights.write_weights(SMALL, builders.build(SMALL), 0, path)
    with pytest.raises(ValueError, match="holds prototypical-omniglot-5w1s, not matching-omniglot-5w1s"):
        weights.read_weights(RECIPES["matching-omniglot-5w1s"], path)
    whole = path.read_bytes()
    for broken in (b"", b"nonsense", whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="damaged"):
            weights.read_weights(SMALL, path)


# The command line


def test_list_results_and_jobs_name_every_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("list", "results", "jobs"):
        assert main([command]) == 0
        printed = capsys.readouterr().out
        assert all(name in printed for name in RECIPES)
    main(["jobs", "--seeds", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 25 + 2 * 9  # the trainings, and two further seeds
    assert "python -m fslbook train maml-omniglot-5w1s --seed 2" in lines
    assert "python -m fslbook train matching-omniglot-5w1s matching-omniglot-20w1s --seed 0" in lines


def test_several_recipes_are_trained_one_after_the_other(
    data: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fslbook.__main__.course_dataset", lambda: data)
    names = ["siamese-omniglot-5w1s", "siamese-omniglot-5w5s"]
    command = ["train", *names, "--quick", "--device", "cpu", "--runs", str(tmp_path)]
    assert main(command) == 0
    assert capsys.readouterr().out.count("ran to its end") == 2
    assert len([*(tmp_path / "quick" / "trainings").iterdir()]) == 1
    assert all((tmp_path / "quick" / name / "seed0" / runs.RUN).exists() for name in names)
    assert main(["train", names[0], "nonsense", "--quick", "--runs", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "none").exists()


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "nonsense"]) == 2
    assert capsys.readouterr().err.startswith("fslbook: unknown recipe 'nonsense'")


def test_evaluate_tests_the_trained_weights_again(
    data: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = RECIPES["anil-omniglot-5w1s"]
    weights.write_weights(recipe, builders.build(recipe), 0, tmp_path / f"{recipe.name}.safetensors")
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr("fslbook.__main__.omniglot", lambda split: data)
    assert main(["evaluate", recipe.name, "--episodes", "4", "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    assert "all at once" in printed
    assert "one at a time" in printed
    assert "(4 episodes)" in printed


def test_a_folder_without_a_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enter", SMALL.name, str(tmp_path)]) == 2
    assert "run.json" in capsys.readouterr().err


# Several processes

TEAM = """
import json, sys, torch
from torch import distributed as dist
from helpers import easy_sampler
from fslbook import MAML
from fslbook.distributed import join
from torch import nn
torch.manual_seed(0)
team = join(torch.device("cpu"))
method = MAML(nn.Sequential(nn.Flatten(1), nn.Linear(64, 5)), 0.1)
sampler = easy_sampler(seed=team.rank)
parallel = team.parallel(method)
parallel.loss(sampler.sample(2)).backward()
gradient = [p.grad.flatten().tolist() for p in method.parameters()]
with open(f"{sys.argv[1]}/rank{team.rank}.json", "w") as file:
    json.dump([team.rank, team.size, gradient], file)
dist.destroy_process_group()
"""


def test_two_processes_average_the_gradient_of_all_their_tasks(tmp_path: Path) -> None:
    (tmp_path / "team.py").write_text(TEAM)
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{here.parent}:{here}", "OMP_NUM_THREADS": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*torchrun, str(tmp_path / "team.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in range(2)]
    assert [answer[:2] for answer in answers] == [[0, 2], [1, 2]]
    assert answers[0][2] == answers[1][2]
    _compare_with_one_process(answers[0][2])


def _compare_with_one_process(together: list[list[float]]) -> None:
    from helpers import easy_sampler

    torch.manual_seed(0)
    method = fslbook.MAML(nn.Sequential(nn.Flatten(1), nn.Linear(64, 5)), 0.1)
    losses = [method.loss(easy_sampler(seed=rank).sample(2)) for rank in range(2)]
    alone = torch.autograd.grad(sum(losses) / 2, [*method.parameters()])
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(torch.tensor(a), b.flatten(), rtol=1e-5, atol=1e-7)


def test_tasks_are_dealt_out_evenly_or_not_at_all() -> None:
    assert Team(1, 4).share(32) == 8
    with pytest.raises(ValueError, match="5 tasks a step cannot be dealt out evenly to 2 processes"):
        Team(0, 2).share(5)
