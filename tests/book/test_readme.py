"""The README's example runs as it stands, only shorter."""

import re
from pathlib import Path

import numpy as np
import torch

import fslbook

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def shortened(code):
    for long, short in (("steps=500", "steps=2"), ("n_query=15), 600)", "n_query=5), 5)")):
        assert long in code, f"the README no longer says {long}: adapt this test"
        code = code.replace(long, short)
    return code


def random_classes(n_classes):
    images = torch.randint(0, 256, (8 * n_classes, 1, 28, 28), dtype=torch.uint8)
    return fslbook.ImageClasses(images, torch.full((n_classes,), 8), tuple(f"class {n}" for n in range(n_classes)))


def test_the_example_of_the_readme_runs(monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    classes = random_classes(20)
    monkeypatch.setattr(fslbook, "course_dataset", lambda: fslbook.Splits("random", classes, classes, classes))
    images = np.random.default_rng(0).random((6, 28, 28)).astype("float32")
    names = {"my_images": images, "my_labels": ["a", "a", "b", "b", "b", "c"], "more_images": images[:2]}
    exec(shortened(code), names)
    assert len(names["classifier"].predict(images)) == 6
    assert "%" in capsys.readouterr().out


def test_every_page_is_linked_from_the_readme_and_exists():
    root = Path(__file__).resolve().parents[2]
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert [link for link in links if not (root / link).exists()] == []
    pages = {path.name for path in (root / "book").glob("*.ipynb")}
    assert pages <= {Path(link).name for link in links}
