"""Evaluations and their differences."""

from __future__ import annotations

from typing import Any

import torch
from bad_input.cases import Refused, Right
from bad_input.tasks import NOT_SIZES, WHOLE
from helpers import blobs, linear_prototypes
from torch import Tensor, nn

from fslbook import Episode, EpisodeSampler, Evaluation, SinusoidTasks, evaluate, evaluate_regression

SAMPLER = EpisodeSampler(blobs(8, 10, noise=0.9), n_way=4, k_shot=1, n_query=1)  # as many queries as classes


class Says(nn.Module):
    """Answers with what `change` makes of logits that are all nought."""

    def __init__(self, change: Any) -> None:
        super().__init__()
        self.change = change

    def forward(self, episode: Episode) -> Any:
        return self.change(torch.zeros(*episode.query_x.shape[:2], episode.n_way))


class Turned(nn.Module):
    """Prototypes whose logits lie the wrong way round; with as many queries as classes their shape is right."""

    def forward(self, episode: Episode) -> Tensor:
        return linear_prototypes()(episode).mT


def spoilt(value: float, where: slice = slice(0, 1)) -> Any:
    def change(x: Tensor) -> Tensor:
        x[:, where] = value
        return x

    return change


ANSWERS: dict[str, tuple[Any, str]] = {
    "the mean over queries": (
        lambda x: x.mean(1),
        r"logits \[B, Q, N, ...\] = \[1, 4, 4\], got torch.float32 \[1, 4\]",
    ),
    "one row": (lambda x: x[:, :1], r"got torch.float32 \[1, 1, 4\]"),
    "five columns": (lambda x: torch.cat([x, x[..., :1]], -1), r"got torch.float32 \[1, 4, 5\]"),
    "a column too few": (lambda x: x[..., 1:], r"got torch.float32 \[1, 4, 3\]"),
    "no batch": (lambda x: x[0], r"got torch.float32 \[4, 4\]"),
    "labels": (lambda x: x.argmax(-1), r"got torch.int64 \[1, 4\]"),
    "votes": (lambda x: x.long(), r"got torch.int64 \[1, 4, 4\]"),
    "nothing": (lambda x: None, "got NoneType"),
    "an array": (lambda x: x.numpy(), "got ndarray"),
    "logits and features": (lambda x: (x, x), "got tuple"),
    "NaN for one query": (spoilt(torch.nan), "Says gave logits that are not finite"),
    "infinity for one query": (spoilt(torch.inf), "Says gave logits that are not finite"),
    "minus infinity for every class": (spoilt(-torch.inf), "Says gave logits that are not finite"),
}
ROWS: dict[str, Refused | Right] = {
    f"answer: {name}": Refused(lambda change=change: evaluate(Says(change), SAMPLER, 3), says)
    for name, (change, says) in ANSWERS.items()
}
ROWS["answer: classes for queries"] = Refused(
    lambda: evaluate(Turned(), SAMPLER, 3), r"Turned gives logits \[B, N, Q\]; they must be \[B, Q, N\]"
)
ROWS |= {
    f"n_episodes is {kind}": Refused(lambda v=v: evaluate(Says(lambda x: x), SAMPLER, v), f"n_episodes {WHOLE} 2")
    for kind, v in {**NOT_SIZES, "one": 1}.items()
}
ROWS |= {
    f"batch_size is {kind}": Refused(
        lambda v=v: evaluate(Says(lambda x: x), SAMPLER, 3, batch_size=v), f"batch_size {WHOLE} 1"
    )
    for kind, v in NOT_SIZES.items()
    if v is not None
}
ROWS |= {
    "a class in place of a method": Refused(lambda: evaluate(Says, SAMPLER, 3), "method must be a module .*got type"),
    "a function in place of a method": Refused(lambda: evaluate(print, SAMPLER, 3), "method must be a module"),
    "an episode in place of a sampler": Refused(
        lambda: evaluate(Says(lambda x: x), SAMPLER.sample(), 3), "sampler must draw episodes .*got Episode"
    ),
    "a method elsewhere": Refused(
        lambda: evaluate(linear_prototypes().to("meta"), SAMPLER, 3), "is on meta, the images are on cpu"
    ),
    "a buffer elsewhere": Refused(
        lambda: evaluate(_with_a_buffer_on_meta(), SAMPLER, 3), "is on meta, the images are on cpu"
    ),
    "embedding once what has no embedding": Refused(
        lambda: evaluate(Says(lambda x: x), SAMPLER, 3, embed_once=True), "does not embed each image by itself"
    ),
    "an encoder of NaN": Refused(lambda: evaluate(_of_nan(), SAMPLER, 50), "gave features that are not finite"),
    "an encoder of NaN, episode by episode": Refused(
        lambda: evaluate(_of_nan(), SAMPLER, 50, embed_once=False), "gave (features|logits) that are not finite"
    ),
    "a score over all tasks": Refused(
        lambda: evaluate(Says(lambda x: x), SAMPLER, 3, score=lambda a, y: a.mean()), "must give one number per task"
    ),
    "a score of NaN": Refused(
        lambda: evaluate(Says(lambda x: x), SAMPLER, 3, score=lambda a, y: a.mean((1, 2)) / 0), "NaN or infinite"
    ),
    "labels where numbers are wanted": Refused(
        lambda: evaluate_regression(Says(lambda x: x), SAMPLER, 3), "targets of these tasks are labels"
    ),
    "predictions [B, Q]": Refused(
        lambda: evaluate_regression(Says(lambda x: x[..., 0]), SinusoidTasks(), 3), r"predictions \[B, Q, D\]"
    ),
    "waves in evaluate": Right(lambda: evaluate(Says(lambda x: x), SinusoidTasks(), 50).score == "squared error"),
    "an evaluation of one task": Refused(lambda: Evaluation(torch.ones(1), "one"), "at least 2 values"),
    "an evaluation of NaN": Refused(lambda: Evaluation(torch.ones(3) / 0, "three"), "NaN or infinite"),
    "a difference to a number": Refused(
        lambda: Evaluation(torch.ones(3), "three") - 0.5, "needs another Evaluation, got float", TypeError
    ),
    "a difference over other episodes": Refused(
        lambda: Evaluation(torch.ones(3), "three") - Evaluation(torch.ones(3), "others"), "needs the same episodes"
    ),
    "a difference over fewer episodes": Refused(
        lambda: Evaluation(torch.ones(3), "three") - Evaluation(torch.ones(2), "three"), "needs the same episodes"
    ),
    "a difference between two scores": Refused(
        lambda: Evaluation(torch.ones(3), "three") - Evaluation(torch.ones(3), "three", "error"), "the same score"
    ),
}


def _of_nan() -> nn.Module:
    method = linear_prototypes()
    nn.init.constant_(method.encoder.weight, torch.nan)
    return method


def _with_a_buffer_on_meta() -> nn.Module:
    method = Says(lambda x: x)
    method.register_buffer("scale", torch.ones(1, device="meta"))
    return method
