"""The LSTM meta-learner; Ravi and Larochelle 2017."""

from __future__ import annotations

from fslbook.methods.memory.learned_optimiser import LearnedOptimiser
from fslbook.networks.classifiers import conv_classifier
from fslbook.paper.defaults import as_tested
from fslbook.paper.method import NONE, Figures, PaperMethod
from fslbook.paper.recipe import Recipe

UPDATES = {1: 12, 5: 8}
"""Of a learner's weights on a support set, by the number of shots."""


def _build(recipe: Recipe) -> LearnedOptimiser:
    return LearnedOptimiser(conv_classifier(recipe.n_way, channels=recipe.channels), **recipe.options)


def _recipes(n_way: int, k_shot: int) -> list[Recipe]:
    said = (
        "10,000 steps of 4 tasks instead of 75,000 and 50,000 episodes, without gradient clipping",
        "the learner normalises by the batch at hand, also in the test",
        "the paper has no figures on Omniglot",
    )
    sizes = {"batch_size": 4, "steps": 10_000, "channels": 32}
    return [as_tested("lstm-meta-learner", n_way, k_shot, *said, options={"inner_steps": UPDATES[k_shot]}, **sizes)]


METHOD = PaperMethod(
    "lstm-meta-learner",
    2017,
    _build,
    _recipes,
    paper=Figures("Ravi and Larochelle 2017 have no figures on Omniglot", NONE, cite="ravi2017"),
)
