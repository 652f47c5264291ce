"""What a run must say of itself before it counts as evidence: every field, its type and its range."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from fslbook.common.json_files import parsed_object
from fslbook.paper.recipe import Recipe


def _whole(x: Any, least: int = 0) -> bool:
    return isinstance(x, int) and not isinstance(x, bool) and least <= x < 2**63


def _number(x: Any) -> bool:
    return _whole(x, least=-(2**63)) or (isinstance(x, float) and math.isfinite(x))


def _positive(x: Any) -> bool:
    return _number(x) and x > 0


def _share(x: Any) -> bool:
    return _number(x) and 0 <= x <= 1


def _text(x: Any) -> bool:
    return isinstance(x, str) and bool(x.strip())


def _score(x: Any) -> bool:
    if not isinstance(x, dict) or x.keys() != {"accuracy", "ci95", "episodes"}:
        return False
    return _share(x["accuracy"]) and _share(x["ci95"]) and _whole(x["episodes"], least=2)


def _steps(x: Any) -> bool:
    return isinstance(x, list) and all(map(_whole, x)) and x == sorted({*x})


def _curve(x: Any) -> bool:
    """Steps that rise, and a loss or an accuracy for each; None where there was none."""
    if not isinstance(x, dict) or x.keys() != {"step", "loss", "validation_step", "validation_accuracy"}:
        return False
    pairs = ((x["step"], x["loss"], _number), (x["validation_step"], x["validation_accuracy"], _share))
    return all(_steps(steps) and _beside(steps, values, valid) for steps, values, valid in pairs)


def _beside(steps: list[int], values: Any, valid: Callable[[Any], bool]) -> bool:
    return isinstance(values, list) and len(values) == len(steps) and all(v is None or valid(v) for v in values)


def _versions(x: Any) -> bool:
    return isinstance(x, dict) and bool(x) and all(map(_text, x.values()))


def _digest(x: Any) -> bool:
    return isinstance(x, str) and re.fullmatch("[0-9a-f]{64}", x) is not None


SCORE = "accuracy and ci95 from 0 to 1, and at least 2 episodes"
SINCE_THEN = {"with_support"}  # the first entries of the ledger were written without it
FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "seed": (_whole, "a whole number of at least 0"),
    "all_at_once": (_score, SCORE),
    **dict.fromkeys(("with_support", "one_at_a_time"), (lambda x: x is None or _score(x), f"{SCORE}, or null")),
    "untrained": (_score, SCORE),
    "training_tasks": (lambda x: _whole(x, least=1), "a whole number of at least 1"),
    "seconds": (_positive, "a number above 0"),
    "tasks_per_second": (_positive, "a number above 0"),
    "precision": (lambda x: x in ("float32", "bfloat16"), "float32 or bfloat16"),
    "peak_memory_mib": (lambda x: x is None or _positive(x), "a number above 0, or null"),
    "hardware": (_text, "a text"),
    "versions": (_versions, "a text for each library"),
    "commit": (_text, "a text"),
    "command": (_text, "a text"),
    "weights_sha256": (_digest, "64 hexadecimal digits"),
    "curve": (_curve, "rising steps, and a number or null for each"),
}


def malformed(run: Any) -> Iterator[str]:
    """Everything in a run that no run of any recipe can say.

    Args:
        run: what stands in run.json, or as one of the runs in the ledger.

    Yields:
        a sentence per fault, with the field and its value.

    Example:
        >>> next(malformed({"seed": -1}))
        'seed is -1, not a whole number of at least 0'
    """
    if not isinstance(run, dict):
        yield f"a run is {_brief(run)}, not an object with fields"
        return
    for name, (valid, words) in FIELDS.items():
        if name not in run:
            yield from [] if name in SINCE_THEN else [f"{name} is missing"]
        elif not valid(run[name]):
            yield f"{name} is {_brief(run[name])}, not {words}"
    yield from (f"there is no field {_brief(name)}" for name in run if name not in FIELDS)


def defects_of_run(recipe: Recipe, run: Any) -> Iterator[str]:
    """Everything that keeps a run from being evidence for `recipe`.

    Args:
        recipe: what it is said to be a run of.
        run: what stands in run.json, or as one of the runs in the ledger.

    Yields:
        a sentence per fault.

    Example:
        >>> from fslbook.paper.ledger import read
        >>> from fslbook.paper.recipes import recipe_named
        >>> recipe = recipe_named("prototypical-omniglot-5w1s")
        >>> [*defects_of_run(recipe, read(recipe).runs[0] | {"training_tasks": 7})][0]
        '7 training tasks, the recipe asks for 24000'
    """
    if wrong := [*malformed(run)]:
        yield from wrong
        return
    for name in ("all_at_once", "with_support", "one_at_a_time", "untrained"):
        if run.get(name) and run[name]["episodes"] < recipe.test_episodes:
            yield f"{name} has {run[name]['episodes']} test episodes, the recipe asks for {recipe.test_episodes}"
    tasks = recipe.steps * recipe.batch_size
    if run["training_tasks"] != tasks:
        yield f"{run['training_tasks']} training tasks, the recipe asks for {tasks}"
    if not math.isclose(run["tasks_per_second"], run["training_tasks"] / run["seconds"], rel_tol=1e-6):
        yield f"{run['tasks_per_second']} tasks per second do not go with {run['seconds']} seconds"


def malformed_entry(saved: dict[str, Any], name: str) -> Iterator[str]:
    """Everything in a file of the ledger that no ledger says.

    Args:
        saved: the object in the file.
        name: of the recipe whose file it is.

    Yields:
        a sentence per fault.

    Example:
        >>> [*malformed_entry({"recipe": "a", "settings": "{}", "runs": []}, "a")]
        ['there is no run']
    """
    yield from (f"{field} is missing" for field in ("recipe", "settings", "runs") if field not in saved)
    yield from (f"there is no field {_brief(field)}" for field in saved if field not in ENTRY_FIELDS)
    if saved.get("recipe") != name:
        yield f"it is of {_brief(saved.get('recipe'))}, not of {name}"
    if not _settings(saved.get("settings")):
        yield f"settings is {_brief(saved.get('settings'))}, not an object in JSON"
    yield from _malformed_runs(saved.get("runs"))
    if not _shipped(saved.get("shipped")):
        yield f"shipped is {_brief(saved['shipped'])}, not a seed, a score and a sha256"


ENTRY_FIELDS = {"recipe", "settings", "paper", "deviations", "runs", "shipped", "sha256"}


def _malformed_runs(runs: Any) -> Iterator[str]:
    if not isinstance(runs, list):
        yield f"runs is {_brief(runs)}, not a list"
        return
    if not runs:
        yield "there is no run"
    wrong = [f"run {place}: {words}" for place, run in enumerate(runs) for words in malformed(run)]
    yield from wrong
    seeds = [] if wrong else [run["seed"] for run in runs]
    if seeds != sorted({*seeds}):
        yield f"the seeds of its runs are {seeds}; each stands once, the lowest first"


def _settings(x: Any) -> bool:
    try:
        return isinstance(x, str) and parsed_object(x) is not None
    except ValueError:
        return False


def _shipped(x: Any) -> bool:
    if x is None:
        return True
    if not isinstance(x, dict) or x.keys() != {"seed", "weights_sha256", "all_at_once"}:
        return False
    return _whole(x["seed"]) and _digest(x["weights_sha256"]) and _score(x["all_at_once"])


def _brief(x: Any, most: int = 80) -> str:
    text = repr(x)
    return text if len(text) <= most else f"{text[:most]}..."
