"""Random changes of images against closed forms: a quarter turn, a shift, a doubling."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from fslbook.tasks.augmentation import _matrices, random_affine

STILL = {"degrees": 0.0, "scale": 0.0, "shift": 0.0, "shear": 0.0}


def moved(images: Tensor, amounts: list[float]) -> Tensor:
    matrices = _matrices(torch.tensor([amounts]).expand(len(images), -1))
    grid = torch.nn.functional.affine_grid(matrices, [*images.shape], align_corners=False)
    return torch.nn.functional.grid_sample(images, grid, align_corners=False)


def test_a_quarter_turn_is_that_of_rot90() -> None:
    images = torch.rand(2, 1, 6, 6)
    turned = moved(images, [torch.pi / 2, 0, 0, 0, 0])
    assert torch.allclose(turned, images.rot90(1, dims=(2, 3)), atol=1e-5) or torch.allclose(
        turned, images.rot90(-1, dims=(2, 3)), atol=1e-5
    )


def test_a_shift_moves_whole_columns() -> None:
    images = torch.rand(1, 1, 4, 4)  # half of the width are two columns
    assert torch.allclose(moved(images, [0, 0, 0.5, 0, 0])[..., :3], images[..., 1:], atol=1e-5)


def test_larger_means_larger() -> None:
    square = torch.zeros(1, 1, 28, 28)
    square[..., 10:18, 10:18] = 1
    assert moved(square, [0, 0.5, 0, 0, 0]).sum() / square.sum() == pytest.approx(1.5**2, rel=0.02)


def test_limits_are_kept_and_used() -> None:
    square = torch.zeros(400, 1, 28, 28)
    square[..., 10:18, 10:18] = 1
    shifted = random_affine(square, Generator().manual_seed(0), **(STILL | {"shift": 0.2}))
    columns = torch.arange(28.0)
    centre = (shifted.sum(dim=2) * columns).sum(dim=(1, 2)) / shifted.sum(dim=(1, 2, 3)) - 13.5
    assert centre.abs().max() <= 0.2 * 14 + 1e-3
    assert centre.abs().max() > 2.5
    assert centre.std().item() == pytest.approx(0.2 * 14 / 3**0.5, rel=0.1)  # an even spread
    sizes = random_affine(square, Generator().manual_seed(0), **(STILL | {"scale": 0.2})).sum(dim=(1, 2, 3)) / 64
    assert 0.8**2 - 0.03 < sizes.min() < 0.7
    assert 1.4 < sizes.max() < 1.2**2 + 0.03


def test_each_image_changes_by_itself_and_the_generator_decides() -> None:
    images = torch.rand(1, 1, 28, 28).expand(5, -1, -1, -1)
    changed = random_affine(images, Generator().manual_seed(3))
    assert len(changed.flatten(1).unique(dim=0)) == 5
    assert torch.equal(changed, random_affine(images, Generator().manual_seed(3)))
    assert not torch.equal(changed, random_affine(images, Generator().manual_seed(4)))


@pytest.mark.parametrize("images", [torch.zeros(1, 28, 28), torch.zeros(1, 1, 4, 4, dtype=torch.uint8)])
def test_what_are_no_images_is_refused(images: Tensor) -> None:
    with pytest.raises(ValueError, match="images must be floating-point"):
        random_affine(images, Generator())


@pytest.mark.parametrize(
    ("name", "limit"), [("degrees", -1), ("scale", 1), ("shift", float("nan")), ("shear", float("inf"))]
)
def test_limits_out_of_range_are_named(name: str, limit: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 0"):
        random_affine(torch.zeros(1, 1, 4, 4), Generator(), **{name: limit})
