"""What the papers report on Omniglot, in percent: 5-way 1-shot, 5-way 5-shot, 20-way 1-shot, 20-way 5-shot."""

from __future__ import annotations

from dataclasses import dataclass

from fslbook.paper.recipes import TASKS, Recipe


@dataclass(frozen=True)
class Published:
    """One figure of a paper: accuracy and half width of its 95 % interval in percent, and where it stands."""

    accuracy: float
    ci95: float | None
    source: str


Row = tuple[str, tuple[float | None, ...], tuple[float | None, ...]]
NONE = (None, None, None, None)

PAPERS: dict[str, Row] = {
    "siamese": ("Vinyals et al. 2016, table 1 (their network, fine-tuned)", (97.3, 98.4, 88.2, 97.0), NONE),
    "prototypical": ("Snell et al. 2017, table 1", (98.8, 99.7, 96.0, 98.9), NONE),
    "matching": ("Vinyals et al. 2016, table 1 (without fine-tuning)", (98.1, 98.9, 93.8, 98.5), NONE),
    "relation": ("Sung et al. 2018, table 1", (99.6, 99.8, 97.6, 99.1), (0.2, 0.1, 0.2, 0.1)),
    "maml": ("Finn et al. 2017, table 1", (98.7, 99.9, 95.8, 98.9), (0.4, 0.1, 0.3, 0.2)),
    "fomaml": ("Nichol et al. 2018, table 2", (98.3, 99.2, 89.4, 97.9), (0.5, 0.2, 0.5, 0.1)),
    "meta-sgd": ("Li et al. 2017, table 2", (99.53, 99.93, 95.93, 98.97), (0.26, 0.09, 0.38, 0.19)),
    "anil": ("Raghu et al. 2020, table 4", (None, None, 96.2, 98.0), (None, None, 0.5, 0.3)),
    "reptile": ("Nichol et al. 2018, table 2 (transductive)", (97.68, 99.48, 89.43, 97.12), (0.04, 0.06, 0.14, 0.32)),
}
"""By the authors of the method, or for Siamese networks and first-order MAML by those who first put them in a table."""

REPRODUCTIONS: dict[str, Row] = {
    "prototypical": (
        "Bronskill et al. 2020, with the authors' code",
        (98.5, 99.6, 94.5, 98.6),
        (0.2, 0.1, 0.2, 0.1),
    ),
    "matching": ("Knagg, few-shot on GitHub, its README, cosines as they are", (92.0, 93.2, 75.6, 77.8), NONE),
    "relation": ("PaddleFSL, its README", (98.02, 99.25, None, None), (0.09, 0.05, None, None)),
    "maml": ("Raghu et al. 2020", (None, None, 93.7, 96.4), (None, None, 0.7, 0.1)),
    "fomaml": (
        "Bronskill et al. 2020, with the authors' code",
        (98.4, 99.2, 90.9, 96.6),
        (0.7, 0.2, 0.5, 0.2),
    ),
}
"""By others than the authors."""


def published(recipe: Recipe, table: dict[str, Row] = PAPERS) -> Published | None:
    """The figure for this recipe's task, or None where the paper has none."""
    if recipe.method not in table:
        return None
    source, accuracy, ci95 = table[recipe.method]
    column = TASKS.index((recipe.n_way, recipe.k_shot))
    figure = accuracy[column]
    return None if figure is None else Published(figure, ci95[column], source)
