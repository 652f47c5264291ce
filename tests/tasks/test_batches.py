"""The tasks of an evaluation do not depend on how they are batched, on a GPU either."""

from __future__ import annotations

import pytest
import torch
from helpers import devices, numbered_classes

from fslbook import EpisodeSampler, SinusoidTasks, evaluate
from fslbook.methods import NearestNeighbour
from fslbook.tasks.episode import joined


class LikeAGPU(EpisodeSampler):
    """Its random numbers depend on how many are asked for at once, as those of a CUDA generator do."""

    calls = 0

    def sample_indices(self, batch_size: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
        self.calls += 1
        self.generator.manual_seed(self.seed + 1000 * batch_size + self.calls)
        return super().sample_indices(batch_size)

    def restarted(self, classes: object = None) -> EpisodeSampler:
        return LikeAGPU(classes or self.classes, self.n_way, self.k_shot, self.n_query, seed=self.seed)  # type: ignore


def sampler(kind: type[EpisodeSampler], device: str = "cpu") -> EpisodeSampler:
    return kind(numbered_classes([6] * 9, device), n_way=4, k_shot=1, n_query=3)


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("kind", [EpisodeSampler, LikeAGPU])
def test_batches_are_the_same_tasks_whatever_their_size(kind: type[EpisodeSampler], device: str) -> None:
    whole = joined([*sampler(kind, device).batches(23, 23)])
    for size in (1, 7, 100):
        batches = [*sampler(kind, device).batches(23, size)]
        assert [batch.batch_size for batch in batches][:-1] == [size] * (23 // size if 23 % size else 23 // size - 1)
        assert torch.equal(joined(batches).query_x, whole.query_x)


@pytest.mark.parametrize("device", devices())
def test_the_batch_size_of_an_evaluation_changes_no_task_even_where_random_numbers_depend_on_it(device: str) -> None:
    results = [evaluate(NearestNeighbour(), sampler(LikeAGPU, device), 23, batch_size=size) for size in (1, 7, None)]
    assert all(torch.equal(result.per_episode, results[0].per_episode) for result in results)
    assert results[0].per_episode.std() > 0


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("kind", [EpisodeSampler, LikeAGPU])
def test_batches_are_the_tasks_that_are_drawn_one_by_one(kind: type[EpisodeSampler], device: str) -> None:
    one_by_one, short, long = (sampler(kind, device) for _ in range(3))
    expected = joined([one_by_one.sample() for _ in range(23)]).support_x
    assert torch.equal(joined([*long.batches(23, 4)]).support_x, expected)
    assert torch.equal(joined([*short.batches(9, 4)]).support_x, expected[:9])


def test_waves_come_in_batches_too() -> None:
    whole = SinusoidTasks(seed=1).sample(10)
    assert torch.equal(joined([*SinusoidTasks(seed=1).batches(10, 3)]).query_y, whole.query_y)
