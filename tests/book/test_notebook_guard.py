"""The guard passes a sound notebook and rejects one of each defect."""

import guard
import nbformat
import notebooks
import pytest
from guard import ROOT
from nbformat.v4 import new_code_cell, new_output
from sample_notebooks import picture, signed, sound_notebook, stream


def defects_of(notebook, folder, name="01-chapter.ipynb"):
    nbformat.write(notebook, folder / name)
    return guard.defects(folder / name)


def test_a_sound_notebook_has_no_defects(tmp_path):
    assert defects_of(sound_notebook(), tmp_path) == []


def strip(notebook):
    for cell in notebook.cells[1:]:
        cell.outputs, cell.execution_count = [], None


def strip_one_cell(notebook):
    notebook.cells[2].outputs, notebook.cells[2].execution_count = [], None


def change_the_source(notebook):
    notebook.cells[2].source += "  # changed later"


def change_the_order(notebook):
    notebook.cells[1].execution_count, notebook.cells[2].execution_count = 2, 1


def count_from_a_second_run(notebook):
    for cell in notebook.cells[1:]:
        cell.execution_count += 6


def take_a_digest_away(notebook):
    del notebook.metadata["fslbook"]


def carry_an_error(notebook):
    notebook.cells[6].outputs = [new_output("error", ename="ValueError", evalue="no", traceback=["ValueError: no"])]


def raise_nothing(notebook):
    notebook.cells[6].metadata.tags = ["raises-exception"]


def end_in_semicolon(notebook):
    notebook.cells[6].source = "figure = draw();  # hush\n\n"
    signed(notebook)


def draw_svg(notebook):
    notebook.cells[6].outputs = [picture("image/svg+xml", "<svg/>")]


def skip_for_the_book_only(notebook):
    notebook.cells[6].metadata.tags = ["skip-execution"]


def warn(notebook):
    notebook.cells[6].outputs += [stream("a.py:1: UserWarning: hm\n", "stderr")]


def print_a_path(notebook):
    notebook.cells[6].outputs += [stream("saved to /home/me/model.pt\n")]


def path_in_a_result(notebook):
    result = new_output("execute_result", data={"text/plain": "PosixPath('/tmp/x')"}, execution_count=6)
    notebook.cells[6].outputs += [result]


def compare_four(notebook):
    notebook.cells[1].metadata.tags = []


def compare_nothing(notebook):
    notebook.cells[1].outputs = []


def compare_a_picture(notebook):
    notebook.cells[6].source = "# NBVAL_CHECK_OUTPUT\nfigure = draw()"
    signed(notebook)


def write_a_long_cell(notebook):
    notebook.cells[6].source = "x = 1\n" * 41
    signed(notebook)


def forget_alt_text(notebook):
    notebook.cells[6].metadata.mystnb.image.alt = " "


DEFECTS = [
    (strip, "stripped"),
    (strip_one_cell, "cell 3: not run top to bottom: its count is None, expected 2"),
    (strip_one_cell, "cell 3: is tagged nbval-check-output but stores no text"),
    (change_the_source, "stale"),
    (take_a_digest_away, "stale"),
    (change_the_order, "cell 2: not run top to bottom: its count is 2, expected 1"),
    (count_from_a_second_run, "cell 2: not run top to bottom: its count is 7, expected 1"),
    (carry_an_error, "cell 7: stores the error ValueError"),
    (raise_nothing, "cell 7: is tagged raises-exception but raised nothing"),
    (end_in_semicolon, "cell 7: ends in a semicolon"),
    (draw_svg, "cell 7: stores an SVG"),
    (skip_for_the_book_only, "cell 7: is tagged skip-execution, which nbval does not know"),
    (warn, "cell 7: stores a warning"),
    (print_a_path, "cell 7: prints a path of one machine (/home/me"),
    (path_in_a_result, "cell 7: prints a path of one machine (/tmp/x"),
    (compare_four, "only 4 cells are compared, this page needs 5"),
    (compare_nothing, "only 4 cells are compared, this page needs 5"),
    (compare_a_picture, "cell 7: is tagged nbval-check-output but stores no text"),
    (write_a_long_cell, "cell 7: has 41 lines"),
    (forget_alt_text, "cell 7: shows a picture without alt text"),
]


@pytest.mark.parametrize(("damage", "message"), DEFECTS, ids=[f"{d.__name__}-{n}" for n, (d, _) in enumerate(DEFECTS)])
def test_a_defect_is_rejected(damage, message, tmp_path):
    notebook = sound_notebook()
    damage(notebook)
    found = defects_of(notebook, tmp_path)
    assert any(line.startswith(message) for line in found), found


def test_a_page_that_is_no_chapter_may_compare_less(tmp_path):
    notebook = sound_notebook()
    compare_four(notebook)
    assert defects_of(notebook, tmp_path, "index.ipynb") == []


def test_a_meant_error_and_a_skipped_cell_pass(tmp_path):
    notebook = sound_notebook()
    carry_an_error(notebook)
    notebook.cells[6].metadata.tags = ["raises-exception"]
    notebook.cells.append(new_code_cell("long_training()", metadata={"tags": ["skip-execution", "nbval-skip"]}))
    assert defects_of(signed(notebook), tmp_path) == []


def test_a_path_inside_the_picture_data_or_a_link_is_no_path(tmp_path):
    notebook = sound_notebook()
    notebook.cells[6].outputs = [picture(data="aaaa/tmp/bbb="), stream("see https://example.org/home/x and a/tmp/b\n")]
    assert defects_of(notebook, tmp_path) == []


def test_check_names_file_and_cell_and_fails(tmp_path, capsys):
    notebook = sound_notebook()
    end_in_semicolon(notebook)
    nbformat.write(notebook, tmp_path / "01-bad.ipynb")
    nbformat.write(sound_notebook(), tmp_path / "02-good.ipynb")
    assert notebooks.main(["check", str(tmp_path / "01-bad.ipynb"), str(tmp_path / "02-good.ipynb")]) == 1
    assert capsys.readouterr().out.startswith(f"{tmp_path / '01-bad.ipynb'}: cell 7: ends in a semicolon")
    assert notebooks.main(["check", str(tmp_path / "02-good.ipynb")]) == 0


def test_a_notebook_of_the_book_must_be_in_the_table_of_contents():
    assert guard.unlisted(ROOT / "book" / "99-new.ipynb", ["book/index"])
    assert not guard.unlisted(ROOT / "book" / "99-new.ipynb", ["book/index", "book/99-new"])
