"""Small notebooks for the tests of the tools."""

import guard
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def picture(kind="image/png", data="iVBORw0KGgo="):
    return new_output("display_data", data={kind: data, "text/plain": "<Figure size 640x480 with 1 Axes>"})


def sound_notebook():
    """A chapter of one text cell and six code cells, five of them compared."""
    cells = [new_code_cell(f"print({n})", outputs=[stream(f"{n}\n")]) for n in range(5)]
    for cell in cells:
        cell.metadata.tags = ["nbval-check-output"]
    cells.append(new_code_cell("figure = draw()", outputs=[picture()], metadata={"mystnb": {"image": {"alt": "dots"}}}))
    for count, cell in enumerate(cells, 1):
        cell.execution_count = count
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), *cells])
    return signed(notebook)


def signed(notebook):
    notebook.metadata.fslbook = {"source_sha256": guard.source_digest(notebook)}
    return notebook
