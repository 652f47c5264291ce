"""Ordinary training over all base classes: it learns, its accuracy is recorded, and it can be resumed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fslbook.data.image_classes import ImageClasses
from fslbook.methods import BaseClassifier
from fslbook.networks.heads import CosineLinear
from fslbook.tasks.images import ImageSampler, LabelledImages
from fslbook.training.loop import fit


def bright_and_dark() -> ImageClasses:
    images = torch.cat([torch.full((4, 1, 4, 4), value) for value in (0.1, 0.5, 0.9)])
    return ImageClasses(images, torch.tensor([4, 4, 4]), ("dark", "grey", "light"))


def small(head: nn.Module | None = None) -> BaseClassifier:
    torch.manual_seed(0)
    return BaseClassifier(nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh()), 3, n_features=8, head=head)


@pytest.mark.parametrize("head", [None, CosineLinear(8, 3)])
def test_it_learns_and_its_accuracy_is_recorded(head: nn.Module | None) -> None:
    method = small(head)
    rate = torch.optim.Adam(method.parameters(), lr=1e-2)
    history = fit(method, ImageSampler(bright_and_dark()), 200, batch_size=12, optimizer=rate, progress=False)
    assert history.loss[-1] < history.loss[0]
    assert sum(history.accuracy[-20:]) / 20 > 0.9


def test_the_loss_is_the_mean_cross_entropy_of_the_head() -> None:
    method, batch = small(), ImageSampler(bright_and_dark()).sample(5)
    logits = method.head(method.encoder(batch.images)).double()
    expected = torch.stack([-F.log_softmax(row, 0)[y] for row, y in zip(logits, batch.labels, strict=True)]).mean()
    assert method.loss(batch).item() == pytest.approx(expected.item(), rel=1e-5)
    assert torch.equal(method(batch), method(LabelledImages(batch.images, 2 - batch.labels)))


def test_a_run_in_two_parts_ends_like_one(tmp_path: Path) -> None:
    whole, parts = small(), small()
    fit(whole, ImageSampler(bright_and_dark()), 6, batch_size=4, progress=False)
    for steps in (3, 6):
        fit(parts, ImageSampler(bright_and_dark()), steps, batch_size=4, checkpoint=tmp_path / "run.pt", progress=False)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), parts.parameters(), strict=True))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((nn.Flatten(), 1), ValueError, "n_classes"),
        ((nn.Flatten(), 3, 0), ValueError, "n_features"),
        ((torch.relu, 3), TypeError, "encoder"),
        ((nn.Flatten(), 3, 4, torch.relu), TypeError, "head"),
    ],
)
def test_wrong_parts_are_named(arguments: tuple[object, ...], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        BaseClassifier(*arguments)  # type: ignore[arg-type]
