"""Conv4 against plain functions and NumPy loops."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from helpers import assert_close, devices
from torch import nn
from torch.nn import functional as F

from fslbook import Conv4, conv_classifier
from fslbook.networks.encoders import conv_block


@pytest.mark.parametrize(
    ("channels", "size", "features"), [(64, 28, 64), (64, 84, 1600), (64, 16, 64), (8, 28, 8), (8, 32, 32)]
)
def test_sizes_of_the_features(channels: int, size: int, features: int) -> None:
    assert Conv4(channels=channels)(torch.zeros(2, 1, size, size)).shape == (2, features)


def test_number_of_parameters_is_that_of_the_paper() -> None:
    assert sum(p.numel() for p in Conv4().parameters()) == 111_936
    assert Conv4(in_channels=3)(torch.zeros(2, 3, 28, 28)).shape == (2, 64)


def loop_conv_block(images: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """3×3 convolution, normalisation by the batch, ReLU and 2×2 maxima, pixel by pixel."""
    count, _, height, width = images.shape
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    maps = np.zeros((count, len(weight), height, width))
    for m, out, row, column in np.ndindex(*maps.shape):
        maps[m, out, row, column] = np.sum(padded[m, :, row : row + 3, column : column + 3] * weight[out]) + bias[out]
    centred = maps - maps.mean(axis=(0, 2, 3), keepdims=True)
    active = np.maximum(centred / np.sqrt(maps.var(axis=(0, 2, 3), keepdims=True) + 1e-5), 0)
    pooled = np.zeros((count, len(weight), height // 2, width // 2))
    for m, out, row, column in np.ndindex(*pooled.shape):
        pooled[m, out, row, column] = active[m, out, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].max()
    return pooled


def test_a_block_equals_numpy_loops() -> None:
    torch.manual_seed(0)
    block, images = conv_block(2, 3).double(), torch.randn(2, 2, 5, 6, dtype=torch.float64)
    weight, bias = block[0].weight.detach().numpy(), block[0].bias.detach().numpy()
    assert_close(block(images), loop_conv_block(images.numpy(), weight, bias))


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("training", [True, False])
def test_memory_order_does_not_change_the_features(training: bool, device: str) -> None:
    torch.manual_seed(0)
    encoder, images = (
        Conv4(channels=8).double().to(device).train(training),
        torch.rand(3, 1, 28, 28).double().to(device),
    )
    x = images.contiguous()
    for conv, norm, *_ in [*encoder][:-1]:
        weight = conv.weight.contiguous(memory_format=torch.contiguous_format)
        x = F.conv2d(x, weight, conv.bias, padding=1)
        mean, variance = norm.running_mean.clone(), norm.running_var.clone()
        x = F.max_pool2d(F.relu(F.batch_norm(x, mean, variance, training=training)), 2)
    assert_close(encoder(images), x.flatten(1))


def test_every_parameter_learns() -> None:
    torch.manual_seed(0)
    encoder = Conv4(channels=4)
    encoder(torch.rand(4, 1, 28, 28)).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in encoder.parameters())
    assert all(float(block[1].weight.grad.abs().max()) > 0 for block in [*encoder][:-1])


@pytest.mark.parametrize("shape", [[2, 1, 15, 28], [2, 1, 28, 8], [1, 28, 28], [2, 5, 1, 28, 28], [2, 3, 28, 28]])
def test_images_that_cannot_pass_are_refused(shape: list[int]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"images [M, 1, H, W] of at least 16×16, got {shape}")):
        Conv4()(torch.zeros(shape))


def test_conv_classifier_gives_a_body_a_head_and_always_the_statistics_of_the_batch() -> None:
    torch.manual_seed(0)
    network = conv_classifier(7, in_channels=3, channels=8).eval()
    images = torch.rand(6, 3, 28, 28)
    assert network(images).shape == (6, 7)
    assert {name.split(".")[0] for name, _ in network.named_parameters()} == {"body", "head"}
    assert network.body(images).shape == (6, 8)
    assert not [*network.buffers()]
    assert not torch.allclose(network(images)[:3], network(images[:3]), atol=1e-3)


def test_pooling_before_relu_changes_neither_numbers_nor_gradients() -> None:
    torch.manual_seed(0)
    block = conv_block(3, 8)
    convolution, norm, pool, relu = block
    in_the_papers_order = nn.Sequential(convolution, norm, nn.ReLU(), pool)
    x = torch.randn(5, 3, 14, 14)
    slope = torch.randn(5, 8, 7, 7)
    assert torch.equal(block(x), in_the_papers_order(x))
    ours, theirs = (torch.autograd.grad(f(x), block.parameters(), slope) for f in (block, in_the_papers_order))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert isinstance(relu, nn.ReLU)
