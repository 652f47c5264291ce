"""Exercises of chapter 15: correct versions that are written differently from the solution."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercise_helpers import assert_accepted, by_name
from torch.nn import functional as F


def _late_by_index(y, n):
    late = torch.zeros(*y.shape, n)
    b, t = torch.meshgrid(torch.arange(len(y)), torch.arange(y.shape[1] - 1), indexing="ij")
    late[b, t + 1, y[:, :-1]] = 1
    return late


def _instances_by_pairs(correct, y):
    same = y[:, :, None] == y[:, None, :]
    k = same.tril().sum(dim=2)  # [B, T]
    return torch.tensor([correct[k == j].double().mean() for j in range(1, int(k.max()) + 1)])


def _instances_by_dictionary(correct, y):
    found = {}
    for b in range(len(y)):
        for t in range(y.shape[1]):
            k = int((y[b, : t + 1] == y[b, t]).sum())
            found.setdefault(k, []).append(bool(correct[b, t]))
    return torch.tensor([np.mean(found[k]) for k in sorted(found)])


def _read_one_by_one(keys, rows, sharpness):
    read = []
    for key in keys:
        weights = (sharpness * F.cosine_similarity(key[None], rows)).softmax(dim=0)
        read.append((weights[:, None] * rows).sum(dim=0))
    return torch.stack(read)


def _read_as_attention(keys, rows, sharpness):
    unit = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-9)
    key = keys / keys.norm(dim=1, keepdim=True)
    return F.scaled_dot_product_attention(key[None], unit[None], rows[None], scale=sharpness)[0]


def _written_in_place(rows, usage, last, key, gate):
    share, place = torch.sigmoid(gate), int(usage.argmin())
    rows = rows.clone()
    rows[place] = (1 - share) * key
    return rows + share * torch.outer(last, key)


def _written_row_by_row(rows, usage, last, key, gate):
    share = 1 / (1 + (-gate).exp())
    new = []
    for i, row in enumerate(rows):
        least = i == int(usage.argmin())
        new.append((0 * row if least else row) + (share * last[i] + (1 - share) * least) * key)
    return torch.stack(new)


VERSIONS = {
    "first_guess_limit": [
        lambda n: float(np.mean(1 / np.arange(1, n + 1))),
        lambda n: float(torch.arange(1, n + 1).double().reciprocal().mean()),
    ],
    "counting_loss": [
        lambda c: math.log(math.factorial(sum(c)) // math.prod(map(math.factorial, c))) / sum(c),
        lambda c: (
            sum(math.log(k) for k in range(1, sum(c) + 1)) / sum(c)
            - sum(math.log(k) for x in c for k in range(1, x + 1)) / sum(c)
        ),
    ],
    "late_labels": [
        _late_by_index,
        lambda y, n: torch.cat([torch.zeros(len(y), 1, n), torch.eye(n)[y[:, :-1]]], dim=1),
    ],
    "accuracy_at_instances": [_instances_by_pairs, _instances_by_dictionary],
    "read_memory": [_read_one_by_one, _read_as_attention],
    "written_rows": [_written_in_place, _written_row_by_row],
}


@by_name(VERSIONS)
def test_another_correct_version_is_accepted(name, version):
    assert_accepted(name, version)
