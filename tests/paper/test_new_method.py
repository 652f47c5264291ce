"""A new method costs four files; the rest is found or generated."""

from __future__ import annotations

from pathlib import Path

import pytest
from copies import changed, copy_of_the_checkout, python
from paper import toy_method

WRITTEN = {*toy_method.FILES, "book/references.bib"}
GENERATED = {"book/package.md", "book/_results/toy.md"}
RECIPES = [f"toy-omniglot-{task}" for task in ("5w1s", "5w5s", "20w1s", "20w5s")]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with a new method, and with what tools write from it."""
    folder = copy_of_the_checkout(tmp_path_factory.mktemp("project"))
    toy_method.write(folder)
    assert changed(folder) == WRITTEN
    for tool in ("reference", "results"):
        python(folder, f"tools/{tool}.py")
    return folder


def line_with(text: str, word: str) -> str:
    found = [line for line in text.splitlines() if word in line]
    assert len(found) == 1, f"{word} stands in {len(found)} lines of\n{text}"
    return found[0].replace("\u00a0", " ")


def test_a_new_method_costs_four_files_and_everything_else_is_generated(project: Path) -> None:
    assert len(WRITTEN) == 4
    assert changed(project) == WRITTEN | GENERATED


def test_the_command_line_knows_its_recipes(project: Path) -> None:
    printed = {verb: python(project, "-m", "fslbook", verb) for verb in ("list", "results", "jobs")}
    for name in RECIPES:
        assert "not run yet" in line_with(printed["list"], f"{name} ")
        assert "Toy and Block 2021, table 1" in line_with(printed["results"], f"{name} ")
        assert "python -m fslbook train" in line_with(printed["jobs"], f" {name} ")


def test_it_can_be_trained(project: Path) -> None:
    command = ["train", RECIPES[0], "--quick", "--device", "cpu", "--runs", "runs"]
    assert "the quick form ran to its end" in python(project, "-m", "fslbook", *command)
    assert (project / f"runs/quick/{RECIPES[0]}/seed0/run.json").is_file()


TABLES = "from fslbook.paper.report import *; print(results_table(), deviations_table(), sep='\\n')"


def test_the_tables_of_the_book_have_its_rows(project: Path) -> None:
    every = python(project, "-c", TABLES)
    own = (project / "book/_results/toy.md").read_text(encoding="utf-8")
    for name, figure in zip(RECIPES, ("91.2", "93.4", "81.2", "83.4"), strict=True):
        assert f"| not run yet |  | {figure} |" in line_with(every, f"`{name}`")
        assert line_with(own, f"`{name}`") == f"| `{name}` | {figure} |"
    assert line_with(every, "| toy |") == "| toy | the toys are smaller |"


def test_the_reference_page_has_it(project: Path) -> None:
    page = (project / "book/package.md").read_text(encoding="utf-8")
    assert line_with(page, "ToyNetwork") == ".. autoclass:: fslbook.methods.metric.toy.ToyNetwork"


def test_the_references_have_its_paper_though_no_page_cites_it(project: Path, tmp_path: Path) -> None:
    for name in ("references.md", "references.bib"):
        (tmp_path / name).write_text((project / "book" / name).read_text(encoding="utf-8"), encoding="utf-8")
    settings = 'root_doc = "references"\nbibtex_bibfiles = ["references.bib"]\n'
    (tmp_path / "conf.py").write_text(f'extensions = ["myst_parser", "sphinxcontrib.bibtex"]\n{settings}')
    python(tmp_path, "-m", "sphinx", "-q", ".", "built")
    page = (tmp_path / "built/references.html").read_text(encoding="utf-8")
    assert "toys for few-shot learning" in page.lower()  # the style writes titles in small letters


def test_its_tests_are_collected_and_pass(project: Path) -> None:
    """Its own, and those that every recipe, cited paper, docstring and generated page must pass."""
    paper = [f"tests/paper/test_{part}.py" for part in ("recipes", "half_precision", "report")]
    house = ["tests/house/test_reference.py", "tests/house/test_docstrings.py"]
    files = ["tests/methods/metric/test_toy.py", *paper, *house, "fslbook/methods/metric/toy.py"]
    printed = python(project, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "--doctest-modules", *files)
    assert f"PASSED {files[0]}::test_absolute_differences_are_summed" in printed
    assert f"PASSED {files[-1]}::fslbook.methods.metric.toy.ToyNetwork" in printed
    for name in RECIPES:
        assert f"PASSED {paper[0]}::test_a_recipe_builds_a_method_that_learns_from_its_tasks[{name}]" in printed
