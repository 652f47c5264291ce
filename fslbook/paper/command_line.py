"""The command line: recipes at paper scale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from fslbook.common.devices import pick_device
from fslbook.data import Splits, course_dataset, omniglot
from fslbook.paper import ledger, runs
from fslbook.paper.entering import enter
from fslbook.paper.places import RESULTS, check_writable, own_results
from fslbook.paper.published import published
from fslbook.paper.recipe import Recipe, quick
from fslbook.paper.recipes import RECIPES, recipe_named
from fslbook.paper.report import NOT_RUN
from fslbook.paper.weights import load
from fslbook.training.distributed import Team, join

HELP = """\
python -m fslbook list                       every recipe, and what the ledger holds on it
python -m fslbook train RECIPE [--seed 1]    train, evaluate, enter in the ledger; goes on where it was stopped;
                                             several recipes one after the other, those of one training train once
python -m fslbook evaluate RECIPE            test the trained weights again
python -m fslbook results                    the ledger beside the papers
python -m fslbook enter RECIPE FOLDER        take in a run that was made elsewhere, after checking it
python -m fslbook jobs [--seeds 3]           one command per line, for any scheduler
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command.

    Args:
        arguments: the words after `python -m fslbook`; by default those of this process.

    Returns:
        the exit status: 0; 2 after an error, which stands in one line on stderr; 130 after Ctrl-C.

    Example:
        >>> main(["evaluate", "no-such-recipe"])  # says on stderr that there is none
        2
    """
    options = _parser().parse_args(arguments)
    try:
        return int(COMMANDS[options.command](options))
    except KeyboardInterrupt:
        print("fslbook: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        raise  # no error of ours: whoever read the output has seen enough
    except (ValueError, OSError) as error:
        print(f"fslbook: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m fslbook", description=HELP)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("list", "train", "evaluate", "results", "enter", "jobs"):
        commands.add_parser(name)
    for name in ("train", "evaluate", "enter"):
        commands.choices[name].add_argument("recipe", metavar="RECIPE", nargs="+" if name == "train" else None)
    for name in ("train", "evaluate"):
        commands.choices[name].add_argument("--device", help="cpu or cuda; by default the faster one")
    commands.choices["enter"].add_argument("folder", type=Path, help="with run.json and weights.safetensors")
    _add_to_train(commands.choices["train"])
    _add_ledgers(commands.choices)
    commands.choices["evaluate"].add_argument("--episodes", type=_at_least(2), help="test tasks")
    commands.choices["jobs"].add_argument("--seeds", type=_at_least(1), default=1, help="of the 5-way 1-shot recipes")
    return parser


def _add_to_train(train: argparse.ArgumentParser) -> None:
    train.add_argument("--seed", type=_at_least(0), default=0)
    train.add_argument("--quick", action="store_true", help="small enough for two minutes on a CPU; not for the ledger")
    train.add_argument("--eager", action="store_true", help="no CUDA graph")
    train.add_argument("--runs", type=Path, default=Path("runs"), help="where checkpoints and runs lie (default: runs)")


def _add_ledgers(commands: dict[str, argparse.ArgumentParser]) -> None:
    for name, folder in {"list": RESULTS, "results": RESULTS, "evaluate": RESULTS}.items():
        commands[name].add_argument("--results", type=Path, default=folder, help="folder of the ledger that is read")
    for name in ("train", "enter"):
        said = f"folder of the ledger that is written, with `trained` for the weights (default: {own_results()})"
        commands[name].add_argument("--results", type=Path, default=own_results(), help=said.replace("%", "%%"))


def _at_least(least: int) -> Callable[[str], int]:
    """A type for argparse: whole numbers from `least` to what a seed may be."""

    def whole_number(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or len(text) > 10 or not least <= int(text) < 2**32:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {least} and below 2^32, got {text!r}")
        return int(text)

    return whole_number


def _device(options: argparse.Namespace) -> torch.device:
    try:
        return pick_device(options.device)
    except RuntimeError as error:
        raise ValueError(error) from error


def _list(options: argparse.Namespace) -> int:
    for recipe in RECIPES.values():
        held = _in_ledger(recipe, options.results)
        print(f"{recipe.name:<40}{recipe.steps:>7,} steps of {recipe.batch_size:>2} tasks   {held}")
    return 0


def _train(options: argparse.Namespace) -> int:
    recipes = [recipe_named(name) for name in options.recipe]
    device = _device(options)
    if not options.quick:
        check_writable(options.results)
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
    print(f"{recipe.name}: {enter(recipe, folder, options.results)}")


def _evaluate(options: argparse.Namespace) -> int:
    recipe, device = recipe_named(options.recipe), _device(options)
    method = load(recipe.name, device, options.results)
    data: Splits = omniglot(recipe.split).to(device)
    for name, result in runs.scores(recipe, method, data, options.episodes).items():
        print(f"{name.replace('_', ' '):<16}{result}")
    return 0


def _results(options: argparse.Namespace) -> int:
    for recipe in RECIPES.values():
        paper = published(recipe)
        beside = f"{paper.accuracy:6.2f}  {paper.source}" if paper else "        no figure in the paper"
        print(f"{recipe.name:<40}{_in_ledger(recipe, options.results):<30}{beside}")
    return 0


def _in_ledger(recipe: Recipe, folder: Path) -> str:
    entry = ledger.read(recipe, folder)
    if entry is None:
        return NOT_RUN
    seeds = f"{len(entry.runs)} seed{'s' * (len(entry.runs) > 1)}"
    return f"{100 * entry.accuracy:.2f} ± {100 * entry.ci95:.2f}, {seeds}"


def _enter(options: argparse.Namespace) -> int:
    print(enter(recipe_named(options.recipe), options.folder, options.results))
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
