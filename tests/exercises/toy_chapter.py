"""A toy chapter, file by file, as the author of a chapter would write it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

STEM = "99-toy"
TASKS = {"toy_double": 2, "toy_triple": 3, "toy_quadruple": 4, "toy": 5}
TIERS = ["Warm-up", "Build", "Build", "Investigate"]
COMPARED = {"tags": ["nbval-check-output"]}

CHECKS = '''
    """Checks of chapter 99's exercises: toys."""

    from __future__ import annotations

    import torch
    from torch import Generator, Tensor

    from fslbook.exercises.engine.exercise import Case, Exercise, Mistake


    def _times(number: int, name: str) -> Exercise:
        def draw(generator: Generator) -> tuple[Tensor]:
            return (torch.rand(5, generator=generator),)

        wrong = [Mistake(lambda x, n=n: n * x, f"this is {n} times as much") for n in (6, 7, 8)]
        return Exercise(name, lambda x: x * number, {"five numbers": Case(draw)}, wrong)

'''

TEST = '''
    """Exercises of chapter 99: correct versions that are written differently from the solution."""

    from __future__ import annotations

    from exercise_helpers import assert_accepted, assert_rejected, by_name, by_name_and_words

    VERSIONS = {
        "toy_double": [lambda x: x + x, lambda x: x / 0.5],
        "toy_triple": [lambda x: x + x + x, lambda x: 2 * x + x],
        "toy_quadruple": [lambda x: (x + x) * 2, lambda x: x / 0.25],
        "toy": [lambda x: x / 0.2, lambda x: 6 * x - x],
    }
    WRONG = {
        name: [(f"this is {n % 3 + 6} times as much", lambda x, n=n: x * (n % 3 + 6)) for n in range(10)]
        for name in VERSIONS
    }


    @by_name(VERSIONS)
    def test_another_correct_version_is_accepted(name, version):
        assert_accepted(name, version)


    @by_name_and_words(WRONG)
    def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
        assert_rejected(name, words, version)
'''


def write(root: Path) -> None:
    """Write the chapter into a checkout of the book: five files."""
    toys = "\n".join(f'{name} = _times({number}, "{name}")' for name, number in TASKS.items())
    (root / "fslbook/exercises/toy.py").write_text(dedent(CHECKS).lstrip() + toys + "\n", encoding="utf-8")
    (root / "tests/exercises/test_toy.py").write_text(dedent(TEST).lstrip(), encoding="utf-8")
    nbformat.write(chapter(), root / f"book/{STEM}.ipynb")
    nbformat.write(solutions(), root / f"book/solutions/{STEM}.ipynb")
    toc = root / "_toc.yml"
    line, before = (
        f"      - {{file: book/{STEM}, sections: [{{file: book/exercises/{STEM}}}]}}\n",
        "  - caption: Find the bug",
    )
    toc.write_text(toc.read_text(encoding="utf-8").replace(before, line + before), encoding="utf-8")


def chapter() -> NotebookNode:
    """The page itself: a title, a line of what it teaches, five cells whose output is compared."""
    numbers = [new_code_cell(f"print({n} * {n})", metadata=COMPARED) for n in range(5)]
    return new_notebook(cells=[new_markdown_cell("# 99 · Toys\n\n*What toys teach.*"), *numbers])


def solutions() -> NotebookNode:
    """The solutions, from which the page of exercises is generated."""
    cells = [new_markdown_cell("# 99 · Toys: Solutions"), new_code_cell("from fslbook.exercises import check")]
    for name, tier in zip(TASKS, TIERS, strict=True):
        hint = "<details><summary>Hint</summary>\n\nUse `*`.\n\n</details>"
        body = f'def my_{name}(x):\n    """Numbers [5], multiplied."""\n    return {TASKS[name]} * x'
        cells += [
            new_markdown_cell(f"## {name}\n\n*{tier}, 5 minutes.* Multiply.\n\n{hint}"),
            new_code_cell(body, metadata={"tags": ["solution"]}),
            new_code_cell(f"report = check.{name}(my_{name})", metadata=COMPARED),
        ]
    return new_notebook(cells=[*cells, new_code_cell("print(len(dir(check)) > 53)", metadata=COMPARED)])
