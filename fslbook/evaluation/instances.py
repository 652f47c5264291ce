"""Accuracy by how often a class has come, the score of learners that read sequences (chapter 15)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from fslbook.common.arguments import check_same_device, check_whole_number
from fslbook.evaluation.modes import evaluation_mode
from fslbook.tasks.sequences import LabelledSequence, SequenceSampler


@torch.no_grad()
def accuracy_by_instance(method: nn.Module, sampler: SequenceSampler, n_sequences: int = 300) -> Tensor:
    """Share of right guesses at the k-th image of a class, for each sequence (Santoro et al. 2016, table 1).

    At the first image of a class a learner can only guess, though by elimination: towards the end of a sequence few
    classes are left that have not come yet. "One shot" is the second image.

    Args:
        method: with `answers(sequence) -> logits [B, T, N]`, such as a `SequenceLearner`.
        sampler: where the sequences come from, on the device of the method; it begins at its first sequence.
        n_sequences: how many, at least 2.

    Returns:
        float64 [n_sequences, n_each] on the CPU; column k - 1 is the k-th image, and its mean over the sequences the
        accuracy.

    Raises:
        ValueError: `method` gives no such answers, or they are not finite; a number is too small; or another device.

    Example:
        >>> from fslbook.data import ImageClasses
        >>> class First(nn.Module):
        ...     def answers(self, sequence):
        ...         return torch.eye(2)[sequence.y * 0]
        >>> classes = ImageClasses(torch.rand(8, 3), torch.tensor([4, 4]), ("a", "b"))
        >>> accuracy_by_instance(First(), SequenceSampler(classes, 2, 4), 9).mean(dim=0)
        tensor([0.5000, 0.5000, 0.5000, 0.5000], dtype=torch.float64)
    """
    if not callable(getattr(method, "answers", None)):
        raise ValueError(f"method must have answers(sequence), as SequenceLearner has, got {type(method).__name__}")
    n_sequences = check_whole_number("n_sequences", n_sequences, least=2)
    check_same_device(method, sampler.device)
    tasks = sampler.restarted()
    with evaluation_mode(method):  # always a hundred at once, so that the first sequences do not depend on their number
        parts = [_shares(method, tasks.sample(100), sampler.n_each) for _ in range(0, n_sequences, 100)]
    return torch.cat(parts)[:n_sequences].cpu()


def _shares(method: Any, sequence: LabelledSequence, n_each: int) -> Tensor:
    """Share of the classes guessed rightly at their k-th image, [B, n_each]."""
    logits = method.answers(sequence)  # [B, T, N]
    if not logits.isfinite().all():
        raise ValueError(f"{type(method).__name__} answered with NaN or infinity; did its training diverge?")
    correct = (logits.argmax(dim=-1) == sequence.y).double()  # [B, T]
    sums = correct.new_zeros(len(correct), n_each).scatter_add(1, sequence.instances - 1, correct)
    return sums / sequence.n_way
