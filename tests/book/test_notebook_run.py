"""`run` makes a notebook that the guard passes, and says how long its kernel computed."""

import guard
import nbformat
import notebooks
import pytest
import seconds
from guard import ROOT
from nbformat.v4 import new_code_cell, new_notebook
from sample_notebooks import stream

RUNNABLE = [
    "import sys, warnings\nfrom tqdm import tqdm as line\nfrom tqdm.auto import tqdm",
    "for _ in tqdm(range(3)): pass\nfor _ in line(range(3)): pass",
    "# NBVAL_CHECK_OUTPUT\nprint(sys.version_info.major)",
    "from pathlib import Path\nPath('left-here').write_text('x')",
    "raise ValueError('meant')",
]


def written(folder, sources=RUNNABLE):
    cells = [new_code_cell(source) for source in sources]
    cells[-1].metadata.tags = ["raises-exception"]
    nbformat.write(new_notebook(cells=cells), folder / "trial.ipynb")
    return folder / "trial.ipynb"


@pytest.mark.slow
def test_run_makes_a_notebook_that_the_guard_passes(tmp_path, capsys):
    pytest.importorskip("ipywidgets", reason="without it tqdm warns instead of drawing a bar")
    file = written(tmp_path)
    assert guard.defects(file)
    assert notebooks.main(["run", str(file)]) == 0
    assert "trial.ipynb: " in capsys.readouterr().out
    assert guard.defects(file) == []
    assert (tmp_path / "left-here").exists()  # it ran in its own folder


@pytest.mark.slow
def test_run_tidies_what_differs_from_run_to_run(tmp_path):
    pytest.importorskip("ipywidgets", reason="without it tqdm warns instead of drawing a bar")
    file = written(tmp_path)
    notebooks.run([file])
    first = file.read_text()
    notebook = nbformat.read(file, as_version=4)
    assert sorted(notebook.metadata) == ["fslbook", "kernelspec", "language_info"]
    assert notebook.cells[1].outputs == []  # both progress bars are gone
    assert [len(cell.outputs) for cell in notebook.cells] == [0, 0, 1, 1, 1]
    assert all("execution" not in cell.metadata for cell in notebook.cells)
    assert "Traceback" not in first and "Cell In[5], line 1" in guard.without_colours(
        "".join(notebook.cells[4].outputs[0].traceback)
    )
    notebooks.run([file])
    assert file.read_text() == first


def test_run_stops_at_an_error_that_is_not_meant_and_leaves_the_file(tmp_path, capsys):
    file = written(tmp_path, ["1 / 0", "raise ValueError"])
    before = file.read_text()
    assert notebooks.run([file]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert file.read_text() == before


def test_progress_bars_are_told_from_warnings():
    bar = stream("\rfit:  50%|#####     | 1/2 [00:00<00:00, 9.1it/s]\n", "stderr")
    assert notebooks._is_progress(bar)
    assert not notebooks._is_progress(stream(bar.text + "UserWarning: hm\n", "stderr"))
    assert not notebooks._is_progress(stream(bar.text))


def test_a_missing_page_is_named(tmp_path, capsys):
    pages = notebooks.pages_of(ROOT / "_toc.yml")
    assert pages[0] == "book/index" and "book/05-prototypes" in pages
    for name in ["index", *pages]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.html").touch()
    assert notebooks.main(["pages", str(tmp_path)]) == 0
    (tmp_path / "book/05-prototypes.html").unlink()
    assert notebooks.main(["pages", str(tmp_path)]) == 1
    assert "book/05-prototypes.html is missing" in capsys.readouterr().err


BUSY = "import time\nwhile time.process_time() < 3: pass"


@pytest.mark.slow
def test_the_processor_seconds_of_a_kernel_are_printed_and_of_a_page_stored(tmp_path, monkeypatch, capsys):
    file = written(tmp_path, [BUSY, "raise ValueError"])
    monkeypatch.setattr(seconds, "FILE", tmp_path / "seconds.json")
    monkeypatch.setattr(seconds, "ROOT", tmp_path)
    assert notebooks.run([file]) == 0
    assert seconds.stored() == {}
    for module in (notebooks, guard):
        monkeypatch.setattr(module, "BOOK", tmp_path)
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    assert notebooks.run([file]) == 0
    printed = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines() if line.startswith("trial")]
    assert len(printed) == 1
    assert printed[0] >= 3
    assert seconds.stored() == {"trial.ipynb": 10 * (int(printed[0]) // 10 + 1)}
