"""Accuracy by how often a class has come, against counting by hand."""

from __future__ import annotations

import pytest
import torch
from helpers import devices, numbered_classes
from torch import Tensor, nn

from fslbook.evaluation import accuracy_by_instance
from fslbook.tasks.sequences import LabelledSequence, SequenceSampler


class RightFromThe(nn.Module):
    """Right from the k-th image of each class on, wrong before; and it remembers whom it met."""

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k
        self.met: list[LabelledSequence] = []

    def answers(self, sequence: LabelledSequence) -> Tensor:
        self.met.append(sequence)
        wrong = (sequence.y + 1) % sequence.n_way
        return torch.eye(sequence.n_way).to(sequence.x)[torch.where(sequence.instances >= self.k, sequence.y, wrong)]


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("k", [1, 3, 4])
def test_images_are_counted_by_their_class(k: int, device: str) -> None:
    shares = accuracy_by_instance(RightFromThe(k), SequenceSampler(numbered_classes([6] * 9, device), 3, 4), 7)
    assert shares.shape == (7, 4)
    assert shares.device.type == "cpu"
    assert shares.tolist() == [[float(instance >= k) for instance in (1, 2, 3, 4)]] * 7


def test_it_is_the_share_of_the_classes_of_a_sequence() -> None:
    class Always(nn.Module):
        def answers(self, sequence: LabelledSequence) -> Tensor:
            return torch.eye(3)[torch.zeros_like(sequence.y)]

    shares = accuracy_by_instance(Always(), SequenceSampler(numbered_classes([6] * 9), 3, 4), 5)
    assert torch.allclose(shares, torch.full((5, 4), 1 / 3, dtype=torch.float64))


def test_the_first_sequences_do_not_depend_on_their_number_and_the_sampler_is_left_alone() -> None:
    torch.manual_seed(0)
    sampler = SequenceSampler(numbered_classes([6] * 9), 3, 4)

    class Noise(nn.Module):
        def answers(self, sequence: LabelledSequence) -> Tensor:
            return torch.sin(1e3 * sequence.x.flatten(2).sum(dim=2, keepdim=True) * torch.arange(1, 4))

    long, short = (accuracy_by_instance(Noise(), sampler, n) for n in (130, 20))
    assert torch.equal(long[:20], short)
    assert 0.1 < long.mean() < 0.9
    fresh = SequenceSampler(numbered_classes([6] * 9), 3, 4).sample()
    assert torch.equal(sampler.sample().x, fresh.x)
