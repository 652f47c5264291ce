"""Attention over pairs of input and answer: the transformer of chapter 18, and linear attention as a gradient step.

A token is an input and its label side by side, with no position. The support tokens see each other; a query, whose
label is left at zero, sees the support and no other query. Layers are pre-norm (Vaswani et al. 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_positive, check_whole_number


class AttentionLayer(nn.Module):
    """One pre-norm layer: tokens read from a context by attention, then each passes through a small network.

    Args:
        width: length W of a token, at least 1.
        n_heads: how many times attention is done side by side; divides `width`.

    Raises:
        ValueError: a number is below 1, or the heads do not divide the width.

    Example:
        >>> AttentionLayer(width=8, n_heads=2)(torch.zeros(1, 3, 8), torch.zeros(1, 5, 8)).shape
        torch.Size([1, 3, 8])
    """

    def __init__(self, width: int = 64, n_heads: int = 4) -> None:
        super().__init__()
        width, self.n_heads = check_whole_number("width", width, 1), check_whole_number("n_heads", n_heads, 1)
        if width % n_heads:
            raise ValueError(f"n_heads must divide the width, got {n_heads} heads and width {width}")
        self.norm_in, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask, self.offer = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor, context: Tensor) -> Tensor:
        """The tokens after the layer, [B, T, W].

        Args:
            tokens: that ask, [B, T, W]; they do not see each other, unless they are the context too.
            context: that answer, [B, S, W].

        Raises:
            ValueError: tokens or context are not W long.
        """
        query, key, value = self._parts(tokens, context)
        read = F.scaled_dot_product_attention(query, key, value)  # [B, heads, T, W / heads]
        tokens = tokens + self.out(read.transpose(1, 2).flatten(2))  # [B, T, W]
        return tokens + self.mlp(self.norm_mlp(tokens))

    def weights(self, tokens: Tensor, context: Tensor) -> Tensor:
        """How much each token takes from each token of the context, [B, heads, T, S]; rows add up to 1.

        Args:
            tokens: [B, T, W].
            context: [B, S, W].
        """
        query, key, _ = self._parts(tokens, context)
        return (query @ key.mT * key.shape[-1] ** -0.5).softmax(dim=-1)

    def _parts(self, tokens: Tensor, context: Tensor) -> tuple[Tensor, ...]:
        width = self.ask.in_features
        if (given := (tokens.shape[-1], context.shape[-1])) != (width, width):
            raise ValueError(f"tokens and context must be {width} long, got {given[0]} and {given[1]}")
        offered = self.offer(self.norm_in(context)).chunk(2, dim=-1)  # [B, S, W] each
        parts = (self.ask(self.norm_in(tokens)), *offered)
        return tuple(x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for x in parts)  # [B, heads, T or S, W/heads]


class PairTransformer(nn.Module):
    """Reads pairs (input, label) and answers queries; there are no positions, so the order of the pairs is nothing.

    Args:
        n_features: length D of an input.
        n_labels: how many labels L there are.
        width: length of a token inside.
        n_heads: heads of each layer; they divide `width`.
        n_layers: layers, at least 1.

    Raises:
        ValueError: a number is below 1, or the heads do not divide the width.

    Example:
        >>> net = PairTransformer(n_features=8, n_labels=5)
        >>> net(torch.zeros(2, 5, 8), torch.eye(5).expand(2, 5, 5), torch.zeros(2, 3, 8)).shape
        torch.Size([2, 3, 5])
    """

    def __init__(self, n_features: int, n_labels: int, width: int = 64, n_heads: int = 4, n_layers: int = 2) -> None:
        super().__init__()
        self.n_features = check_whole_number("n_features", n_features, least=1)
        self.n_labels = check_whole_number("n_labels", n_labels, least=1)
        n_layers = check_whole_number("n_layers", n_layers, least=1)
        self.layers = nn.ModuleList(AttentionLayer(width, n_heads) for _ in range(n_layers))
        self.read_x, self.read_y = nn.Linear(n_features, width), nn.Linear(n_labels, width, bias=False)
        self.answer = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, n_labels))

    def forward(self, inputs: Tensor, labels: Tensor, queries: Tensor) -> Tensor:
        """Logits [B, Q, L] of the queries.

        Args:
            inputs: of the pairs, [B, S, D].
            labels: of the pairs, one-hot [B, S, L].
            queries: [B, Q, D].

        Raises:
            ValueError: inputs or queries are not `n_features` long, or the labels not `n_labels`.
        """
        _check_lengths(inputs, labels, queries, (self.n_features, self.n_labels))
        context, tokens = self.read_x(inputs) + self.read_y(labels), self.read_x(queries)  # [B, S, W], [B, Q, W]
        for layer in self.layers:
            context, tokens = layer(context, context), layer(tokens, context)
        return self.answer(tokens)


class LinearAttention(nn.Module):
    """One layer of attention without softmax: every token e becomes e + P V (sum over the support of e_j k_j·q).

    A token is input and target side by side, (x, y); a query's is (x, 0). Keys and queries see x alone, as in the
    construction of von Oswald et al. (2023); `gradient_step` gives the weights with which the layer *is* one step of
    gradient descent. They write the answer with a minus sign and turn it at the end; here it has the right sign.

    Args:
        n_inputs: length D of x.
        n_targets: length T of y.

    Raises:
        ValueError: a length is below 1.

    Example:
        >>> layer = LinearAttention(n_inputs=1, n_targets=1).gradient_step(lr=1.0)
        >>> x, y = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[1.0], [2.0]]])
        >>> layer(x, y, torch.ones(1, 1, 1)).item()  # slope after one step: (1·1 + 2·2) / 2
        2.5
    """

    def __init__(self, n_inputs: int, n_targets: int = 1) -> None:
        super().__init__()
        n_inputs = check_whole_number("n_inputs", n_inputs, least=1)
        n_targets = check_whole_number("n_targets", n_targets, least=1)
        self.key_query = nn.Parameter(0.1 * torch.randn(n_inputs, n_inputs))  # W_K transposed times W_Q
        self.value = nn.Parameter(0.1 * torch.randn(n_targets, n_inputs + n_targets))  # P times W_V, the rows of y

    def forward(self, inputs: Tensor, targets: Tensor, queries: Tensor) -> Tensor:
        """The y part of each query's token after the layer, [B, Q, T].

        Args:
            inputs: x of the support, [B, S, D].
            targets: y of the support, [B, S, T].
            queries: x of the queries, [B, Q, D].

        Raises:
            ValueError: inputs or queries are not D long, or the targets not T.
        """
        _check_lengths(inputs, targets, queries, (len(self.key_query), len(self.value)))
        scores = queries @ self.key_query.mT @ inputs.mT  # [B, Q, S]
        values = torch.cat([inputs, targets], dim=-1) @ self.value.mT  # [B, S, T]
        return scores @ values / inputs.shape[1]

    @torch.no_grad()
    def gradient_step(self, lr: float) -> LinearAttention:
        """Set the weights of the construction: the answer is that of W = 0 after one step on the mean of ½|Wx - y|².

        Args:
            lr: step size, above 0.

        Returns:
            The layer itself.

        Raises:
            ValueError: `lr` is not positive and finite.
        """
        lr = check_positive("lr", lr)
        n_targets, n_inputs = len(self.value), len(self.key_query)
        self.key_query.copy_(torch.eye(n_inputs))
        pick_targets = torch.eye(n_inputs + n_targets, dtype=self.value.dtype)[n_inputs:]  # [T, D + T]
        self.value.copy_(lr * pick_targets)
        return self


def _check_lengths(inputs: Tensor, answers: Tensor, queries: Tensor, wanted: tuple[int, int]) -> None:
    given = (inputs.shape[-1], answers.shape[-1], queries.shape[-1])
    if given != (*wanted, wanted[0]):
        raise ValueError(
            f"inputs, their answers and queries must be {wanted[0]}, {wanted[1]} and {wanted[0]} long, "
            f"got {given[0]}, {given[1]} and {given[2]}"
        )
