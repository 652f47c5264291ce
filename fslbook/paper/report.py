"""The ledger in words and tables, for the book: ours beside the papers, and nothing that was not run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fslbook.paper.ledger import RESULTS, Entry, read
from fslbook.paper.published import Published, published, reproduced
from fslbook.paper.recipe import TASKS, Recipe
from fslbook.paper.recipes import METHODS, RECIPES

NOT_RUN, THE_SAME, NONE = "not run yet", "the same", "–"
OURS = ("ours", "with the support", "one query at a time", "untrained")
SAYS_NOTHING = {"", NOT_RUN.replace(" ", "\u00a0"), THE_SAME.replace(" ", "\u00a0"), NONE}


def results_table(method: str | None = None, folder: Path = RESULTS) -> str:
    """A Markdown table of one method's recipes, or of all: accuracy in percent with 95 % intervals.

    Columns that say nothing are left out. Below the table stands what the times were measured on.

    Raises:
        ValueError: unknown method.

    Example:
        >>> head, _, first, *_ = results_table("prototypical").splitlines()
        >>> head
        '| recipe | ours | untrained | paper | others | time |'
        >>> [cell.strip() for cell in first.split("|")][1], "98.8" in first
        ('`prototypical-omniglot-5w1s`', True)
    """
    if method is not None and method not in METHODS:
        raise ValueError(f"unknown method {method!r}; known are {', '.join(METHODS)}")
    chosen = [recipe for recipe in RECIPES.values() if method in (None, recipe.method)]
    entries = [read(recipe, folder) for recipe in chosen]
    rows = [*map(_row, chosen, entries)]
    head = [name for name in rows[0] if {row[name] for row in rows} - SAYS_NOTHING]
    machines = sorted({entry.runs[0]["hardware"] for entry in entries if entry})
    below = f"\n\nTraining time of one seed on: {'; '.join(machines)}." if machines else ""
    return _table(head, ([row[name] for name in head] for row in rows)) + below


def difference_in_words(recipe: Recipe, folder: Path = RESULTS) -> str:
    """One sentence on how our figure stands to the paper's.

    Example:
        >>> from fslbook.paper.recipes import recipe_named
        >>> words = difference_in_words(recipe_named("prototypical-omniglot-20w1s"))
        >>> words.startswith("prototypical-omniglot-20w1s: "), "the paper, " in words
        (True, True)
    """
    entry, paper = read(recipe, folder), published(recipe)
    if entry is None:
        return f"{recipe.name}: {NOT_RUN}."
    if paper is None:
        return f"{recipe.name}: the paper has no figure for this task."
    points = 100 * entry.accuracy - paper.accuracy
    side = f"{abs(points):.1f} points {'above' if points >= 0 else 'below'}"
    where = side if abs(points) >= 0.05 else "within a tenth of a point of"
    return f"{recipe.name}: {where} the paper{_overlap(entry, paper)}."


def deviations_table() -> str:
    """A Markdown table: what each method's recipes do differently from the paper.

    Example:
        >>> next(line for line in deviations_table().splitlines() if "prototypical |" in line)
        '| prototypical | the rate is halved three times in all, not every 2,000 episodes |'
    """
    first = [recipe for recipe in RECIPES.values() if (recipe.n_way, recipe.k_shot) == TASKS[0]]
    return _table(["method", "differs from the paper"], ([r.label, "; ".join(r.deviations[2:]) or "–"] for r in first))


def _overlap(entry: Entry, paper: Published) -> str:
    apart = abs(100 * entry.accuracy - paper.accuracy)
    if paper.ci95 is None:
        return f", {'inside' if apart <= 100 * entry.ci95 else 'outside'} our interval"
    return f", and the intervals {'do not overlap' if apart > 100 * entry.ci95 + paper.ci95 else 'overlap'}"


def _row(recipe: Recipe, entry: Entry | None) -> dict[str, str]:
    """A cell for each column."""
    paper, others = published(recipe), reproduced(recipe)
    row = {"recipe": f"`{recipe.name}`"} | (
        _ours(entry) if entry else dict.fromkeys(OURS, "") | {"ours": _unbroken(NOT_RUN)}
    )
    row |= {"paper": _figure(paper), "others": f"{_figure(others)} ({others.source.split(',')[0]})" if others else NONE}
    return row | {"time": _unbroken(f"{entry.runs[0]['seconds'] / 60:.1f} min") if entry else ""}


def _ours(entry: Entry) -> dict[str, str]:
    first = entry.runs[0]
    seeds = f" ({len(entry.runs)} seeds, spread {100 * entry.spread:.2f})" if entry.spread is not None else ""
    ours = _unbroken(f"{100 * entry.accuracy:.2f} ± {100 * entry.ci95:.2f}") + seeds
    scores = (first.get("with_support"), first["one_at_a_time"], first["untrained"])
    return dict(zip(OURS, [ours, *map(_score, scores)], strict=True))


def _score(score: dict[str, Any] | None) -> str:
    return _unbroken(f"{100 * score['accuracy']:.1f} ± {100 * score['ci95']:.1f}" if score else THE_SAME)


def _figure(figure: Published | None) -> str:
    if figure is None:
        return NONE
    return _unbroken(_decimals(figure.accuracy) + (f" ± {_decimals(figure.ci95)}" if figure.ci95 is not None else ""))


def _decimals(number: float) -> str:
    """One decimal, or two where the paper has two."""
    return f"{number:.2f}".removesuffix("0")


def _unbroken(text: str) -> str:
    """Text that no line break takes apart."""
    return text.replace(" ", "\u00a0")


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
