"""Tasks of clusters: which images lie together, which clusters are too small, and what is refused."""

from __future__ import annotations

import pytest
import torch
from helpers import numbered_classes, rows_of
from torch import Tensor

from fslbook.data.image_classes import ImageClasses
from fslbook.methods.metric.prototypical import PrototypicalNetwork
from fslbook.networks.encoders import Conv4
from fslbook.tasks import ClusterTasks
from fslbook.tasks.clusters import clusters
from fslbook.training.loop import fit

COUNTS = (9, 8, 7, 3)
CLASSES = numbered_classes([27])  # one class: nothing to be learned from its label
CENTRES = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]])
CROWD = torch.arange(4).repeat_interleave(torch.tensor(COUNTS))[torch.randperm(27, generator=torch.Generator())]


def features(spread: float = 0.3) -> Tensor:
    noise = spread * torch.randn(27, 2, generator=torch.Generator().manual_seed(0))
    return CENTRES[CROWD] + noise


def draw(tasks: ClusterTasks, number: int = 200) -> tuple[Tensor, Tensor]:
    episode = tasks.sample(number)
    return rows_of(episode.support_x), rows_of(episode.query_x)


def test_a_task_has_images_of_n_clusters_and_each_label_one_cluster() -> None:
    tasks = ClusterTasks(CLASSES, features(), n_clusters=4, n_way=3, k_shot=2, n_query=3)
    support, query = draw(tasks)
    assert support.shape == (200, 6) and query.shape == (200, 9)
    for s, q in zip(support, query, strict=True):
        crowds = torch.cat([CROWD[s].view(3, 2), CROWD[q].view(3, 3)], dim=1)  # [3, 5]
        assert (crowds == crowds[:, :1]).all() and len(crowds[:, 0].unique()) == 3
        assert len(torch.cat([s, q]).unique()) == 15
    assert tasks.sample(2).targets.tolist() == [[0, 0, 0, 1, 1, 1, 2, 2, 2]] * 2


def test_small_clusters_are_left_out_and_all_other_images_come_up() -> None:
    tasks = ClusterTasks(CLASSES, features(), n_clusters=4, n_way=3, k_shot=1, n_query=3)
    support, query = draw(tasks, 600)
    seen = torch.cat([support, query], dim=1).unique()
    assert seen.tolist() == (CROWD != 3).nonzero()[:, 0].tolist()


def test_clusters_against_the_nearest_centre_by_loops() -> None:
    x, rows = features(), clusters(features(), 4, least=1, seed=0)
    assert sorted(torch.cat(rows).tolist()) == [*range(27)]
    means = [x[one].mean(dim=0) for one in rows]
    for n, one in enumerate(rows):
        for row in one.tolist():
            distances = [float((x[row] - mean).square().sum()) for mean in means]
            assert distances.index(min(distances)) == n
    assert len(clusters(x, 4, least=4, seed=0)) == 3


def test_further_partitions_differ_and_all_are_used() -> None:
    noise = torch.randn(27, 6, generator=torch.Generator().manual_seed(1))
    tasks = ClusterTasks(CLASSES, noise, n_clusters=4, n_partitions=3, n_way=2, k_shot=1, n_query=1)
    assert len({one.classes.fingerprint + one.classes.content for one in tasks.partitions}) == 3
    one = ClusterTasks(CLASSES, noise, n_clusters=4, n_way=2, k_shot=1, n_query=1)
    assert one.partitions[0].classes.content == tasks.partitions[0].classes.content  # the first: as the features are
    together = torch.zeros(27, 27, dtype=torch.bool)
    for part in tasks.partitions:
        for n in range(len(part.classes)):
            rows = part.classes[n][:, 0].long()
            together[rows[:, None], rows] = True
    support, query = draw(tasks, 3000)
    met = torch.zeros(27, 27, dtype=torch.bool)
    met[support.flatten(), query.flatten()] = True
    assert not (met & ~together).any()
    only_first = torch.zeros(27, 27, dtype=torch.bool)
    support, query = draw(one, 3000)
    only_first[support.flatten(), query.flatten()] = True
    assert (met & ~only_first).sum() > 20


