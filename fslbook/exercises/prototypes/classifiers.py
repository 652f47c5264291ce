"""Checks of chapter 5's exercises: what a classifier of prototypes is, and how good."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from fslbook.exercises.engine.comparing import not_tensors
from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.prototypes.distances import squares_by_loop
from fslbook.exercises.prototypes.means import draw_support, prototypes_by_loop

# A linear layer in disguise


def _draw_prototypes(generator: Generator) -> tuple[Tensor]:
    return (torch.randn(4, 6, generator=generator),)


def _large_prototypes(generator: Generator) -> tuple[Tensor]:
    return (3 + torch.randn(5, 2, generator=generator),)


def _same_probabilities(answer: Any, prototypes: Tensor) -> str | None:
    if fault := not_tensors(answer, "weight", "bias"):
        return fault
    weight, bias = answer
    if (bias.shape, weight.shape) == (prototypes.shape, prototypes.shape[:1]):
        return "the two have changed places: first the weight, then the bias"
    for name, got, wanted in (("weight", weight, prototypes.shape), ("bias", bias, prototypes.shape[:1])):
        if got.shape != wanted:
            return f"{name} has shape {[*got.shape]}, wanted is {[*wanted]}"
        if got.dtype != prototypes.dtype:
            return f"{name} has numbers of {got.dtype}, the prototypes have {prototypes.dtype}"
    queries = torch.randn(50, prototypes.shape[1]).to(prototypes)
    right = (-squares_by_loop(queries, prototypes)).softmax(dim=1)
    logits = queries @ weight.T + bias
    if torch.allclose(logits.softmax(dim=1), right, atol=1e-4):
        return None
    return _why_not_linear(queries, weight, bias, right)


def _why_not_linear(queries: Tensor, weight: Tensor, bias: Tensor, right: Tensor) -> str:
    tries = {
        "the bias has the wrong sign": (weight, -bias),
        "the weight has the wrong sign": (-weight, bias),
        "both signs are wrong": (-weight, -bias),
        "the weight is half of what it must be": (2 * weight, bias),
        "the weight is twice what it must be": (weight / 2, bias),
        "the bias is missing or is not made of squared lengths": (weight, -(weight / 2).square().sum(dim=1)),
    }
    for words, (w, b) in tries.items():
        if torch.allclose((queries @ w.T + b).softmax(dim=1), right, atol=1e-4):
            return words
    return "the probabilities are not those of the prototypes; write out ‖x − c‖² and drop what all classes share"


as_linear_layer = Exercise(
    "as_linear_layer",
    lambda c: (2 * c, -c.square().sum(dim=1)),
    {
        "same probabilities": Case(_draw_prototypes, _same_probabilities),
        "prototypes far from zero": Case(_large_prototypes, _same_probabilities),
    },
    [
        Mistake(lambda c: (2 * c, c.square().sum(dim=1)), "the bias has the wrong sign"),
        Mistake(lambda c: (c, -c.square().sum(dim=1)), "the weight is half of what it must be"),
        Mistake(lambda c: (2 * c, torch.zeros(len(c)).to(c)), "the bias is missing"),
        Mistake(lambda c: (-2 * c, c.square().sum(dim=1)), "both signs are wrong"),
    ],
)

# An honest error bar without queries


def _draw_clusters(shots: list[int], spread: float) -> Any:
    def draw(generator: Generator) -> tuple[Tensor, Tensor, int]:
        embeddings, labels, n_way = draw_support(shots)(generator)
        centres = torch.randn(n_way, embeddings.shape[1], generator=generator)
        return centres[labels] + spread * embeddings, labels, n_way

    return draw


def _accuracy(embeddings: Tensor, labels: Tensor, n_way: int, left_out: bool) -> float:
    right = 0
    for i in range(len(labels)):
        keep = torch.arange(len(labels)) != i if left_out else torch.ones(len(labels), dtype=torch.bool)
        keep = keep.to(labels.device)
        centres = prototypes_by_loop(embeddings[keep], labels[keep], n_way)
        nearest = (embeddings[i] - centres).square().sum(dim=1).argmin()
        right += int(nearest == labels[i])
    return right / len(labels)


def _with(nearest: Any, centre: Any = torch.mean) -> Any:
    """Each image left out, and another rule than that of the nearest mean."""

    def version(embeddings: Tensor, labels: Tensor, n_way: int) -> float:
        right = 0
        for i in range(len(labels)):
            others = [embeddings[(labels == c) & (torch.arange(len(labels)) != i)] for c in range(n_way)]
            centres = torch.stack([centre(x, dim=0) for x in others])
            right += int(nearest(embeddings[i], centres) == labels[i])
        return right / len(labels)

    return version


def _distance(x: Tensor, centres: Tensor) -> Tensor:
    return (x - centres).norm(dim=1)


def _single_image(embeddings: Tensor, labels: Tensor, n_way: int) -> float:
    distances = torch.cdist(embeddings, embeddings).fill_diagonal_(torch.inf)
    return float((labels[distances.argmin(dim=1)] == labels).double().mean())


leave_one_out_accuracy = Exercise(
    "leave_one_out_accuracy",
    lambda embeddings, labels, n_way: _accuracy(embeddings, labels, n_way, left_out=True),
    {
        "five shots": Case(_draw_clusters([5] * 4, 1.5)),
        "uneven shots": Case(_draw_clusters([9, 4, 6, 5], 1.5)),
        "two shots of pure noise": Case(_draw_clusters([2] * 15, 20.0)),
    },
    [
        Mistake(
            lambda x, y, n: _accuracy(x, y, n, left_out=False),
            "each image helped to make the prototype that it is compared with; leave it out first",
        ),
        Mistake(lambda x, y, n: 1 - _accuracy(x, y, n, left_out=True), "this is the error rate, not the accuracy"),
        Mistake(lambda x, y, n: len(y) * _accuracy(x, y, n, left_out=True), "this is a count; divide by the images"),
        Mistake(_with(lambda x, c: _distance(x, c).argmax()), "you took the farthest prototype, not the nearest"),
        Mistake(_with(lambda x, c: (c @ x).argmax()), "you compared by inner product; take the nearest prototype"),
        Mistake(_single_image, "you looked for the nearest single image; look for the nearest prototype"),
        Mistake(
            _with(lambda x, c: _distance(x, c).argmin(), torch.sum), "you compared with sums; a prototype is a mean"
        ),
        Mistake(
            _with(lambda x, c: _distance(x, c).argmin(), lambda x, dim: x.median(dim=dim).values),
            "you compared with medians; a prototype is a mean",
        ),
    ],
)
