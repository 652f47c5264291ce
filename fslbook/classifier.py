"""A classifier for your own images, used in scikit-learn's manner."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fslbook.common.arguments import check_module
from fslbook.data.given import given_images, given_labels, label_array
from fslbook.evaluation import evaluation_mode
from fslbook.methods.one_query import QueryWithSupport, company_matters
from fslbook.tasks.episode import Episode

Images = Tensor | np.ndarray | Sequence[Any]
"""A tensor or an array [M, C, H, W] or grey [M, H, W], or a list of images [C, H, W] or of pictures of Pillow."""


class FewShotClassifier:
    """`fit` on a handful of labelled images, `predict` on others, with any method of the book.

    An image gets the same answer in whatever company it comes. Where the network normalises by the batch at hand, each
    image is asked in one batch with the support images and no other (see `QueryWithSupport`).

    Args:
        method: a (trained) method; its device and its encoder decide which images fit.

    Raises:
        TypeError: `method` is no few-shot method, for instance a bare encoder.

    Example:
        >>> from fslbook import NearestNeighbour
        >>> dark, light = torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
        >>> classifier = FewShotClassifier(NearestNeighbour()).fit(torch.cat([dark, light]), ["night", "day"])
        >>> classifier.predict(0.9 * light).tolist()
        ['day']
    """

    def __init__(self, method: nn.Module) -> None:
        _check_method(method)
        self.method = method

    def get_params(self, deep: bool = True) -> dict[str, nn.Module]:
        """What it was made with, by name, as scikit-learn asks for it.

        Args:
            deep: makes no difference.
        """
        return {"method": self.method}

    def set_params(self, **params: nn.Module) -> FewShotClassifier:
        """Take another method; what was fitted is forgotten.

        Args:
            params: `method` alone.

        Raises:
            TypeError: another name, or what is no few-shot method.
        """
        self.__init__(**{**self.get_params(), **params})  # type: ignore[misc]
        for fitted in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, fitted)
        return self

    def fit(self, images: Images, labels: Sequence[Hashable]) -> FewShotClassifier:
        """Remember a copy of the support set; nothing is trained.

        Args:
            images: [S, C, H, W], grey [S, H, W], or a list of S images; uint8 in 0..255, or float in 0..1.
            labels: S labels of one type (names, numbers, dates, tuples, ...); classes may have different numbers of
                images.

        Returns:
            itself. `classes_` holds the labels in order; where they have none, as they came.

        Raises:
            TypeError: images or labels of a wrong kind.
            ValueError: numbers of images and labels differ, there are fewer than two classes, or bad pixels or labels.
        """
        x, names = self._prepare(images), given_labels(labels)
        if len(x) != len(names):
            raise ValueError(f"{len(x)} images but {len(names)} labels")
        classes = _in_order(names)
        if len(classes) < 2:
            raise ValueError(f"a classifier needs at least two classes, the labels name {len(classes)}")
        y = torch.tensor([[classes.index(name) for name in names]], device=x.device)  # [1, S]
        support = Episode(x[None], y, x[None, :8], None, len(classes))  # the first images as queries, to try
        with evaluation_mode(self.method):
            seen = getattr(self.method, "queries_see_each_other", False) or company_matters(self.method, support)
        self.classes_, self.support_x_, self.support_y_, self.company_matters_ = classes, x[None], y, seen
        return self

    @torch.no_grad()
    def predict_proba(self, images: Images) -> np.ndarray:
        """Softmax of the logits, [M, N], columns in the order of `classes_`.

        Args:
            images: M images in one of the forms that `fit` takes, of the size and colours of the support.

        Raises:
            RuntimeError: nothing was fitted yet.
            ValueError: other sizes, bad pixels, or the method's logits are not finite.
        """
        if not hasattr(self, "classes_"):
            raise RuntimeError("call fit(images, labels) before predict")
        x = self._prepare(images)[None]  # [1, Q, C, H, W]
        if not x.shape[1]:
            return np.empty((0, len(self.classes_)), dtype=np.float32)
        episode = Episode(self.support_x_, self.support_y_, x, None, len(self.classes_))
        with evaluation_mode(self.method):
            logits = (QueryWithSupport(self.method) if self.company_matters_ else self.method)(episode)[0]  # [Q, N]
        self._check_finite(logits)
        return logits.softmax(dim=-1).cpu().numpy()

    def predict(self, images: Images) -> np.ndarray:
        """The most likely label of each image, [M]; labels come back as they were given.

        Args:
            images: M images, as in `predict_proba`.

        Raises:
            RuntimeError: nothing was fitted yet.
            ValueError: as in `predict_proba`.
        """
        best = self.predict_proba(images).argmax(axis=1)
        return label_array(self.classes_)[best]

    def score(self, images: Images, labels: Sequence[Hashable]) -> float:
        """Share of the images that get the right label, in 0..1.

        Args:
            images: M images, as in `predict_proba`.
            labels: M labels of the type of those that were fitted.

        Raises:
            RuntimeError: nothing was fitted yet.
            ValueError: numbers of images and labels differ, there are none, or the labels are of another type.
        """
        guesses, truth = self.predict_proba(images).argmax(axis=1), given_labels(labels)
        if len(guesses) != len(truth) or not truth:
            raise ValueError(f"{len(guesses)} images but {len(truth)} labels" if truth else "there is nothing to score")
        if type(truth[0]) is not type(self.classes_[0]):
            known, given = type(self.classes_[0]).__name__, type(truth[0]).__name__
            raise ValueError(f"the labels are of type {given}, those of fit of type {known}")
        return sum(self.classes_[guess] == label for guess, label in zip(guesses, truth, strict=True)) / len(truth)

    def _prepare(self, images: Images) -> Tensor:
        """Check the images and bring them to the method's device as float [M, C, H, W]."""
        x, parameter = given_images(images), next(self.method.parameters(), None)
        return x if parameter is None else x.to(parameter.device)

    def _check_finite(self, logits: Tensor) -> None:
        wrong = (~logits.isfinite()).any(dim=-1).nonzero().flatten().tolist()
        if not wrong:
            return
        weights = [name for name, p in self.method.state_dict().items() if not torch.isfinite(p).all()]
        cause = f"its {weights[0]} is not finite either" if weights else "its features may be too large"
        raise ValueError(f"{type(self.method).__name__} gives logits that are not finite for image {wrong[0]}: {cause}")


def _check_method(method: object) -> None:
    check_module("method", method)
    if not callable(getattr(method, "loss", None)):
        name = type(method).__name__
        raise TypeError(f"method must be a few-shot method, such as PrototypicalNetwork(encoder), got a bare {name}")


def _in_order(labels: list[Any]) -> list[Any]:
    """The different labels, sorted; where they cannot be compared, as they came."""
    different = [*dict.fromkeys(labels)]
    try:
        return sorted(different)
    except TypeError:
        return different
