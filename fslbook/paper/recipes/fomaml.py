"""First-order MAML: named in Finn et al. 2017, put in a table by Nichol et al. 2018."""

from __future__ import annotations

from fslbook.methods.optimisation.maml import MAML
from fslbook.networks.classifiers import conv_classifier
from fslbook.paper.defaults import adapting
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> MAML:
    network = conv_classifier(recipe.n_way, channels=recipe.channels)
    return MAML(network, **recipe.options, first_order=True)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    options = {"inner_lr": 0.2, "inner_steps": 3}
    return [adapting("fomaml", n_way, k_shot, "three inner steps of 0.2", options=options)]


METHOD = PaperMethod(
    "fomaml",
    2017,
    _build,
    _recipes,
    paper=Figures("Nichol et al. 2018, table 2", (98.3, 99.2, 89.4, 97.9), (0.5, 0.2, 0.5, 0.1), cite="nichol2018"),
    others=Figures(
        "Bronskill et al. 2020, with the authors' code",
        (98.4, 99.2, 90.9, 96.6),
        (0.7, 0.2, 0.5, 0.2),
        cite="bronskill2020",
    ),
)
