"""Distances, losses and encoders by themselves; other sizes and colours are in tests/networks/test_sizes.py."""

from __future__ import annotations

import torch
from bad_input.cases import Refused, Right

from fslbook import Conv4, RelationEncoder, conv_classifier
from fslbook.methods import negative_squared_distances, prototypes
from fslbook.networks import contrastive_loss, pair_distances

ROWS: dict[str, Refused | Right] = {
    "distances without a batch": Refused(
        lambda: negative_squared_distances(torch.rand(5, 8), torch.rand(5, 8)), r"\[B, Q, D\] need .* got \[5, 8\]"
    ),
    "distances of other lengths": Refused(
        lambda: negative_squared_distances(torch.rand(1, 5, 8), torch.rand(1, 3, 1)), r"\[1, 5, 8\] and \[1, 3, 1\]"
    ),
    "distances of other batches": Refused(
        lambda: negative_squared_distances(torch.rand(2, 5, 8), torch.rand(1, 3, 8)), r"\[2, 5, 8\] and \[1, 3, 8\]"
    ),
    "prototypes without a batch": Refused(
        lambda: prototypes(torch.rand(5, 8), torch.tensor([0, 0, 1, 1, 1]), 2), r"need labels \[B, S\], got \[5, 8\]"
    ),
    "prototypes, a label too few": Refused(
        lambda: prototypes(torch.rand(1, 5, 8), torch.tensor([[0, 0, 1, 1]]), 2), r"\[1, 5, 8\] and \[1, 4\]"
    ),
    "pairs that broadcast": Refused(
        lambda: pair_distances(torch.rand(5, 8), torch.rand(1, 8)), "two tensors of one shape"
    ),
    "pair labels of 2": Refused(lambda: contrastive_loss(torch.ones(1), torch.tensor([2])), "must be 0 .* or 1"),
    "encoder, bytes": Refused(lambda: Conv4()(torch.zeros(1, 1, 28, 28).byte()), "floating-point images in 0..1, got"),
    "relation encoder, bytes": Refused(
        lambda: RelationEncoder()(torch.zeros(1, 1, 28, 28).byte()), "floating-point images in 0..1, got"
    ),
    "classifier, whole numbers": Refused(
        lambda: conv_classifier(5)(torch.zeros(1, 1, 28, 28).long()), "floating-point images in 0..1, got torch.int64"
    ),
}
