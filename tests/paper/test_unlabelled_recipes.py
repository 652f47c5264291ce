"""Recipes that learn from images without labels: what they draw, how many labels they see, and what they answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers import class_names
from torch import Tensor

from fslbook import Episode, UnlabelledSampler
from fslbook.data import ImageClasses, Splits
from fslbook.methods.unlabelled.simclr import SimCLRNearestMean
from fslbook.paper import builders, runs
from fslbook.paper.published import published
from fslbook.paper.recipe import quick
from fslbook.paper.recipes import METHODS, RECIPES
from fslbook.paper.tasks import test_tasks as tasks_of_the_test
from fslbook.paper.tasks import training_tasks, validation_tasks
from fslbook.training.distributed import Team

WITHOUT_LABELS = {"simclr": "views", "umtra": "made-up tasks"}


def flat_classes(first: int) -> ImageClasses:
    """Ten classes of 20 images; all pixels of an image hold its number, so that a turn leaves it as it is."""
    numbers = torch.arange(first, first + 200, dtype=torch.float32) / 1000
    names = tuple(f"{first}/{name}" for name in class_names(10))
    return ImageClasses(numbers.view(-1, 1, 1, 1).expand(-1, 1, 6, 6).contiguous(), torch.full((10,), 20), names)


FLAT = Splits("flat", flat_classes(0), flat_classes(200), flat_classes(400))


def numbers(images: Tensor) -> list[int]:
    return (1000 * images[..., 0, 3, 3]).round().long().flatten().tolist()


def test_views_and_made_up_tasks_come_from_the_base_classes_and_their_rotations(small_splits: Splits) -> None:
    for name, kind in WITHOUT_LABELS.items():
        assert METHODS[name].learns_from == kind
        sampler = training_tasks(RECIPES[f"{name}-omniglot-5w1s"], small_splits, seed=3)
        assert len(sampler.classes) == 4 * len(small_splits.base)  # type: ignore[attr-defined]
        assert {*small_splits.base.names} < {*sampler.classes.names}  # type: ignore[attr-defined]
        assert sampler.seed == 3  # type: ignore[attr-defined]


def test_simclr_sees_two_views_of_an_image_and_nothing_else(small_splits: Splits) -> None:
    batch = training_tasks(RECIPES["simclr-omniglot-20w5s"], small_splits, seed=0).sample(6)
    assert batch.shape == (6, 2, 1, 28, 28)
    away = (batch[:, 0] - batch[:, 1]).square().flatten(1).mean(dim=1)
    assert away.min() > 0 and away.max() < 0.5


@pytest.mark.parametrize("task", ["5w1s", "5w5s", "20w1s"])
def test_umtra_learns_from_one_image_and_one_changed_copy_of_each_class(task: str, small_splits: Splits) -> None:
    n_way = int(task.split("w")[0])
    episode = training_tasks(RECIPES[f"umtra-omniglot-{task}"], small_splits, seed=0).sample(2)
    assert episode.support_x.shape[:2] == episode.query_x.shape[:2] == (2, n_way)
    assert episode.support_y.tolist() == episode.query_y.tolist() == [[*range(n_way)]] * 2
    away = (episode.support_x - episode.query_x).square().flatten(2).mean(dim=2)  # [2, N]
    assert away.min() > 0  # changed
    others = (episode.support_x.roll(1, dims=1) - episode.query_x).square().flatten(2).mean(dim=2)
    assert away.mean() < others.mean()  # and of this image, not of another one


def test_a_tenth_of_the_labels_is_all_that_soft_k_means_is_trained_with() -> None:
    sampler = training_tasks(RECIPES["soft-k-means-omniglot-5w1s"], FLAT, seed=0)
    task = sampler.sample(4000)
    assert task.support_x.shape[1:2] == task.query_x.shape[1:2] == (5,) and task.unlabelled_x.shape[1] == 25
    # The four turns of a class are four classes, each with its own two labels; their images look alike here.
    own = sampler.sample_indices(4000)[1]  # [4000, 5, 7], rows of the turned classes
    named, others = {*own[..., :2].flatten().tolist()}, {*own[..., 2:].flatten().tolist()}
    assert len(named) == 4 * 10 * 2 and not named & others and len(others) == 4 * 10 * 18
    again = training_tasks(RECIPES["soft-k-means-omniglot-20w5s"], FLAT, seed=9).sample_indices(4000)[1]
    assert {*again[..., :2].flatten().tolist()} == named  # another seed has the same labels


@pytest.mark.parametrize(("task", "sizes"), [("5w1s", (5, 70, 25)), ("20w5s", (100, 200, 100))])
def test_it_is_tested_with_five_unlabelled_images_a_class(task: str, sizes: tuple[int, ...]) -> None:
    recipe, splits = RECIPES[f"soft-k-means-omniglot-{task}"], replace(FLAT, novel=FLAT.novel.with_rotations())
    sampler = tasks_of_the_test(replace(recipe, rotate_novel=False), splits)
    assert isinstance(sampler, UnlabelledSampler) and sampler.n_labelled is None
    episode = sampler.sample(2)
    assert tuple(x.shape[1] for x in (episode.support_x, episode.query_x, episode.unlabelled_x)) == sizes
    assert {*numbers(episode.unlabelled_x)} <= {*range(400, 600)}


def test_validation_has_unlabelled_images_too_and_other_recipes_have_none() -> None:
    sampler = validation_tasks(RECIPES["soft-k-means-omniglot-5w1s"], FLAT)
    assert isinstance(sampler, UnlabelledSampler)
    assert {*numbers(sampler.sample(50).unlabelled_x)} <= {*range(200, 400)}
    for name in ("prototypical", "umtra", "simclr"):
        assert tasks_of_the_test(RECIPES[f"{name}-omniglot-5w1s"], FLAT).sample().unlabelled_x is None


def test_simclr_answers_by_means_of_features_of_length_one_without_the_projector() -> None:
    method = builders.build(quick(RECIPES["simclr-omniglot-5w1s"])).eval()
    assert isinstance(method, SimCLRNearestMean)
    x, query = torch.rand(1, 4, 1, 28, 28), torch.rand(1, 3, 1, 28, 28)
    with torch.no_grad():
        logits = method(Episode(x, torch.tensor([[0, 1, 0, 1]]), query, None, n_way=2))[0]
        support, asked = (torch.nn.functional.normalize(method.encoder(part[0])) for part in (x, query))
    for q in range(3):
        for n in range(2):
            away = asked[q] - (support[n] + support[n + 2]) / 2
            assert logits[q, n].item() == pytest.approx(-float(away @ away), abs=1e-5)


def test_soft_k_means_moves_its_prototypes_before_it_answers(small_splits: Splits) -> None:
    recipe = quick(RECIPES["soft-k-means-omniglot-5w1s"])
    method = builders.build(recipe).train()  # in training mode the features of a new encoder are large
    both = tasks_of_the_test(recipe, small_splits).sample(4)
    fixed = builders.build(recipe)
    fixed.load_state_dict(method.state_dict())
    fixed.steps = 0  # type: ignore[assignment]
    with torch.no_grad():
        assert (method(both) - fixed.train()(both)).abs().max() > 0.1


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("soft-k-means", (97.44, None, None, None)),
        ("umtra", (83.80, 95.43, 74.25, 92.12)),
        ("simclr", (None, None, None, None)),
    ],
)
def test_published_rows(name: str, figures: tuple[float | None, ...]) -> None:
    rows = [published(RECIPES[f"{name}-omniglot-{task}"]) for task in ("5w1s", "5w5s", "20w1s", "20w5s")]
    assert tuple(row and row.accuracy for row in rows) == figures


def test_recipes_without_labels_train_once_for_several_tests() -> None:
    trainings = {name: {RECIPES[key].training for key in RECIPES if key.startswith(f"{name}-")} for name in METHODS}
    assert [len(trainings[name]) for name in ("simclr", "soft-k-means", "umtra")] == [1, 1, 2]


@pytest.mark.parametrize("name", ["simclr", "soft-k-means", "umtra"])
def test_a_whole_quick_run_leaves_its_scores(name: str, small_splits: Splits, tmp_path: Path) -> None:
    recipe = replace(quick(RECIPES[f"{name}-omniglot-5w1s"]), steps=2, validate_every=1, test_episodes=2)
    assert runs.train(recipe, small_splits, 0, tmp_path, Team(), progress=False)
    assert (tmp_path / "run.json").is_file()
