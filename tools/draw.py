"""Draw the logo (logo.svg) and the picture of an episode (episode.png), from letters in Matplotlib's own font.

Run `python tools/draw.py` and commit what it writes.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

PICTURES = Path(__file__).resolve().parent.parent / "book" / "_static"
LETTERS = "ჱႳՖⵞש"  # Georgian (old and new), Armenian, Tifinagh, Hebrew
ANSWER = 2  # the query is another drawing of this letter
INK, BLUE, ORANGE, PALE = "#333333", "#0072b2", "#e69f00", "#f2f4f6"  # blue and orange: Okabe and Ito's palette


def letter(text: str, x: float, y: float, size: float, turn: float = 0.0) -> Outline:
    """The outline of a letter, `size` high or wide, turned by `turn` degrees around its centre (x, y)."""
    outline = TextPath((0, 0), text, size=1, prop=FontProperties(family="DejaVu Sans"))
    box = outline.get_extents()
    scale = size / max(box.width, box.height)
    move = Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2).scale(scale)
    return move.skew_deg(turn, 0).rotate_deg(turn).translate(x, y).transform_path(outline)


def tile(axes: Axes, text: str, x: float, y: float, edge: str, turn: float = 0.0) -> None:
    """A letter on a rounded card of width 1 around (x, y)."""
    card = FancyBboxPatch((x - 0.4, y - 0.4), 0.8, 0.8, boxstyle="round,pad=0.06", fc="white", ec=edge, lw=2)
    axes.add_patch(card)
    axes.add_patch(PathPatch(letter(text, x, y, 0.58, turn), fc=INK, lw=0))


def draw_episode(file: Path) -> None:
    """Five labelled cards, the support set, and one card to be classified, the query."""
    figure, axes = plt.subplots(figsize=(7.2, 2.9), dpi=100, facecolor="white")
    for column, text in enumerate(LETTERS):
        tile(axes, text, 1.15 * column, 1.5, ORANGE if column == ANSWER else BLUE)
        axes.text(1.15 * column, 0.87, f"class {column}", ha="center", color=INK, fontsize=10)
    x = 1.15 * 2
    tile(axes, LETTERS[ANSWER], x, -0.55, ORANGE, turn=9)
    axes.add_patch(FancyArrowPatch((x, -0.05), (x, 0.78), arrowstyle="-|>", mutation_scale=16, color=ORANGE, lw=2))
    axes.text(-0.75, 1.5, "support", ha="right", va="center", fontsize=12, color=INK)
    axes.text(-0.75, -0.55, "query", ha="right", va="center", fontsize=12, color=INK)
    axes.text(x + 0.65, -0.55, "which of the five is it?", va="center", fontsize=12, color=INK)
    axes.set(xlim=(-1.75, 5.2), ylim=(-1.1, 2.05), aspect="equal")
    axes.axis("off")
    figure.savefig(file, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def svg_path(outline: Outline) -> str:
    """The `d` attribute of an SVG path; y grows downwards there."""
    marks = {Outline.MOVETO: "M", Outline.LINETO: "L", Outline.CURVE3: "Q", Outline.CURVE4: "C"}
    parts = []
    for points, code in outline.iter_segments(simplify=False):
        numbers = " ".join(f"{x:.1f} {-y:.1f}" for x, y in np.reshape(points, (-1, 2)))
        parts.append("Z" if code == Outline.CLOSEPOLY else f"{marks[code]}{numbers}")
    return "".join(parts)


def draw_logo(file: Path) -> None:
    """Five small cards in a row, one of them highlighted."""
    shapes = []
    for column, text in enumerate(LETTERS):
        chosen = column == ANSWER
        card, ink = (ORANGE, "white") if chosen else (PALE, INK)
        x, edge = 44 * column, ORANGE if chosen else "#9aa5b1"
        shapes.append(f'<rect x="{x + 3}" y="3" width="38" height="38" rx="8" fill="{card}" stroke="{edge}"/>')
        shapes.append(f'<path fill="{ink}" d="{svg_path(letter(text, x + 22, -22, 24))}"/>')
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 220 44" role="img">'
    title = "<title>Five small characters, one of them highlighted</title>"
    file.write_text("\n".join([head, title, *shapes, "</svg>", ""]), encoding="utf-8")


if __name__ == "__main__":
    draw_logo(PICTURES / "logo.svg")
    draw_episode(PICTURES / "episode.png")
