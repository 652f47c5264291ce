"""Attention over pairs against loops in NumPy; linear attention against a step of gradient descent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from helpers import assert_close
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.networks.attention import AttentionLayer, LinearAttention, PairTransformer


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return make().double()


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def affine(linear: nn.Module, x: np.ndarray) -> np.ndarray:
    parts = {name: p.detach().numpy() for name, p in linear.named_parameters()}
    return parts["weight"] @ x + parts.get("bias", 0.0)


def normed(norm: nn.LayerNorm, x: np.ndarray) -> np.ndarray:
    scaled = (x - x.mean()) / np.sqrt(x.var() + norm.eps)
    return norm.weight.detach().numpy() * scaled + norm.bias.detach().numpy()


def loop_weights(layer: AttentionLayer, token: np.ndarray, context: np.ndarray, head: slice) -> np.ndarray:
    query = affine(layer.ask, normed(layer.norm_in, token))[head]
    keys = [affine(layer.offer, normed(layer.norm_in, e))[: len(token)][head] for e in context]
    scores = np.exp([query @ key / np.sqrt(len(query)) for key in keys])
    return scores / scores.sum()


def loop_layer(layer: AttentionLayer, token: np.ndarray, context: np.ndarray) -> np.ndarray:
    width, size = len(token), len(token) // layer.n_heads
    read = np.zeros(width)
    for start in range(0, width, size):
        head = slice(start, start + size)
        for weight, e in zip(loop_weights(layer, token, context, head), context, strict=True):
            read[head] += weight * affine(layer.offer, normed(layer.norm_in, e))[width:][head]
    token = token + affine(layer.out, read)
    hidden = affine(layer.mlp[0], normed(layer.norm_mlp, token))
    return token + affine(layer.mlp[2], F.gelu(torch.tensor(hidden)).numpy())


def loop_transformer(net: PairTransformer, x: np.ndarray, y: np.ndarray, query: np.ndarray) -> np.ndarray:
    context = [affine(net.read_x, a) + affine(net.read_y, b) for a, b in zip(x, y, strict=True)]
    token = affine(net.read_x, query)
    for layer in net.layers:
        token, context = loop_layer(layer, token, context), [loop_layer(layer, e, context) for e in context]
    return affine(net.answer[1], normed(net.answer[0], token))


@pytest.mark.parametrize("n_heads", [1, 3])
def test_a_layer_and_its_weights_equal_the_loop(n_heads: int) -> None:
    layer = seeded(lambda: AttentionLayer(6, n_heads))
    tokens, context = numbers(2, 3, 6), numbers(2, 4, 6, seed=1)
    out, weights = layer(tokens, context), layer.weights(tokens, context)
    for b, t in np.ndindex(2, 3):
        pair = tokens[b, t].numpy(), context[b].numpy()
        assert_close(out[b, t], loop_layer(layer, *pair))
        heads = [slice(h * 6 // n_heads, (h + 1) * 6 // n_heads) for h in range(n_heads)]
        assert_close(weights[b, :, t], np.array([loop_weights(layer, *pair, head) for head in heads]))


@pytest.mark.parametrize("n_layers", [1, 2])
def test_the_transformer_equals_the_loop(n_layers: int) -> None:
    net = seeded(lambda: PairTransformer(5, 3, width=8, n_heads=2, n_layers=n_layers))
    x, y, queries = numbers(2, 4, 5), F.one_hot(torch.tensor([[0, 1, 2, 1]] * 2), 3).double(), numbers(2, 3, 5, seed=1)
    logits = net(x, y, queries)
    for b, q in np.ndindex(2, 3):
        assert_close(logits[b, q], loop_transformer(net, x[b].numpy(), y[b].numpy(), queries[b, q].numpy()))


def gradient_descent(x: Tensor, y: Tensor, lr: float) -> Tensor:
    """W [T, D] after one step from 0 on the mean of half the squared error, by automatic differentiation."""
    w = torch.zeros(y.shape[-1], x.shape[-1], dtype=x.dtype, requires_grad=True)
    loss = (0.5 * (x @ w.mT - y).square().sum(dim=-1)).mean()
    return -lr * torch.autograd.grad(loss, w)[0]


@pytest.mark.parametrize("n_targets", [1, 3])
def test_linear_attention_is_one_step_of_gradient_descent(n_targets: int) -> None:
    x, y, queries = numbers(2, 7, 4), numbers(2, 7, n_targets, seed=1), numbers(2, 3, 4, seed=2)
    answers = LinearAttention(4, n_targets).double().gradient_step(lr=0.3)(x, y, queries)
    for b in range(2):
        assert_close(answers[b], queries[b] @ gradient_descent(x[b], y[b], lr=0.3).mT)


def test_linear_attention_with_any_weights_equals_the_loop() -> None:
    layer = seeded(lambda: LinearAttention(3, 2))
    x, y, queries = (t.numpy() for t in (numbers(1, 4, 3), numbers(1, 4, 2, seed=1), numbers(1, 2, 3, seed=2)))
    a, v = layer.key_query.detach().numpy(), layer.value.detach().numpy()
    expected = np.zeros((2, 2))
    for q, j in np.ndindex(2, 4):
        expected[q] += v @ np.concatenate([x[0, j], y[0, j]]) * (x[0, j] @ a @ queries[0, q]) / 4
    assert_close(layer(*map(torch.tensor, (x, y, queries)))[0], expected)


@pytest.mark.parametrize("make", [lambda: PairTransformer(2, 2, 4, 2, 1), lambda: LinearAttention(2, 2)])
def test_gradients_equal_finite_differences(make: Callable[[], nn.Module]) -> None:
    net = seeded(make)
    weights = {name: p.detach().clone().requires_grad_() for name, p in net.named_parameters()}
    inputs = tuple(numbers(1, 3, 2, seed=s).requires_grad_() for s in range(3))

    def compute(*given: Tensor) -> Tensor:
        return torch.func.functional_call(net, dict(zip(weights, given[3:], strict=True)), given[:3])

    assert torch.autograd.gradcheck(compute, (*inputs, *weights.values()))
