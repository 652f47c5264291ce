"""The wheel, installed apart from the checkout: it brings its weights and its ledger, and writes nothing into itself.

`make test-wheel` runs these tests. The environment is empty but for the wheel; the libraries are those of the book.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from paper.made_up import finished
from PIL import Image, ImageDraw

from fslbook.paper import ledger, report
from fslbook.paper.command_line import main
from fslbook.paper.recipes import RECIPES

ROOT = Path(__file__).resolve().parents[2]
NAME = "prototypical-omniglot-5w1s"
pytestmark = pytest.mark.skipif("FSLBOOK_TEST_WHEEL" not in os.environ, reason="builds a wheel: make test-wheel")


def started(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """A command carried out in a folder, where nothing points to the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GIT_"))}
    return subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)


def call(command: list[str | Path], folder: Path) -> str:
    """What a command prints; its failure is the test's."""
    done = started(command, folder)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", ".", ROOT], folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path) -> Path:
    """The interpreter of an environment with the wheel, and the libraries of this one behind it."""
    call([sys.executable, "-m", "venv", "--without-pip", "environment"], wheel.parent)
    interpreter = wheel.parent / "environment" / ("Scripts" if os.name == "nt" else "bin") / "python"
    call([sys.executable, "-m", "pip", "--python", interpreter, "install", "--quiet", "--no-deps", wheel], wheel.parent)
    libraries = call(
        [interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], wheel.parent
    ).strip()
    Path(libraries, "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return interpreter


@pytest.fixture
def untouched(python: Path) -> Iterator[None]:
    """Whatever a test does, the installed files are afterwards as they were, and there are no others."""
    before = installed(python)
    assert any(name.endswith("paper/places.py") for name in before)
    yield
    assert installed(python) == before


def installed(python: Path) -> dict[str, str]:
    files = [file for file in python.parents[1].rglob("*") if file.is_file() and file.suffix != ".pyc"]
    return {file.as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_wheel_holds_the_package_and_its_ledger_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"fslbook"}
    assert sum(name.startswith("fslbook/paper/results/") for name in names) == len([*(ROOT / "results").glob("*.json")])
    assert {name.rpartition(".")[2] for name in names if "dist-info" not in name} == {
        "py",
        "typed",
        "json",
        "safetensors",
    }
    assert wheel.stat().st_size < 12e6


def test_it_is_imported_from_where_it_is_installed(python: Path, tmp_path: Path) -> None:
    said = call([python, "-c", "import fslbook; print(fslbook.__file__)"], tmp_path)
    assert Path(said.strip()).is_relative_to(python.parents[1])


@pytest.mark.usefixtures("untouched")
def test_it_shows_the_ledger_that_it_brings(python: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("list", "results", "jobs"):
        assert main([verb]) == 0
        assert call([python, "-m", "fslbook", verb], tmp_path) == capsys.readouterr().out
    table = call([python, "-c", "from fslbook.paper.report import results_table as t; print(t())"], tmp_path)
    assert table == report.results_table() + "\n"
    assert "\u00a0±\u00a0" in table
    assert not [*tmp_path.iterdir()]


LOADING = """
import fslbook
from fslbook.paper import ledger
from fslbook.paper.recipes import RECIPES
assert ledger.all_defects() == [], ledger.all_defects()
print(*(name for name, recipe in RECIPES.items() if ledger.read(recipe) and fslbook.load(name)), sep="\\n")
"""


def test_it_loads_the_weights_of_every_run(python: Path, tmp_path: Path) -> None:
    loaded = call([python, "-c", LOADING], tmp_path).splitlines()
    assert loaded == [name for name, recipe in RECIPES.items() if ledger.read(recipe)]
    assert len(loaded) >= 20


CLASSIFYING = """
import fslbook
shapes = fslbook.image_folder("shapes")
images = 255 - shapes.images
few = [0, 1, 6, 7, 12, 13]
labels = [shapes.names[label] for label in shapes.labels]
classifier = fslbook.FewShotClassifier(fslbook.load("prototypical-omniglot-5w1s"))
classifier.fit(images[few], [labels[i] for i in few])
print(classifier.score(images, labels), *classifier.predict(images[[2, 8, 14]]))
"""


def shapes(folder: Path) -> None:
    """Crosses, rings and steps, six of each, each a little elsewhere."""
    drawn = {
        "cross": lambda draw, x: (draw.line([x, 20, x + 60, 90], width=7), draw.line([x + 60, 20, x, 90], width=7)),
        "ring": lambda draw, x: draw.ellipse([x, 25, x + 60, 85], outline=0, width=7),
        "steps": lambda draw, x: draw.line([x, 90, x, 55, x + 30, 55, x + 30, 25, x + 60, 25], width=7),
    }
    for name, draw in drawn.items():
        (folder / "shapes" / name).mkdir(parents=True)
        for number in range(6):
            image = Image.new("L", (112, 112), 255)
            draw(ImageDraw.Draw(image), 15 + 4 * number)
            image.save(folder / "shapes" / name / f"{number}.png")


@pytest.mark.usefixtures("untouched")
def test_it_classifies_a_folder_of_images(python: Path, tmp_path: Path) -> None:
    shapes(tmp_path)
    score, *names = call([python, "-c", CLASSIFYING], tmp_path).split()
    assert names == ["cross", "ring", "steps"]
    assert float(score) == 1.0


@pytest.mark.usefixtures("untouched")
def test_a_training_in_its_quick_form_runs_to_its_end(python: Path, tmp_path: Path) -> None:
    said = call([python, "-m", "fslbook", "train", NAME, "--quick", "--device", "cpu"], tmp_path)
    assert "the quick form ran to its end" in said
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


@pytest.mark.usefixtures("untouched")
def test_a_run_is_entered_beside_where_you_are(python: Path, tmp_path: Path) -> None:
    finished(tmp_path / "run", RECIPES[NAME])
    said = call([python, "-m", "fslbook", "enter", NAME, "run"], tmp_path)
    assert said.strip() == str(tmp_path / "results" / f"{NAME}.json")
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [f"{NAME}.json", "trained"]
    shown = call([python, "-m", "fslbook", "results", "--results", "results"], tmp_path)
    assert "90.00 ± 0.20, 1 seed" in shown
    loading = f"import fslbook; print(fslbook.load({NAME!r}, results='results').training)"
    assert call([python, "-c", loading], tmp_path) == "False\n"


@pytest.mark.usefixtures("untouched")
def test_nothing_is_entered_into_the_installed_package(python: Path, tmp_path: Path) -> None:
    finished(tmp_path / "run", RECIPES[NAME])
    inside = call([python, "-c", "from fslbook.paper.places import RESULTS; print(RESULTS)"], tmp_path).strip()
    done = started([python, "-m", "fslbook", "enter", NAME, "run", "--results", inside], tmp_path)
    assert done.returncode == 2
    assert "belongs to the installed package and is not written to; name another folder" in done.stderr


def test_the_commit_of_a_project_that_uses_it_is_not_its_own(python: Path, tmp_path: Path) -> None:
    call(["git", "init", "--quiet"], python.parents[2])
    who = ["-c", "user.name=x", "-c", "user.email=x@x"]
    call(["git", *who, "commit", "--quiet", "--allow-empty", "-m", "theirs"], python.parents[2])
    said = call([python, "-c", "from fslbook.paper.machine import commit; print(commit())"], python.parents[2])
    assert said == "version 0.2.0, installed\n"
