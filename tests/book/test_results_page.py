"""The page of results was run after the newest recipe.

A test of the book, not of `paper/`: who adds a method tests it first, and runs the pages after that.
"""

from __future__ import annotations

from contents import ROOT

from fslbook.paper.recipes import RECIPES


def test_the_page_of_results_was_run_with_the_recipes_of_today() -> None:
    page = (ROOT / "book/results.ipynb").read_text(encoding="utf-8")
    assert [name for name in RECIPES if f"`{name}`" not in page] == []