def test_further_partitions_weigh_the_features_by_chance() -> None:
    x, y = torch.meshgrid(torch.linspace(0, 5, 12), torch.linspace(0, 10, 12), indexing="ij")
    grid = torch.stack([x, y], dim=-1).view(-1, 2)  # [144, 2]; two clusters split the longer side, that of y
    tasks = ClusterTasks(numbered_classes([144]), grid, 2, n_partitions=16, n_way=2, n_query=1)
    sides = []
    for part in tasks.partitions:
        means = torch.stack([grid[part.classes[n][:, 0].long()].mean(dim=0) for n in range(2)])  # [2, 2]
        sides.append(int(means.diff(dim=0).abs().argmax()))
    assert sides[0] == 1 and {*sides} == {0, 1}


def test_the_same_seed_gives_the_same_tasks_and_the_identity_tells_others() -> None:
    def tasks(seed: int = 0, **settings: int) -> ClusterTasks:
        return ClusterTasks(CLASSES, features(), **{"n_clusters": 3, "n_way": 3, "n_query": 2, **settings}, seed=seed)

    first, again, other = tasks(), tasks(), tasks(seed=1)
    for _ in range(3):
        expected = first.sample(3).query_x
        assert torch.equal(again.sample(3).query_x, expected)
        assert not torch.equal(other.sample(3).query_x, expected)
    others = [tasks(), tasks(seed=1), tasks(n_clusters=4), tasks(n_partitions=2), tasks(k_shot=2), tasks(n_query=1)]
    assert len({one.identity for one in others}) == 6


def test_its_one_generator_is_all_that_a_checkpoint_needs() -> None:
    tasks = ClusterTasks(CLASSES, features(), n_clusters=3, n_partitions=2, n_way=2, n_query=2)
    tasks.sample(5)
    state, expected = tasks.generator.get_state(), tasks.sample(4)
    fresh = ClusterTasks(CLASSES, features(), n_clusters=3, n_partitions=2, n_way=2, n_query=2)
    fresh.generator.set_state(state)
    assert torch.equal(fresh.sample(4).query_x, expected.query_x)


def test_a_prototypical_network_learns_from_them() -> None:
    torch.manual_seed(0)
    motifs = (torch.rand(4, 1, 28, 28) < 0.2).repeat_interleave(8, dim=0)
    images = (motifs ^ (torch.rand(32, 1, 28, 28) < 0.1)).mul(255).to(torch.uint8)
    classes = ImageClasses(images, torch.tensor([32]), ("all",))
    tasks = ClusterTasks(classes, images.float().flatten(1), n_clusters=4, n_way=3, n_query=2)
    history = fit(PrototypicalNetwork(Conv4(channels=8)), tasks, 30, progress=False)
    assert sum(history.loss[-5:]) < 0.5 * sum(history.loss[:5])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"classes": torch.rand(3, 1, 4, 4)}, "classes must be ImageClasses, such as data.base, got Tensor"),
        ({"features": torch.rand(26, 2)}, r"features must be \[27, D\], one row an image, got \[26, 2\]"),
        ({"features": None}, r"features must be \[27, D\], one row an image, got NoneType"),
        ({"features": torch.full((27, 2), float("nan"))}, "features hold NaN or infinity"),
        ({"n_clusters": 2}, "n_clusters must be a whole number of at least 3, got 2"),
        ({"n_clusters": 28}, "28 clusters need 28 images, the data set has 27"),
        ({"n_partitions": 0}, "n_partitions must be a whole number of at least 1"),
        ({"n_way": 1}, "n_way must be a whole number of at least 2"),
        ({"k_shot": 0}, "k_shot must be a whole number of at least 1"),
        ({"n_query": 7}, "3-way needs 3 clusters, but only 2 of 4 clusters hold 8 images"),
    ],
)
def test_what_makes_no_task_is_refused(settings: dict, words: str) -> None:
    usual = {"classes": CLASSES, "features": features(), "n_clusters": 4, "n_way": 3, "n_query": 2}
    with pytest.raises(ValueError, match=words):
        ClusterTasks(**{**usual, **settings})
