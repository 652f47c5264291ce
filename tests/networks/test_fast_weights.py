"""What a network that writes weights reads and writes, against loops over single numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from helpers import assert_close

from fslbook.networks.fast_weights import WeightWriter, augmented, log_and_sign

GRADIENTS = torch.tensor([[0.0, 1e-9, -1e-5, 0.03], [-1.0, 40.0, math.exp(-7), -math.exp(-7) / 2]], dtype=torch.float64)


def loop_log_and_sign(g: float, p: float) -> list[float]:
    if abs(g) >= math.exp(-p):
        return [math.log(abs(g)) / p, math.copysign(1.0, g)]
    return [-1.0, math.exp(p) * g]


@pytest.mark.parametrize("p", [2.0, 7.0, 10.0])
def test_log_and_sign_equals_the_loop(p: float) -> None:
    expected = np.array([[loop_log_and_sign(g, p) for g in row] for row in GRADIENTS.tolist()])
    assert_close(log_and_sign(GRADIENTS, p), expected)


@pytest.mark.parametrize("preprocess", [True, False])
def test_the_writer_reads_one_gradient_for_one_weight(preprocess: bool) -> None:
    torch.manual_seed(0)
    writer = WeightWriter(hidden=5, preprocess=preprocess).double()
    w = [p.detach().numpy() for p in writer.parameters()]
    written = []
    for g in GRADIENTS.flatten().tolist():
        x = np.array(loop_log_and_sign(g, 7.0) if preprocess else [g])
        for matrix, bias in ((w[0], w[1]), (w[2], w[3])):
            x = np.maximum(matrix @ x + bias, 0)
        written.append((w[4] @ x)[0])
    assert_close(writer(GRADIENTS), np.array(written).reshape(2, 4))


def test_nothing_is_differentiated_through_a_message() -> None:
    gradients = GRADIENTS.clone().requires_grad_()
    writer = WeightWriter().double()
    writer(gradients).sum().backward()
    assert gradients.grad is None
    assert all(p.grad is not None for p in writer.parameters())


def test_augmented_adds_after_the_relu() -> None:
    slow, fast = torch.tensor([2.0, -1.0, 1.0]), torch.tensor([-3.0, -1.0, 4.0])
    assert augmented(slow, fast).tolist() == [2.0, 0.0, 5.0]
