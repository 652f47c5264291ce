"""Encoders, the relation module, context and losses."""

from __future__ import annotations

import math

import torch
from bad_input.cases import Refused, Right

from fslbook import Conv4, RelationEncoder, conv_classifier
from fslbook.methods import negative_squared_distances, prototypes
from fslbook.networks import (
    FullContextEmbedding,
    RelationModule,
    contrastive_loss,
    pair_distances,
    semi_hard_triplet_loss,
)

GREY, COLOUR, LARGE = torch.rand(2, 1, 28, 28), torch.rand(2, 3, 28, 28), torch.rand(2, 1, 84, 84)
WHOLE = "must be a whole number of at least 1"
F, L = torch.rand(4, 3), torch.tensor([0, 0, 1, 1])
D, Y = torch.rand(4), torch.tensor([0.0, 1.0, 0.0, 1.0])

ROWS: dict[str, Refused | Right] = {
    "Conv4, colour": Refused(lambda: Conv4(channels=4)(COLOUR), r"Conv4 needs images \[M, 1, H, W\]"),
    "Conv4, one image": Refused(lambda: Conv4(channels=4)(GREY[0]), "Conv4 needs images"),
    "Conv4, vectors": Refused(lambda: Conv4(channels=4)(F), r"got \[4, 3\]"),
    "Conv4, too small": Refused(lambda: Conv4(channels=4)(GREY[..., :12, :12]), "of at least 16×16"),
    "Conv4, 84×84": Right(lambda: Conv4(channels=4)(LARGE).shape == (2, 4 * 25)),
    "Conv4, no channels": Refused(lambda: Conv4(channels=0), f"channels {WHOLE}, got 0"),
    "Conv4, half a channel": Refused(lambda: Conv4(in_channels=0.5), f"in_channels {WHOLE}, got 0.5"),
    "RelationEncoder, colour": Refused(lambda: RelationEncoder(channels=4)(COLOUR), "RelationEncoder needs images"),
    "RelationEncoder, too small": Refused(lambda: RelationEncoder(channels=4)(GREY[..., :6, :6]), "of at least"),
    "RelationEncoder, vectors": Refused(lambda: RelationEncoder(channels=4)(F), "RelationEncoder needs images"),
    "RelationEncoder, no channels": Refused(lambda: RelationEncoder(channels=0), f"channels {WHOLE}"),
    "conv_classifier, colour": Refused(lambda: conv_classifier(5, channels=4)(COLOUR), "conv_classifier needs images"),
    "conv_classifier, 84×84": Refused(lambda: conv_classifier(5, channels=4)(LARGE), "make it with conv_classifier"),
    "conv_classifier made for 84×84": Right(
        lambda: conv_classifier(5, channels=4, image_size=84)(LARGE).shape == (2, 5)
    ),
    "conv_classifier, no ways": Refused(lambda: conv_classifier(0), f"n_way {WHOLE}"),
    "conv_classifier, ways in words": Refused(lambda: conv_classifier("five"), f"n_way {WHOLE}"),
    "RelationModule, other maps": Refused(lambda: RelationModule(4)(torch.rand(2, 8, 7, 7)), "say channels"),
    "RelationModule, unstacked maps": Refused(lambda: RelationModule(4)(torch.rand(2, 4, 5, 5)), "say channels"),
    "RelationModule, no channels": Refused(lambda: RelationModule(0), f"channels {WHOLE}"),
    "context, other features": Refused(
        lambda: FullContextEmbedding(8)(torch.rand(1, 2, 5), torch.rand(1, 2, 5)), r"\[B, images, 8\], got \[1, 2, 5\]"
    ),
    "context, no features": Refused(lambda: FullContextEmbedding(0), f"n_features {WHOLE}"),
    "context, no steps": Refused(lambda: FullContextEmbedding(8, steps=0), f"steps {WHOLE}"),
    "pair distances, broadcast": Refused(lambda: pair_distances(F, F[:1]), "pairs need two tensors of one shape"),
    "contrastive loss, a column of labels": Refused(lambda: contrastive_loss(D, Y[:, None]), r"\[4\] distances but"),
    "contrastive loss, labels of 2": Refused(lambda: contrastive_loss(D, 2 * Y), "pair labels must be 0 .* or 1"),
    "contrastive loss, labels of NaN": Refused(lambda: contrastive_loss(D, Y / 0), "pair labels must be 0 .* or 1"),
    "triplets of one class": Refused(lambda: semi_hard_triplet_loss(F, L * 0), "triplets need two"),
    "triplets without a pair": Refused(lambda: semi_hard_triplet_loss(F, torch.arange(4)), "triplets need two"),
    "triplets, labels too few": Refused(lambda: semi_hard_triplet_loss(F, L[:3]), r"need labels \[4\], got \[3\]"),
}
ROWS |= {
    f"{name}, margin {margin}": Refused(lambda loss=loss, margin=margin: loss(margin), "margin must be")
    for name, loss in {
        "contrastive loss": lambda margin: contrastive_loss(D, Y, margin),
        "triplet loss": lambda margin: semi_hard_triplet_loss(F, L, margin),
    }.items()
    for margin in (0, -1.0, math.nan, math.inf, "1", None)
}
ROWS |= {
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
    "encoder, bytes": Refused(lambda: Conv4()(torch.zeros(1, 1, 28, 28).byte()), "floating-point images in 0..1, got"),
    "relation encoder, bytes": Refused(
        lambda: RelationEncoder()(torch.zeros(1, 1, 28, 28).byte()), "floating-point images in 0..1, got"
    ),
    "classifier, whole numbers": Refused(
        lambda: conv_classifier(5)(torch.zeros(1, 1, 28, 28).long()), "floating-point images in 0..1, got torch.int64"
    ),
}
