"""`make check` runs the notebooks that a change concerns, and those only."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import affected
import nbformat
import pytest
import seconds

FILES = {
    "fslbook/__init__.py": "from fslbook.one import one\nfrom fslbook.two import two\n",
    "fslbook/one.py": '"""One."""\n\n\ndef one() -> int:\n    """One."""\n    return 1  # yes\n',
    "fslbook/two.py": "def two() -> int:\n    return 2\n",
}
NOTEBOOKS = {
    "first": "from fslbook import one",
    "second": "from fslbook import two",
    "both": "import fslbook as f\nf.one() + f.two()",
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small book and its package, committed on main."""
    for name, text in FILES.items():
        write(tmp_path / name, text)
    for name, code in NOTEBOOKS.items():
        write_notebook(tmp_path / "book" / f"{name}.ipynb", code)
    for command in ("init -q -b main", "add .", "-c user.name=a -c user.email=a@b commit -q -m begin"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True)
    for module, name in ((affected, "ROOT"), (seconds, "ROOT")):
        monkeypatch.setattr(module, name, tmp_path)
    monkeypatch.setattr(affected, "BOOK", tmp_path / "book")
    monkeypatch.setattr(affected, "BUDGET", 120)
    monkeypatch.setattr(affected, "GREEN", tmp_path / "var" / "green.json")
    monkeypatch.setattr(seconds, "FILE", tmp_path / "seconds.json")
    affected._of_main.cache_clear()
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def write_notebook(file: Path, code: str, text: str = "# Title") -> None:
    file.parent.mkdir(exist_ok=True)
    cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell(code)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), file)


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def chosen(capsys: pytest.CaptureFixture[str]) -> list[str]:
    affected.main([])
    return [Path(line).stem for line in capsys.readouterr().out.split()]


def test_nothing_runs_where_nothing_changed(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen(capsys) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("fslbook/one.py", "return 1", "return 3", ["both", "first"]),
        ("fslbook/two.py", "return 2", "return 3", ["both", "second"]),
        ("fslbook/one.py", '"""One."""', '"""A number."""', []),
        ("fslbook/one.py", "  # yes", "", []),
        ("fslbook/__init__.py", "from fslbook.two import two\n", "two = 2\n", ["both", "second"]),
        ("book/first.ipynb", "import one", "import one as uno", ["first"]),
        ("book/first.ipynb", "# Title", "# Another title", []),
    ],
)
def test_a_change_concerns_the_notebooks_that_rest_on_it(
    checkout: Path, file: str, old: str, new: str, expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    replace(checkout / file, old, new)
    assert sorted(set(chosen(capsys)) & set(NOTEBOOKS)) == expected


def test_a_commit_on_a_branch_is_a_change_and_a_green_run_ends_it(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "switch", "-q", "-c", "mine"], cwd=checkout, check=True)
    replace(checkout / "fslbook/one.py", "return 1", "return 3")
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "change"], cwd=checkout, check=True
    )
    assert chosen(capsys) == ["both", "first"]
    now = affected.digests(checkout)
    affected.note_green({"book/both.ipynb": now["book/both.ipynb"]})
    assert chosen(capsys) == ["first"]
    replace(checkout / "fslbook/one.py", "return 3", "return 4")
    assert chosen(capsys) == ["both", "first"]


def test_without_git_everything_is_new(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / ".git").rename(checkout / "git")
    assert set(chosen(capsys)) == {"first", "second"}  # a minute each, and two fit into the budget


def test_the_quickest_run_the_others_are_named(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seconds.FILE.write_text(json.dumps({"book/first.ipynb": 110, "book/both.ipynb": 10}))
    replace(checkout / "fslbook/one.py", "return 1", "return 3")
    assert chosen(capsys) == ["first", "both"]  # the longest first
    seconds.store("book/first.ipynb", 111.2)
    affected.main([])
    said = capsys.readouterr()
    assert said.out.split() == ["book/both.ipynb"]
    assert said.err == "left to make test, since they take too long: book/first.ipynb\n"


def test_all_notebooks_come_longest_first(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seconds.FILE.write_text(json.dumps({"book/first.ipynb": 30, "book/both.ipynb": 200}))
    affected.main(["all"])
    assert capsys.readouterr().out.split() == ["book/both.ipynb", "book/second.ipynb", "book/first.ipynb"]


def test_seconds_are_rounded_up_to_tens_and_forget_what_is_gone(checkout: Path) -> None:
    seconds.store("book/gone.ipynb", 5)
    seconds.store("book/both.ipynb", 33.3)
    seconds.store("book/first.ipynb", 9.9)
    assert seconds.stored() == {"book/both.ipynb": 40, "book/first.ipynb": 10}
