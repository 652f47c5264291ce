"""A memory read by content and written where it was used least, against loops over numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import assert_close

from fslbook.networks.memory import MemoryState, content_weights, empty_memory, least_used, step, write_weights

B, R, M, W = 2, 3, 7, 4


def random_state(seed: int = 0) -> MemoryState:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(B, M, W, generator=generator, dtype=torch.float64)
    usage = torch.rand(B, M, generator=generator, dtype=torch.float64)
    reads = torch.rand(B, R, M, generator=generator, dtype=torch.float64)
    return MemoryState(rows, usage, reads / reads.sum(dim=-1, keepdim=True))


def random_keys(seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    keys = torch.randn(B, R, W, generator=generator, dtype=torch.float64)
    return keys, torch.randn(B, R, generator=generator, dtype=torch.float64)


def read_by_loops(key: np.ndarray, rows: np.ndarray, sharpness: float) -> np.ndarray:
    cosines = [sharpness * np.dot(key, row) / np.sqrt(np.dot(key, key) * np.dot(row, row)) for row in rows]
    shares = np.exp(cosines)
    return shares / shares.sum()


def step_by_loops(
    keys: np.ndarray, gates: np.ndarray, rows: np.ndarray, usage: np.ndarray, reads: np.ndarray, decay: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One sequence: what was read, rows, usage, reads."""
    unused = sorted(range(M), key=lambda row: usage[row])[:R]
    rows, written = rows.copy(), np.zeros(M)
    rows[unused] = 0
    for head in range(R):
        share = 1 / (1 + np.exp(-gates[head]))
        for row in range(M):
            weight = share * reads[head, row] + (1 - share) * (row == unused[head])
            rows[row] += weight * keys[head]
            written[row] += weight
    now = np.stack([read_by_loops(key, rows, 1.0) for key in keys])
    return now @ rows, rows, decay * usage + now.sum(axis=0) + written, now


@pytest.mark.parametrize("sharpness", [1.0, 10.0])
def test_reading_is_a_softmax_over_cosines(sharpness: float) -> None:
    keys, rows = random_keys()[0], random_state().rows
    weights = content_weights(keys, rows, sharpness)
    for b in range(B):
        for head in range(R):
            expected = read_by_loops(keys[b, head].numpy(), rows[b].numpy(), sharpness)
            np.testing.assert_allclose(weights[b, head].numpy(), expected, rtol=1e-12)


def test_the_size_of_a_key_changes_nothing_and_an_empty_memory_is_read_evenly() -> None:
    keys, rows = random_keys()[0], random_state().rows
    assert_close(content_weights(5 * keys, rows), content_weights(keys, rows))
    empty = empty_memory(B, M, W, R, keys)
    assert_close(content_weights(keys, empty.rows), torch.full((B, R, M), 1 / M, dtype=torch.float64))


def test_the_least_used_rows_are_those_of_smallest_usage() -> None:
    usage = random_state().usage
    chosen = least_used(usage, R)
    for b in range(B):
        expected = sorted(range(M), key=lambda row: float(usage[b, row]))[:R]
        assert sorted(chosen[b].nonzero().flatten().tolist()) == sorted(expected)


@pytest.mark.parametrize(("gate", "share"), [(-40.0, 0.0), (40.0, 1.0), (0.0, 0.5)])
def test_the_gate_divides_between_where_was_read_and_an_unused_row_of_its_own(gate: float, share: float) -> None:
    state = random_state()
    weights = write_weights(torch.full((B, R), gate, dtype=torch.float64), state)
    fresh = weights - share * state.reads
    assert_close(fresh.sum(dim=2), torch.full((B, R), 1 - share, dtype=torch.float64))
    assert_close(fresh.sum(dim=1), (1 - share) * least_used(state.usage, R))


@pytest.mark.parametrize("decay", [0.95, 0.5])
def test_a_step_equals_loops(decay: float) -> None:
    state, (keys, gates) = random_state(), random_keys()
    read, after = step(keys, gates, state, decay=decay)
    for b in range(B):
        given = [x[b].numpy() for x in (keys, gates, *state)]
        for found, expected in zip((read, *after), step_by_loops(*given, decay), strict=True):  # type: ignore
            np.testing.assert_allclose(found[b].numpy(), expected, rtol=1e-10)


def test_gradients_of_a_step_equal_finite_differences() -> None:
    state, (keys, gates) = random_state(), random_keys()

    def compute(keys: torch.Tensor, gates: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return step(keys, gates, state._replace(rows=rows))[0]

    assert torch.autograd.gradcheck(
        compute, (keys.requires_grad_(), gates.requires_grad_(), state.rows.requires_grad_())
    )
