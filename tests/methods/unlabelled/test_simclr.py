"""Training without labels: two views meet, and labels are not even there."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fslbook import Episode
from fslbook.data.image_classes import ImageClasses
from fslbook.methods import SimCLR, SimpleShot
from fslbook.methods.unlabelled.simclr import SimCLRNearestMean
from fslbook.networks.contrast import nt_xent
from fslbook.tasks.augmentation import random_affine
from fslbook.tasks.images import ViewSampler
from fslbook.training.loop import fit


def small() -> SimCLR:
    torch.manual_seed(0)
    return SimCLR(nn.Sequential(nn.Flatten(), nn.Linear(64, 8)), n_features=8, temperature=0.2)


def drawings() -> ImageClasses:
    images = torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return ImageClasses(images, torch.tensor([6, 6]), ("a", "b"))


def test_the_loss_contrasts_the_projected_views() -> None:
    method, views = small(), torch.rand(5, 2, 1, 8, 8)
    first, second = (method.projector(method.encoder(views[:, i])) for i in range(2))
    assert torch.isclose(method.loss(views), nt_xent(first, second, 0.2))
    assert method(views).shape == (5, 2, 8)


def test_it_learns() -> None:
    history = fit(small(), ViewSampler(drawings(), random_affine), 150, batch_size=8, progress=False)
    assert sum(history.loss[-20:]) < 0.9 * sum(history.loss[:20])


@pytest.mark.parametrize("shape", [(4, 1, 8, 8), (4, 3, 1, 8, 8), (2, 1, 8)])
def test_what_are_no_two_views_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="two views"):
        small().loss(torch.rand(shape))


def test_wrong_parts_are_named() -> None:
    with pytest.raises(TypeError, match="projector"):
        SimCLR(nn.Flatten(), torch.relu)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="temperature"):
        SimCLR(nn.Flatten(), temperature=0)


def test_with_nearest_means_it_learns_the_same_and_keeps_one_copy_of_the_encoder() -> None:
    torch.manual_seed(0)
    both, alone = SimCLRNearestMean(nn.Sequential(nn.Flatten(), nn.Linear(64, 8)), 8, temperature=0.2), small()
    alone.load_state_dict(both.state_dict())
    views = torch.rand(5, 2, 1, 8, 8)
    assert torch.equal(both.loss(views), alone.loss(views))
    with pytest.raises(ValueError, match="two views"):
        both.loss(torch.rand(4, 1, 8, 8))
    with pytest.raises(ValueError, match="temperature"):
        SimCLRNearestMean(nn.Flatten(), temperature=0)


def test_with_nearest_means_it_answers_as_simple_shot() -> None:
    method = SimCLRNearestMean(nn.Sequential(nn.Flatten(), nn.Linear(64, 8)), 8)
    x, y = torch.rand(2, 4, 1, 8, 8), torch.tensor([[0, 1, 1, 0]] * 2)
    task = Episode(x, y, torch.rand(2, 3, 1, 8, 8), None, n_way=2)
    assert torch.equal(method(task), SimpleShot(method.encoder)(task))
