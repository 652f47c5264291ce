"""A memory that is read by content and written where it was used least: Santoro et al. (2016), sections 3.1 and 3.2.

Row i of the memory M is a vector M(i). R heads share it. Each step t brings each head a key k and a gate a: the memory
is written first, then read.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class MemoryState(NamedTuple):
    """What a memory holds between two steps.

    Args:
        rows: the memory M, [B, M, W].
        usage: how much each row was used lately, w^u, [B, M].
        reads: where each head read last, w^r, [B, R, M].

    Example:
        >>> state = MemoryState(torch.zeros(1, 3, 2), torch.zeros(1, 3), torch.zeros(1, 1, 3))
        >>> state._replace(usage=torch.ones(1, 3)).usage
        tensor([[1., 1., 1.]])
    """

    rows: Tensor
    usage: Tensor
    reads: Tensor


def empty_memory(batch_size: int, n_rows: int, width: int, n_heads: int, like: Tensor) -> MemoryState:
    """A memory in which nothing is written; all rows hold one small number, so that their cosine is defined.

    Args:
        batch_size: number of sequences B.
        n_rows: rows M.
        width: length W of a row.
        n_heads: heads R.
        like: a tensor of the type and on the device that the memory is to have.

    Example:
        >>> empty_memory(2, 8, 4, 1, torch.zeros(1)).rows.shape
        torch.Size([2, 8, 4])
    """
    reads = like.new_zeros(batch_size, n_heads, n_rows)
    return MemoryState(like.new_full((batch_size, n_rows, width), 1e-6), reads[:, 0], reads)


def content_weights(keys: Tensor, rows: Tensor, sharpness: float | Tensor = 1.0) -> Tensor:
    """w^r(i) = softmax over i of β cos(k, M(i)), [B, R, M] (equations 1 to 3, which have no β).

    Args:
        keys: k, [B, R, W].
        rows: the memory M, [B, M, W].
        sharpness: β, the inverse of a temperature; Graves et al. (2014) call it the key strength.

    Example:
        >>> content_weights(torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[2.0, 0.0], [0.0, 3.0]]]))
        tensor([[[0.7311, 0.2689]]])
    """
    return (sharpness * F.normalize(keys, dim=-1) @ F.normalize(rows, dim=-1).mT).softmax(dim=-1)


def least_used(usage: Tensor, n: int) -> Tensor:
    """w^lu: 1 at the n rows of smallest usage and 0 elsewhere, [B, M] (equation 6).

    Args:
        usage: w^u, [B, M].
        n: number of rows, as many as there are heads.

    Example:
        >>> least_used(torch.tensor([[0.3, 0.1, 0.2]]), n=1)
        tensor([[0., 1., 0.]])
    """
    return torch.zeros_like(usage).scatter(1, usage.topk(n, dim=1, largest=False).indices, 1.0)


def write_weights(gates: Tensor, state: MemoryState) -> Tensor:
    """w^w = σ(a) w^r + (1 - σ(a)) w^lu, [B, R, M]: to where one read last, or to an unused row (equation 7).

    With R heads, R rows are unused; head j has the j-th of them for itself.

    Args:
        gates: a, [B, R], any numbers.
        state: of the step before.

    Example:
        >>> state = MemoryState(torch.zeros(1, 2, 3), torch.tensor([[0.9, 0.0]]), torch.tensor([[[1.0, 0.0]]]))
        >>> write_weights(torch.tensor([[0.0]]), state)
        tensor([[[0.5000, 0.5000]]])
    """
    n_heads, n_rows = state.reads.shape[1:]
    unused = state.usage.topk(n_heads, dim=1, largest=False).indices  # [B, R]
    share = gates.sigmoid()[..., None]  # [B, R, 1]
    return share * state.reads + (1 - share) * F.one_hot(unused, n_rows).to(share.dtype)


def step(
    keys: Tensor, gates: Tensor, state: MemoryState, *, decay: float = 0.95, sharpness: float | Tensor = 1.0
) -> tuple[Tensor, MemoryState]:
    """Write the keys, then read with them: what each head read [B, R, W], and the state after it (equations 4, 5, 8).

    The least used rows are emptied before they are written.

    Args:
        keys: k, [B, R, W].
        gates: a, [B, R].
        state: of the step before.
        decay: γ, what is left of the usage after a step, in 0..1.
        sharpness: β of the reading.

    Example:
        >>> state = empty_memory(1, 4, 2, 1, torch.zeros(1))
        >>> read, state = step(torch.tensor([[[3.0, 0.0]]]), torch.tensor([[-20.0]]), state)
        >>> state.rows[0].abs().sum(dim=1).round().sort().values  # an empty row now holds the key
        tensor([0., 0., 0., 3.])
    """
    writes = write_weights(gates, state)  # [B, R, M]
    kept = 1 - least_used(state.usage, keys.shape[1])  # [B, M]
    rows = state.rows * kept[..., None] + writes.mT @ keys  # [B, M, W]
    reads = content_weights(keys, rows, sharpness)  # [B, R, M]
    usage = decay * state.usage + reads.sum(dim=1) + writes.sum(dim=1)  # [B, M]
    return reads @ rows, MemoryState(rows, usage, reads)
