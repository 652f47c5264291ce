"""What a notebook rests on, read from the text of a small package that is never imported."""

from __future__ import annotations

from pathlib import Path

import pytest
from dependencies import Package, sources

FILES = {
    "__init__": "from fslbook.methods import Toy\nfrom fslbook.training.loop import fit\n",
    "methods/__init__": "from fslbook.methods.toy import Toy\nfrom fslbook.methods.other import Other\n",
    "methods/base": '"""What methods share."""\n\n\ndef distances() -> None:\n    """None."""\n',
    "methods/toy": "from fslbook.methods.base import distances\n\n\nclass Toy:\n    pass\n",
    "methods/other": "class Other:\n    pass\n",
    "training/__init__": "",
    "training/loop": """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from fslbook.methods.other import Other
def fit() -> None:
    import fslbook.plots
""",
    "plots": "COLOURS = 3\nSHAPES, SIZES = 1, 2\n",
    "exercises/__init__": "from fslbook.exercises import check\n",
    "exercises/check": "from fslbook.finding import below\n\nglobals().update(below('fslbook.exercises'))\n",
    "finding": "import pkgutil\n\n\ndef below(name: str) -> list:\n    return list(pkgutil.iter_modules(name))\n",
    "recipes/__init__": "import pkgutil\n\nRECIPES = list(pkgutil.iter_modules(__path__))\n",
    "recipes/toy": "from fslbook.methods import Toy\n",
    "exercises/means/__init__": "",
    "exercises/means/sums": "from fslbook.methods.base import distances\nprototypes: int = 1\n",
    "exercises/pairs": "margins = 2\n",
}


@pytest.fixture
def package(tmp_path: Path) -> Package:
    for name, text in FILES.items():
        file = tmp_path / "fslbook" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Package(tmp_path)


TOY, BASE = "methods.toy", "methods.base"
LOOP, PLOTS = "training.loop", "plots"
CHECK, MEANS, PAIRS = "exercises.check", "exercises.means.sums", "exercises.pairs"


@pytest.mark.parametrize(
    ("code", "used"),
    [
        ("from fslbook import Toy", {TOY, BASE}),
        ("from fslbook.methods import Toy as T", {TOY, BASE}),
        ("import fslbook as fsl\nmethod = fsl.Toy()", {TOY, BASE}),
        ("import fslbook\nfslbook.methods.toy.Toy()", {TOY, BASE}),
        ("import fslbook as fsl\nfsl.methods.Other", {"methods.other"}),
        ("import fslbook.methods.base as base\nbase.distances()", {BASE}),
        ("from fslbook import fit", {LOOP, PLOTS}),  # an import within a function counts, one for the type checker not
        ("from fslbook.plots import SIZES", {PLOTS}),
        ("from fslbook.exercises import check\ncheck.prototypes(mine)", {MEANS, BASE}),
        ("from fslbook.exercises import check\ncheck.margins(mine)", {PAIRS}),
        ("from fslbook.recipes import RECIPES", {"recipes", "recipes.toy", TOY, BASE}),
        ("def learn():\n    from fslbook import Toy", {TOY, BASE}),
        ("import torch\nfrom torch import nn", set()),
    ],
)
def test_code_rests_on_the_files_that_define_what_it_uses(package: Package, code: str, used: set[str]) -> None:
    assert package.used_by(code) == {f"fslbook.{name}" for name in used}


def test_a_package_that_is_used_as_a_whole_counts_as_a_whole(package: Package) -> None:
    assert {f"fslbook.{name}" for name in (CHECK, MEANS, PAIRS)} < package.used_by(
        "from fslbook.exercises import check"
    )
    everything = package.used_by("import fslbook as fsl\nhelp(fsl)")
    assert {"fslbook", "fslbook.methods.toy", "fslbook.training.loop"} <= everything


def test_lines_for_ipython_are_no_code() -> None:
    assert sources(["%matplotlib inline\nx = 1", "!ls\ny = 2"]) == "x = 1\ny = 2"
