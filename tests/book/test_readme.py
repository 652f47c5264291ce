"""The README's example runs as it stands, only shorter; its table of chapters is that of the book."""

import re

import nbformat
import numpy as np
import pytest
import readme
import torch
from guard import ROOT

import fslbook

README = readme.README.read_text(encoding="utf-8")


def shortened(code):
    for long, short in (("steps=500", "steps=2"), ("n_query=15), 600)", "n_query=5), 5)")):
        assert long in code, f"the README no longer says {long}: adapt this test"
        code = code.replace(long, short)
    return code


def random_classes(n_classes, split):
    images = torch.randint(0, 256, (8 * n_classes, 1, 28, 28), dtype=torch.uint8)
    return fslbook.ImageClasses(images, torch.full((n_classes,), 8), tuple(f"{split} {n}" for n in range(n_classes)))


def test_the_example_of_the_readme_runs(monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    parts = [random_classes(20, split) for split in ("base", "validation", "novel")]
    monkeypatch.setattr(fslbook, "course_dataset", lambda: fslbook.Splits("random", *parts))
    images = np.random.default_rng(0).random((6, 28, 28)).astype("float32")
    names = {"my_images": images, "my_labels": ["a", "a", "b", "b", "b", "c"], "more_images": images[:2]}
    exec(shortened(code), names)
    assert len(names["classifier"].predict(images)) == 6
    assert "%" in capsys.readouterr().out


def test_every_page_is_linked_from_the_readme_and_exists():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert [link for link in links if not (ROOT / link).exists()] == []
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "book").rglob("*.ipynb")}
    assert pages <= set(links)


def test_the_table_of_chapters_is_that_of_the_book(capsys):
    assert readme.main(["check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("old", ["| [Prototypes]", "A class is the mean", "[exercises](book/exercises/04", ", [9]"])
def test_a_table_out_of_step_is_noticed(old, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    assert old in README
    readme.README.write_text(README.replace(old, "other"))
    assert readme.main(["check"]) == 1
    assert "run tools/readme.py" in capsys.readouterr().out
    readme.main([])
    assert readme.README.read_text() == README


def test_a_new_chapter_needs_a_line_in_the_table_of_contents_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    (tmp_path / "index.md").write_text("# A book\n\nText.\n")
    (tmp_path / "plain.md").write_text("# Plain\n\n*Not* about much.\n")
    chapter = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 10 · Toys\n\n*What toys teach.*")])
    nbformat.write(chapter, tmp_path / "10-toys.ipynb")
    entry = {"file": "10-toys", "sections": [{"file": "exercises/10-toys"}]}
    toc = {"root": "index", "parts": [{"caption": "Play", "chapters": [{"file": "plain"}, entry]}]}
    assert readme.table(toc).splitlines() == [
        "|   | : [A book](index.md) | |",
        "|10 | [Toys](10-toys.ipynb) ([exercises](exercises/10-toys.ipynb)) | What toys teach |",
        "|   | Play: [Plain](plain.md) | |",
    ]


def test_a_readme_without_marks_is_refused():
    with pytest.raises(ValueError, match="needs the line <!-- the table ends"):
        readme.with_table(README.replace(readme.END, ""), "")
