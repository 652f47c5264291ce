"""A classifier for your own images, used in scikit-learn's manner."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from fslbook.data.image_classes import to_unit_range
from fslbook.evaluation import evaluation_mode
from fslbook.tasks.episode import Episode


class FewShotClassifier:
    """`fit` on a handful of labelled images, `predict` on others, with any method of the book.

    Args:
        method: a (trained) method; its device and its encoder decide which images fit.
    """

    def __init__(self, method: nn.Module) -> None:
        self.method = method

    def fit(self, images: Tensor | np.ndarray, labels: Sequence[Hashable]) -> FewShotClassifier:
        """Remember the support set; nothing is trained.

        Args:
            images: [S, C, H, W] or grey [S, H, W]; uint8 in 0..255, or float in 0..1.
            labels: S labels of any kind (names, numbers); classes may have different numbers of images.

        Raises:
            ValueError: numbers of images and labels differ, there are fewer than two classes, or bad pixels.
        """
        x, names = self._prepare(images), np.asarray(labels).tolist()
        if len(x) != len(names):
            raise ValueError(f"{len(x)} images but {len(names)} labels")
        self.classes_ = sorted(set(names))
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs at least two classes, the labels name {len(self.classes_)}")
        self.support_x_ = x[None]  # [1, S, C, H, W]
        self.support_y_ = torch.tensor([[self.classes_.index(name) for name in names]], device=x.device)  # [1, S]
        return self

    @torch.no_grad()
    def predict_proba(self, images: Tensor | np.ndarray) -> np.ndarray:
        """Softmax of the logits, [number of images, number of classes], columns in the order of `classes_`."""
        if not hasattr(self, "classes_"):
            raise RuntimeError("call fit(images, labels) before predict")
        x = self._prepare(images)[None]  # [1, Q, C, H, W]
        unknown = torch.zeros(x.shape[:2], dtype=torch.int64, device=x.device)
        episode = Episode(self.support_x_, self.support_y_, x, unknown, len(self.classes_))
        with evaluation_mode(self.method):
            return self.method(episode)[0].softmax(dim=-1).cpu().numpy()

    def predict(self, images: Tensor | np.ndarray) -> np.ndarray:
        """The most likely label of each image."""
        best = self.predict_proba(images).argmax(axis=1)
        return np.asarray(self.classes_)[best]

    def score(self, images: Tensor | np.ndarray, labels: Sequence[Hashable]) -> float:
        """Share of the images that get the right label.

        Raises:
            ValueError: numbers of images and labels differ.
        """
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images but {len(labels)} labels")
        return float((self.predict(images) == np.asarray(labels)).mean())

    def _prepare(self, images: Tensor | np.ndarray) -> Tensor:
        """Check the images and bring them to the method's device as float [M, C, H, W]."""
        x = torch.as_tensor(images)
        x = x[:, None] if x.ndim == 3 else x
        if x.ndim != 4:
            raise ValueError(f"images must be [M, C, H, W] or [M, H, W], got {[*torch.as_tensor(images).shape]}")
        x = to_unit_range(x).float()
        if x.numel() and not (float(x.min()) >= 0 and float(x.max()) <= 1):  # also false for NaN
            raise ValueError(f"float images must lie in 0..1, found {float(x.min()):g}..{float(x.max()):g}")
        parameter = next(self.method.parameters(), None)
        return x if parameter is None else x.to(parameter.device)
