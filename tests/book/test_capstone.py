"""The capstone on folders that are not its own: few images, colour, claims that fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

PAGE = Path(__file__).resolve().parents[2] / "book" / "capstone.ipynb"
SHORT = (
    ("steps=300", "steps=1"),
    ("range(100)", "range(2)"),
    ("range(30)", "range(2)"),
    ("range(10, 401", "range(10, 31"),
)
TRAINED = "history = fit(network, episodes, steps=1, optimizer=optimizer)"
SAID = 'print(f"{len(history.loss)} steps in {history.seconds:.0f} s on {device.type}")'
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of three coloured images of noise."""
    noise = np.random.default_rng(0).integers(0, 256, (2, 3, 40, 40, 3), dtype=np.uint8)
    for (n, i), _ in np.ndenumerate(noise[..., 0, 0, 0]):
        (tmp_path / f"class{n}").mkdir(exist_ok=True)
        Image.fromarray(noise[n, i]).save(tmp_path / f"class{n}" / f"{i}.png")
    return tmp_path


def run(folder: Path, *changes: tuple[str, str]) -> None:
    """The code of the page with that folder, and with other words in place of some."""
    names: dict[str, Any] = {}
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    try:
        for source in ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"):
            for old, new in (("FOLDER = practice.name", f"FOLDER = {str(folder)!r}"), *SHORT, *changes):
                source = source.replace(old, new)
            exec(source, names)
            plt.close("all")
    finally:
        names["practice"].cleanup()


def test_three_images_a_class_go_through_the_whole_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(folder)
    assert "✗ the network beats pixels" in capsys.readouterr().out  # and it went on


def test_colour_goes_through_the_whole_page(folder: Path) -> None:
    elsewhere = ("Conv4()", "Conv4(3)"), (TRAINED, ""), (SAID, "")
    run(folder, ("size=SIZE", "size=SIZE, grey=False"), *elsewhere)


def test_two_images_a_class_are_refused_at_once(folder: Path) -> None:
    (folder / "class1" / "0.png").unlink()
    with pytest.raises(ValueError, match="a class has 2 images; each needs at least three"):
        run(folder)
