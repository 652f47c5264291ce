"""Reptile, Nichol et al. 2018."""

from __future__ import annotations

from typing import Any

from fslbook.methods.optimisation.reptile import Reptile
from fslbook.networks.classifiers import conv_classifier
from fslbook.paper.defaults import OURS
from fslbook.paper.method import Figures, PaperMethod
from fslbook.paper.recipe import Recipe


def _build(recipe: Recipe) -> Reptile:
    return Reptile(conv_classifier(recipe.n_way, channels=recipe.channels), **recipe.options)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    wide = n_way == 20
    options = {"inner_lr": 5e-4 if wide else 1e-3, "inner_steps": 10 if wide else 5, "test_steps": 50}
    options |= {"inner_batch": 20 if wide else 10, "test_batch": 10 if wide else 5}
    said = (*OURS, "20,000 outer steps instead of 100,000 (5-way) and 200,000 (20-way)", "max-pooling, not strides")
    settings: dict[str, Any] = {"batch_size": 5, "steps": 20000, "lr": 1.0, "schedule": "linear"}
    return [Recipe("reptile", n_way, k_shot, n_way, 5, 5, **settings, options=options, deviations=said)]


METHOD = PaperMethod(
    "reptile",
    2018,
    _build,
    _recipes,
    paper=Figures(
        "Nichol et al. 2018, table 2 (transductive)",
        (97.68, 99.48, 89.43, 97.12),
        (0.04, 0.06, 0.14, 0.32),
        cite="nichol2018",
    ),
    outer="sgd",  # its "gradient" is a step, which lr = ε takes a part of
)
