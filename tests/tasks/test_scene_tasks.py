"""Tasks of scenes: who stands in which scene, under which label, and that no drawing comes twice."""

from __future__ import annotations

import pytest
import torch
from helpers import devices

from fslbook import ImageClasses, evaluate
from fslbook.methods.base import FewShotMethod
from fslbook.tasks.episode import Episode
from fslbook.tasks.scene_tasks import DISTRACTOR, SceneSampler, SceneTasks
from fslbook.tasks.segmentation import SegmentationTasks


def bars(n_classes: int = 6, per_class: int = 8, device: str = "cpu") -> ImageClasses:
    """Class c has bars c + 1 pixels high; drawing d of it is d + 1 pixels wide."""
    images = torch.zeros(n_classes, per_class, 1, 12, 12)
    for c in range(n_classes):
        for d in range(per_class):
            images[c, d, 0, : c + 1, : d + 1] = 1.0
    names = tuple(f"bars {c + 1} high" for c in range(n_classes))
    return ImageClasses(images.flatten(0, 1).to(device), torch.full((n_classes,), per_class, device=device), names)


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters keep their size, and lie on whole pixels, so that a box tells class and drawing."""
    from fslbook.tasks import scene_tasks

    original = scene_tasks.draw_scenes

    def draw(characters: torch.Tensor, size: int, generator: torch.Generator, *, overlap: bool):
        return original(characters, size, generator, overlap=overlap, smallest=1.0)

    monkeypatch.setattr(scene_tasks, "draw_scenes", draw)


def kinds_and_drawings(boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    sides = boxes[..., 2:] - boxes[..., :2]
    return sides[..., 1].long() - 1, sides[..., 0].long() - 1


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("device", devices())
def test_each_scene_has_its_own_class_on_top_and_different_others(device: str) -> None:
    tasks = SceneSampler(bars(device=device), n_way=2, k_shot=2, n_query=1, n_distractors=2, size=36).sample(40)
    assert tasks.support_x.shape == (40, 4, 1, 36, 36)
    assert tasks.query_y[:, :, -1].tolist() == [[0, 1]] * 40
    assert tasks.support_y[:, :, -1].tolist() == [[0, 1, 0, 1]] * 40
    for boxes, y in ((tasks.support_boxes, tasks.support_y), (tasks.query_boxes, tasks.query_y)):
        kinds, _ = kinds_and_drawings(boxes)  # [B, scenes, O]
        assert all(len(set(scene)) == 3 for task in kinds.tolist() for scene in task)
        of_label = tasks.classes.gather(1, y.clamp_min(0).flatten(1)).view_as(y)
        asked = y != DISTRACTOR
        assert torch.equal(kinds[asked], of_label[asked])
        strangers = kinds[..., None] == tasks.classes[:, None, None]  # [B, scenes, O, N]
        assert torch.equal(strangers.any(dim=-1), asked)


@pytest.mark.usefixtures("exact")
def test_no_drawing_comes_twice_in_a_task() -> None:
    tasks = SceneSampler(bars(), n_way=2, k_shot=2, n_query=2, n_distractors=2, size=36).sample(40)
    boxes = torch.cat([tasks.support_boxes, tasks.query_boxes], dim=1).flatten(1, 2)  # [B, scenes * O, 4]
    for task in boxes:
        kinds, drawings = kinds_and_drawings(task)
        pairs = list(zip(kinds.tolist(), drawings.tolist(), strict=True))
        assert len(set(pairs)) == len(pairs)


def test_pixels_are_labelled_as_a_loop_labels_them() -> None:
    tasks = SceneSampler(bars(), n_way=2, n_distractors=3, size=20, overlap=True).sample(10)
    episode = tasks.segmentation()
    assert episode.n_way == 3
    for task in range(10):
        for scene in range(2):
            expected = torch.zeros(20, 20, dtype=torch.int64)
            for mask, label in zip(tasks.query_masks[task, scene], tasks.query_y[task, scene], strict=True):
                for row, column in mask.nonzero().tolist():
                    expected[row, column] = label + 1
            assert torch.equal(episode.query_y[task, scene], expected)
    Episode(episode.support_x, episode.support_y, episode.query_x, episode.query_y, 3)  # checked this time


def test_tasks_do_not_depend_on_how_many_are_drawn_and_begin_again() -> None:
    sampler = SceneSampler(bars(), size=36, seed=3)
    together = sampler.sample(3)
    one_by_one = [sampler.restarted()]
    single = [one_by_one[0].sample() for _ in range(3)]
    for name in SceneTasks.__dataclass_fields__:
        assert torch.equal(getattr(together, name), torch.cat([getattr(task, name) for task in single]))
    assert not torch.equal(SceneSampler(bars(), size=36, seed=4).sample(3).query_x, together.query_x)
    assert SceneSampler(bars(), size=36).identity != SceneSampler(bars(), size=37).identity


def test_one_class_and_nothing_beside_it() -> None:
    tasks = SceneSampler(bars(2), n_way=1, n_distractors=0, size=12).sample(4)
    assert tasks.query_y.tolist() == [[[0]]] * 4


class AllInk(FewShotMethod):
    """Says class 1 wherever there is ink."""

    def forward(self, episode: Episode) -> torch.Tensor:
        ink = episode.query_x[:, :, 0]  # [B, Q, H, W]
        return torch.stack([0.5 - ink, ink - 0.5], dim=2)  # [B, Q, 2, H, W]


def test_evaluate_takes_them_as_they_are() -> None:
    alone = SegmentationTasks(SceneSampler(bars(), n_distractors=0, size=24))
    assert evaluate(AllInk(), alone, 6).mean == 1
    beside = SegmentationTasks(SceneSampler(bars(), n_distractors=2, size=36))
    result = evaluate(AllInk(), beside, 6)
    episode = beside.restarted().sample(6)
    wrong = (episode.query_x[:, :, 0] > 0.5) & (episode.query_y == 0)
    assert result.mean == pytest.approx(1 - wrong.double().mean().item())
