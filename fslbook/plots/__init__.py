"""The book's pictures: one look, colours that the colour-blind can tell apart."""

from fslbook.plots.results import plot_history, plot_intervals, principal_components
from fslbook.plots.style import COLOURS, MARKERS, use_book_style
from fslbook.plots.tasks import show_episode, show_image, show_predictions, show_puzzle

__all__ = [
    "COLOURS",
    "MARKERS",
    "plot_history",
    "plot_intervals",
    "principal_components",
    "show_episode",
    "show_image",
    "show_predictions",
    "show_puzzle",
    "use_book_style",
]
