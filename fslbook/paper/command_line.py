"""The command line: recipes at paper scale.

python -m fslbook list                       every recipe, and what the ledger holds on it
python -m fslbook train RECIPE [--seed 1]    train, evaluate, enter in the ledger; goes on where it was stopped;
                                             several recipes one after the other, those of one training train once
python -m fslbook evaluate RECIPE            test the trained weights again
python -m fslbook results                    the ledger beside the papers
python -m fslbook enter RECIPE FOLDER        take in a run that was made elsewhere, after checking it
python -m fslbook jobs [--seeds 3]           one command a line, for any scheduler
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from fslbook.common.devices import pick_device
from fslbook.data import Splits, course_dataset, omniglot
from fslbook.paper import ledger, runs
from fslbook.paper.published import published
from fslbook.paper.recipe import Recipe, quick
from fslbook.paper.recipes import RECIPES, recipe_named
from fslbook.paper.report import NOT_RUN
from fslbook.paper.weights import load
from fslbook.training.distributed import Team, join


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(COMMANDS[options.command](options))
    except (ValueError, OSError) as error:
        print(f"fslbook: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m fslbook", description=__doc__.partition("\n\n")[2])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("list", "results"):
        commands.add_parser(name)
    for name in ("train", "evaluate", "enter"):
        command = commands.add_parser(name)
        command.add_argument("recipe", metavar="RECIPE", nargs="+" if name == "train" else None)
        command.add_argument("--device", type=pick_device, default=None, help="cpu or cuda; by default the faster one")
        if name == "enter":
            command.add_argument("folder", type=Path, help="with run.json and weights.safetensors")
    train = commands.choices["train"]
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--quick", action="store_true", help="small enough for two minutes on a CPU; not for the ledger")
    train.add_argument("--eager", action="store_true", help="no CUDA graph")
    train.add_argument("--runs", type=Path, default=Path("runs"), help="where checkpoints and runs lie (default: runs)")
    train.add_argument("--results", type=Path, default=ledger.RESULTS, help="the ledger's folder")
    commands.choices["evaluate"].add_argument("--episodes", type=int, default=None)
    commands.add_parser("jobs").add_argument("--seeds", type=int, default=1, help="of the 5-way 1-shot recipes")
    return parser


def _list(options: argparse.Namespace) -> int:
    for recipe in RECIPES.values():
        print(f"{recipe.name:<32}{recipe.steps:>7,} steps of {recipe.batch_size:>2} tasks   {_in_ledger(recipe)}")
    return 0


def _train(options: argparse.Namespace) -> int:
    recipes = [recipe_named(name) for name in options.recipe]
    device = options.device or pick_device()
    team = join(device)
    return next((status for recipe in recipes if (status := _train_one(recipe, options, device, team))), 0)


def _train_one(recipe: Recipe, options: argparse.Namespace, device: torch.device, team: Team) -> int:
    recipe = quick(recipe) if options.quick else recipe
    place, seed = options.runs / ("quick" if options.quick else ""), f"seed{options.seed}"
    folder, shared = place / recipe.name / seed, place / "trainings" / recipe.training / seed
    data = (course_dataset() if options.quick else omniglot(recipe.split)).to(device)
    finished = runs.train(recipe, data, options.seed, folder, team, checkpoints=shared, eager=options.eager)
    if not finished:
        return 130  # as if the signal had not been caught
    if team.leads:
        _report(recipe, folder, options)
    return 0


def _report(recipe: Recipe, folder: Path, options: argparse.Namespace) -> None:
    if options.quick:
        print(f"{recipe.name}: the quick form ran to its end; its accuracy says nothing, the ledger is as it was")
        return
    print(f"{recipe.name}: {runs.enter(recipe, folder, options.results)}")


def _evaluate(options: argparse.Namespace) -> int:
    recipe = recipe_named(options.recipe)
    device = options.device or pick_device()
    data: Splits = omniglot(recipe.split).to(device)
    for name, result in runs.scores(recipe, load(recipe.name, device), data, options.episodes).items():
        print(f"{name.replace('_', ' '):<16}{result}")
    return 0


def _results(options: argparse.Namespace) -> int:
    for recipe in RECIPES.values():
        paper = published(recipe)
        beside = f"{paper.accuracy:6.2f}  {paper.source}" if paper else "        no figure in the paper"
        print(f"{recipe.name:<32}{_in_ledger(recipe):<30}{beside}")
    return 0


def _in_ledger(recipe: Recipe) -> str:
    entry = ledger.read(recipe)
    if entry is None:
        return NOT_RUN
    seeds = f"{len(entry.runs)} seed{'s' * (len(entry.runs) > 1)}"
    return f"{100 * entry.accuracy:.2f} ± {100 * entry.ci95:.2f}, {seeds}"


def _enter(options: argparse.Namespace) -> int:
    print(runs.enter(recipe_named(options.recipe), options.folder))
    return 0


def _jobs(options: argparse.Namespace) -> int:
    jobs: dict[tuple[str, int], list[str]] = {}
    for recipe in RECIPES.values():
        for seed in range(options.seeds if (recipe.n_way, recipe.k_shot) == (5, 1) else 1):
            jobs.setdefault((recipe.training, seed), []).append(recipe.name)
    for (_, seed), names in jobs.items():
        print(f"python -m fslbook train {' '.join(names)} --seed {seed}")
    return 0


COMMANDS = {
    "list": _list,
    "train": _train,
    "evaluate": _evaluate,
    "results": _results,
    "enter": _enter,
    "jobs": _jobs,
}
