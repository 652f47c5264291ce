"""Episodes with unlabelled images: which ones they are, which are left out, and which are nobody's."""

from __future__ import annotations

import pytest
import torch
from helpers import devices, numbered_classes, rows_of

from fslbook import EpisodeSampler, UnlabelledSampler, evaluate
from fslbook.methods import NearestNeighbour, Transductive
from fslbook.methods.unlabelled.soft_k_means import SoftKMeans
from fslbook.tasks.episode import joined

CLASSES = numbered_classes([9, 10, 11, 9, 12, 9, 9])


def draw(n: int = 40, **settings: object) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Row numbers of support, query and unlabelled images of the first tasks."""
    sizes = {"n_way": 3, "k_shot": 2, "n_query": 3, "n_unlabelled": 4, **settings}
    episode = UnlabelledSampler(CLASSES, **sizes).sample(n)  # type: ignore[arg-type]
    assert episode.unlabelled_x is not None
    return rows_of(episode.support_x), rows_of(episode.query_x), rows_of(episode.unlabelled_x)


@pytest.mark.parametrize("device", devices())
def test_shapes_labels_and_devices(device: str) -> None:
    sampler = UnlabelledSampler(CLASSES.to(device), 3, 2, (3, 1, 0), n_unlabelled=(0, 4, 2), n_distractors=2)
    episode = sampler.sample(5)
    assert episode.support_x.shape[:2] == (5, 6) and episode.query_x.shape[:2] == (5, 4)
    assert episode.unlabelled_x is not None and episode.unlabelled_x.shape[:2] == (5, 6 + 2 * 4)
    assert episode.targets.tolist() == [[0, 0, 0, 1]] * 5
    assert {x.device.type for x in episode._tensors().values()} == {device}


def test_no_image_is_in_two_parts_and_each_part_is_of_its_classes() -> None:
    support, query, unlabelled = draw(n_distractors=2)
    label = CLASSES.labels
    for s, q, u in zip(support, query, unlabelled, strict=True):
        assert len(torch.cat([s, q, u]).unique()) == 6 + 9 + 12 + 8
        own = label[s].view(3, 2)[:, 0]
        assert torch.equal(label[s], own.repeat_interleave(2))
        assert torch.equal(label[q], own.repeat_interleave(3))
        assert torch.equal(label[u[:12]], own.repeat_interleave(4))
        others = label[u[12:]].view(2, 4)
        assert (others == others[:, :1]).all() and len({*others[:, 0].tolist(), *own.tolist()}) == 5


def test_counts_leave_images_out_and_change_nothing_else() -> None:
    support, query, unlabelled = draw()
    fewer = draw(n_query=(3, 0, 2), n_unlabelled=(1, 4, 0))
    assert torch.equal(fewer[0], support)
    assert torch.equal(fewer[1], query[:, [0, 1, 2, 6, 7]])
    assert torch.equal(fewer[2], unlabelled[:, [0, 4, 5, 6, 7]])


def test_without_unlabelled_images_the_tasks_are_those_of_an_episode_sampler() -> None:
    sampler = UnlabelledSampler(CLASSES, 3, 2, 3, n_unlabelled=0, seed=4)
    plain = EpisodeSampler(CLASSES, 3, 2, 3, seed=4).sample(6)
    for bare in (sampler.sample(6), sampler.restarted().sample(6)):
        assert bare.unlabelled_x is None
        assert all(torch.equal(x, plain._tensors()[name]) for name, x in bare._tensors().items())
    uneven = UnlabelledSampler(CLASSES, 3, 2, (3, 0, 1), n_unlabelled=0, seed=4).sample(6)
    assert torch.equal(uneven.query_x, plain.query_x[:, [0, 1, 2, 6]])


def test_every_image_and_every_distractor_is_equally_likely() -> None:
    classes = numbered_classes([7] * 4)
    sampler = UnlabelledSampler(classes, 2, 1, 2, n_unlabelled=3, n_distractors=1, seed=2)
    unlabelled = sampler.sample(8000).unlabelled_x
    assert unlabelled is not None
    counts = rows_of(unlabelled).flatten().bincount(minlength=28) / (9 * 8000)
    assert (28 * counts - 1).abs().max() < 0.04


def test_few_labels_serve_support_and_queries_and_unlabelled_images_are_others() -> None:
    def labelled_and_not(seed: int) -> tuple[set[int], set[int]]:
        sampler = UnlabelledSampler(CLASSES, 3, 1, 2, n_unlabelled=4, n_distractors=1, n_labelled=4, seed=seed)
        again, task = sampler.restarted().sample(300), sampler.sample(300)
        assert task.unlabelled_x is not None and again.unlabelled_x is not None
        assert torch.equal(task.query_x, again.query_x) and torch.equal(task.unlabelled_x, again.unlabelled_x)
        named = torch.cat([rows_of(task.support_x), rows_of(task.query_x)], dim=1)  # [300, 9]
        assert all(len(row.unique()) == 9 for row in named)
        return {*named.flatten().tolist()}, {*rows_of(task.unlabelled_x).flatten().tolist()}

    first, other = labelled_and_not(0), labelled_and_not(1)
    assert first == other  # another seed draws other tasks of the same labels
    assert not first[0] & first[1] and len(first[0] | first[1]) == len(CLASSES.images)
    assert CLASSES.labels[sorted(first[0])].bincount().tolist() == [4] * 7


def test_the_same_seed_gives_the_same_tasks_in_any_batches_and_the_identity_tells_others() -> None:
    def sampler(**settings: object) -> UnlabelledSampler:
        return UnlabelledSampler(CLASSES, 3, 1, 2, **{"n_unlabelled": 3, **settings})  # type: ignore[arg-type]

    whole, first = sampler().sample(9), sampler()
    again = joined([*first.batches(9, 4)])
    assert all(torch.equal(x, again._tensors()[name]) for name, x in whole._tensors().items())
    first.sample(3)
    assert torch.equal(joined([first.restarted().sample() for _ in range(1)]).query_x, whole.query_x[:1])
    others = [sampler(seed=1), sampler(n_unlabelled=2), sampler(n_unlabelled=(3, 3, 0)), sampler(n_distractors=1)]
    others += [sampler(n_labelled=3), sampler(n_labelled=4)]
    assert len({one.identity for one in [sampler(), *others]}) == 7


def test_it_serves_features_and_methods_that_look_at_no_unlabelled_image() -> None:
    sampler = UnlabelledSampler(CLASSES, 3, 1, 2, n_unlabelled=3)
    results = [evaluate(NearestNeighbour(), sampler, 30, embed_once=once) for once in (True, False)]
    assert torch.equal(results[0].per_episode, results[1].per_episode)
    moved = [evaluate(SoftKMeans(torch.nn.Flatten()), sampler, 30, embed_once=once) for once in (True, False)]
    assert torch.equal(moved[0].per_episode, moved[1].per_episode)
    assert (moved[0] - results[0]).per_episode.abs().max() > 0


def test_queries_in_the_place_of_unlabelled_images() -> None:
    plain = EpisodeSampler(CLASSES, 3, 1, 3).sample(4)
    method = Transductive(SoftKMeans(torch.nn.Flatten()))
    sampler = UnlabelledSampler(CLASSES, 3, 1, 3, n_unlabelled=3)
    assert method.queries_see_each_other and method(plain).shape == (4, 9, 3)
    assert evaluate(method, sampler, 20).episodes == evaluate(NearestNeighbour(), sampler, 20).episodes
