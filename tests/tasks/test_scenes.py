"""Scenes against loops over pixels: masks, boxes, who covers whom, and where a character lands."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import assert_close, devices
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import box_iou

from fslbook.tasks.scenes import Scenes, boxes_of, draw_scenes


def chance(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def squares(n_pictures: int, n_objects: int, height: int = 8, device: str = "cpu") -> torch.Tensor:
    return torch.ones(n_pictures, n_objects, 1, height, height, device=device)


def looped_box(mask: np.ndarray) -> list[float]:
    cells = [(x, y) for y in range(mask.shape[0]) for x in range(mask.shape[1]) if mask[y, x]]
    xs, ys = zip(*cells, strict=True)
    return [min(xs), min(ys), max(xs) + 1, max(ys) + 1]


@given(st.integers(0, 10_000))
def test_boxes_are_those_of_a_loop_over_the_pixels(seed: int) -> None:
    masks = torch.rand(4, 7, 5, generator=chance(seed=seed)) > 0.8
    masks = masks[masks.flatten(1).any(dim=1)]
    assert boxes_of(masks).tolist() == [looped_box(mask) for mask in masks.numpy()]


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("overlap", [False, True])
def test_a_picture_is_the_darkest_of_its_objects_and_each_pixel_is_of_one(device: str, overlap: bool) -> None:
    scenes = draw_scenes(squares(30, 4, device=device), 24, chance(device), overlap=overlap)
    assert scenes.images.shape == (30, 1, 24, 24)
    owners = scenes.masks.sum(dim=1)  # [M, H, W]
    assert owners.max() == 1
    assert torch.equal(owners == 1, scenes.images[:, 0] > 0.5)


def test_what_is_on_top_is_visible_and_its_box_is_the_box_of_its_mask() -> None:
    scenes = draw_scenes(squares(50, 3), 16, chance(), overlap=True)
    assert torch.equal(boxes_of(scenes.masks[:, -1]), scenes.boxes[:, -1])
    areas = scenes.masks.flatten(2).sum(dim=2)  # [M, O]
    sides = scenes.boxes[..., 2:] - scenes.boxes[..., :2]  # [M, O, 2]
    hidden = sides.prod(dim=-1) - areas  # a square fills its box, but for four corners between two pixels
    assert hidden[:, -1].max() <= 4
    assert (hidden[:, 0] > 4).float().mean() > 0.3  # the lowest is often covered in part


def test_apart_means_apart() -> None:
    scenes = draw_scenes(squares(200, 9, 8), 26, chance())
    for boxes in scenes.boxes:
        assert (box_iou(boxes, boxes) - torch.eye(9)).abs().max() == 0
    assert scenes.boxes.min() >= 0
    assert scenes.boxes.max() <= 26


def test_characters_come_everywhere_and_in_all_sizes() -> None:
    boxes = draw_scenes(squares(3000, 2, 8), 24, chance(), smallest=0.5).boxes.flatten(0, 1)
    sides = boxes[:, 2] - boxes[:, 0]
    assert sorted(set(sides.tolist())) == [4, 5, 6, 7, 8]
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert (middle.mean(dim=0) - 12).abs().max() < 0.5
    cells = (middle // 8).long()
    counts = torch.bincount(cells[:, 0] + 3 * cells[:, 1], minlength=9)
    assert (counts / len(boxes) - 1 / 9).abs().max() < 0.02


def test_a_character_in_its_own_size_is_copied_pixel_by_pixel() -> None:
    character = torch.rand(1, 1, 1, 6, 6, generator=chance()).clamp(0.6, 1)
    character[..., 0, 0] = 1.0  # the darkest pixel, to which every layer is brought
    scene = draw_scenes(character, 6, chance(), smallest=1.0)
    assert_close(scene.images[0], character[0, 0])
    assert scene.boxes.tolist() == [[[0, 0, 6, 6]]]


def test_thin_strokes_keep_their_ink_when_they_shrink() -> None:
    line = torch.zeros(1, 1, 1, 28, 28)
    line[..., 14] = 1.0
    scenes = [draw_scenes(line, 28, chance(seed=s), smallest=0.5) for s in range(50)]
    assert all(scene.masks.any() for scene in scenes)
    assert all(scene.images.max() == 1 for scene in scenes)


def test_pictures_do_not_depend_on_how_many_are_drawn() -> None:
    many: Scenes = draw_scenes(squares(5, 2), 24, chance())
    few = draw_scenes(squares(3, 2), 24, chance())
    assert torch.equal(many.images[:3], few.images)
    assert torch.equal(many.boxes[:3], few.boxes)
