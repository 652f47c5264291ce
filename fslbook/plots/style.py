"""Colours, markers and Matplotlib's defaults for the whole book."""

from __future__ import annotations

import matplotlib.pyplot as plt

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, strongest contrasts first."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""One marker per class, so that no picture depends on colour alone."""


def use_book_style() -> None:
    """Set Matplotlib's defaults to the look of the book.

    Example:
        >>> with plt.rc_context():  # a chapter calls it as it is
        ...     use_book_style()
        ...     plt.rcParams["grid.alpha"]
        0.25
    """
    plt.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "axes.prop_cycle": plt.cycler(color=COLOURS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "font.size": 11,
        }
    )
